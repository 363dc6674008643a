#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hikae::codec {

std::string hex_encode(std::string_view bytes);  // lower case

// Standard alphabet with padding.
std::string base64_encode(std::string_view bytes);
// Strict: standard alphabet, full padding, zero bits behind the last byte, no blanks.
std::optional<std::string> base64_decode(std::string_view text);

// Everything outside A-Z a-z 0-9 - _ . ~ as %XX, upper case (RFC 3986). The form used in
// signatures.
void append_percent_encoded(std::string& out, std::string_view bytes);
std::string percent_encode(std::string_view bytes);

enum class Plus { kIsSpace, kIsPlus };
// nullopt for a `%` that two hexadecimal digits do not follow.
std::optional<std::string> percent_decode(std::string_view text, Plus plus);

// Unicode scalar values in shortest form only (RFC 3629).
bool is_valid_utf8(std::string_view text);
// The length of the valid UTF-8 sequence at the start of `text`, 0 if there is none.
std::size_t utf8_sequence_length(std::string_view text);

}  // namespace hikae::codec
