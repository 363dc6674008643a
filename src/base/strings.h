#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hikae {

// ASCII only: identifiers of AWS and names of DNS are ASCII, and a locale must not change them.
std::string to_lower(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);
std::string_view trim(std::string_view text);
std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);

// The whole text as a decimal number, or nullopt (signs other than a leading '-', blanks,
// overflow).
std::optional<std::int64_t> parse_integer(std::string_view text);

}  // namespace hikae
