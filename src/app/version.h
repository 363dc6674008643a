#pragma once

#include <string>

namespace hikae::app {

// `0.1.0`
std::string version();

// `hikae 0.1.0 (commit 1a2b3c4, Debian Clang 19.1.7)`; the commit only where the build knew it.
std::string version_line();

}  // namespace hikae::app
