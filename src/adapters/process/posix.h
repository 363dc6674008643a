#pragma once

#include <string>

#include "base/descriptor.h"
#include "base/result.h"

namespace hikae::adapters {

// `<what>: <words of the errno>`, with the code that fits the errno.
tl::unexpected<Error> posix_failure(int error_number, const std::string& what);

}  // namespace hikae::adapters
