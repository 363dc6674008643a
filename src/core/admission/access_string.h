#pragma once

#include <optional>
#include <string_view>

#include "core/admission/admission.h"

namespace hikae::core {

inline constexpr std::size_t kMaxAccessString = 16 * 1024;  // the largest real ones have some 100

// What of a user's access string an engine would not take, or must not be in one: passwords, and
// whatever forgets what stands before it. InvalidParameterValue; nullopt: it is fine. Every access
// string that passes is one that Redis 7.0 and Valkey 8.0 take (`engine` is the user's).
std::optional<Fault> invalid_access_string(std::string_view text, std::string_view engine);

}  // namespace hikae::core
