#pragma once

#include <string>

#include "base/result.h"

namespace hikae::app {

// What `engines.fence_module` and `engines.keeper` say for: there is to be none.
inline constexpr const char* kNoFence = "none";

// The module by which engines refuse writes without a lease: the configured file, else the one that
// was installed with this program. kNotFound, kDenied, kInvalid: engines could not load it, so that
// they would not start with it; the message says why.
Result<std::string> find_fence_module(const std::string& configured);

// Likewise the program that stops engines which cannot load the module.
Result<std::string> find_keeper(const std::string& configured);

// The fences of a host's engines.
struct Fences {
  std::string module;   // empty: no engine has it
  std::string keeper;   // empty: those without the module have no fence
  std::string problem;  // one line for the operator: what is missing, and what follows from that
};
Fences find_fences(const std::string& module, const std::string& keeper);

// Likewise the module by which an engine takes clients with and without TLS on one port, which was
// installed with this program.
Result<std::string> find_front_module();

}  // namespace hikae::app
