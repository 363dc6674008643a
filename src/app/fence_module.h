#pragma once

#include <string>

#include "base/result.h"

namespace hikae::app {

// What `engines.fence_module` says for: engines are to have none.
inline constexpr const char* kNoFenceModule = "none";

// The module by which engines refuse writes without a lease: the configured file, else the one that
// was installed with this program. kNotFound, kDenied, kInvalid: engines could not load it, so that
// they would not start with it; the message says why.
Result<std::string> find_fence_module(const std::string& configured);

// Likewise the module by which an engine takes clients with and without TLS on one port, which was
// installed with this program.
Result<std::string> find_front_module();

}  // namespace hikae::app
