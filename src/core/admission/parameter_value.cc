#include "core/admission/parameter_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/strings.h"

namespace hikae::core {
namespace {

constexpr std::size_t kLongestValue = 4096;

std::optional<double> parse_decimal(std::string_view text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (error != std::errc() || rest != end || !std::isfinite(number)) {
    return std::nullopt;
  }
  return number;
}

// `part` is one piece of allowed_values: a number, `lo-hi`, `lo-` or `-`. A first minus sign
// belongs to the number.
template <class Number, class Parse>
bool in_range(std::string_view part, Number number, Parse parse) {
  const std::size_t dash = part == "-" ? 0 : part.find('-', 1);
  if (dash == std::string_view::npos) {
    const std::optional<Number> only = parse(part);
    return only && number == *only;
  }
  const std::optional<Number> low = parse(part.substr(0, dash));
  const std::optional<Number> high = parse(part.substr(dash + 1));
  return (!low || number >= *low) && (!high || number <= *high);
}

bool is_allowed_integer(const Parameter& parameter, std::string_view value) {
  const std::optional<std::int64_t> number = parse_integer(value);
  if (!number) {
    return false;
  }
  const std::optional<std::int64_t> most = parse_integer(parameter.engine_max);
  if (most && *number > *most) {
    return false;
  }
  const std::vector<std::string> parts = split(parameter.allowed_values, ',');
  return std::any_of(parts.begin(), parts.end(), [&](const std::string& part) {
    return in_range<std::int64_t>(part, *number, parse_integer);
  });
}

bool is_allowed_decimal(const Parameter& parameter, std::string_view value) {
  const std::optional<double> number = parse_decimal(value);
  return number && in_range<double>(parameter.allowed_values, *number, parse_decimal);
}

bool is_one_of(std::string_view allowed, std::string_view value) {
  const std::vector<std::string> parts = split(allowed, ',');
  return std::find(parts.begin(), parts.end(), value) != parts.end();
}

// `NAME new-name NAME new-name ...`
bool are_renamed_commands(const Parameter& parameter, std::string_view value) {
  std::vector<std::string> words = split(value, ' ');
  std::erase(words, "");
  if (words.size() % 2 != 0) {
    return false;
  }
  const std::string allowed = to_lower(parameter.allowed_values);
  for (std::size_t i = 0; i < words.size(); i += 2) {
    if (!is_one_of(allowed, to_lower(words[i]))) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool is_allowed_value(const Parameter& parameter, std::string_view value) {
  // What goes into a configuration file must stay on its line.
  const bool printable =
      std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (!printable || value.size() > kLongestValue) {
    return false;
  }
  if (!parameter.characters.empty()) {
    return value.find_first_not_of(parameter.characters) == std::string_view::npos;
  }
  if (parameter.space_separated) {
    return are_renamed_commands(parameter, value);
  }
  if (parameter.data_type == "integer") {
    return is_allowed_integer(parameter, value);
  }
  if (parameter.data_type == "float") {
    return is_allowed_decimal(parameter, value);
  }
  return is_one_of(parameter.allowed_values, value);
}

}  // namespace hikae::core
