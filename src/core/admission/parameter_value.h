#pragma once

#include <string_view>

#include "core/catalog/catalog.h"

namespace hikae::core {

// Whether `value` may be given to `parameter`: it must fit the data type, the allowed values as the
// API writes them (`a,b`, `1-10`, `0-`, `0,20-`, `-` for any integer) and what the engine accepts.
bool is_allowed_value(const Parameter& parameter, std::string_view value);

}  // namespace hikae::core
