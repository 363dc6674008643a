#pragma once

#include <string>
#include <string_view>

namespace hikae::codec {

std::string sha256(std::string_view bytes);      // 32 raw bytes
std::string sha256_hex(std::string_view bytes);  // 64 lower-case digits
std::string hmac_sha256(std::string_view key, std::string_view bytes);
std::string hmac_sha1(std::string_view key, std::string_view bytes);

// Takes a time that depends on the lengths only, so that a guess cannot be improved by measuring.
bool constant_time_equal(std::string_view a, std::string_view b);

}  // namespace hikae::codec
