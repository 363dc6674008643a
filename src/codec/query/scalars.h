#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace hikae::codec {

// The scalars of a query request. nullopt means that the text is not of that type; the caller knows
// the parameter's name and says so.

// `true` and `false` in any case, `1` and `0`.
std::optional<bool> parse_bool(std::string_view text);
std::optional<std::int32_t> parse_int32(std::string_view text);
std::optional<std::int64_t> parse_int64(std::string_view text);
// Finite decimal numbers only: no `inf`, `nan` or hexadecimal.
std::optional<double> parse_double(std::string_view text);
// Every form of parse_iso8601, and whole or fractional seconds since 1970 as some clients send.
std::optional<Instant> parse_timestamp(std::string_view text);

}  // namespace hikae::codec
