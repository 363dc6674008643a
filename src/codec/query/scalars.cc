#include "codec/query/scalars.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "base/strings.h"

namespace hikae::codec {

std::optional<bool> parse_bool(std::string_view text) {
  if (text == "1" || equals_ignoring_case(text, "true")) {
    return true;
  }
  if (text == "0" || equals_ignoring_case(text, "false")) {
    return false;
  }
  return std::nullopt;
}

std::optional<std::int64_t> parse_int64(std::string_view text) {
  return parse_integer(text);
}

std::optional<std::int32_t> parse_int32(std::string_view text) {
  const auto wide = parse_integer(text);
  if (!wide || *wide < std::numeric_limits<std::int32_t>::min() ||
      *wide > std::numeric_limits<std::int32_t>::max()) {
    return std::nullopt;
  }
  return std::int32_t(*wide);
}

std::optional<double> parse_double(std::string_view text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || stop != end || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::optional<Instant> parse_timestamp(std::string_view text) {
  // 9999-12-31T23:59:59Z, the last instant that the ISO form can say.
  constexpr double kMaxSeconds = 253402300799.0;
  if (const auto instant = parse_iso8601(text)) {
    return instant;
  }
  const auto seconds = parse_double(text);
  if (!seconds || *seconds < 0 || *seconds > kMaxSeconds) {
    return std::nullopt;
  }
  return Instant(std::llround(*seconds * 1e6));
}

}  // namespace hikae::codec
