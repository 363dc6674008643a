#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace hikae::adapters {

// The absolute path of a program on our PATH.
std::optional<std::string> find_on_path(const std::string& name);

// Runs the program and returns what it prints, at most 4 KiB. kTimeout after two seconds. Blocks.
Result<std::string> run_and_capture(const std::string& program,
                                    const std::vector<std::string>& arguments);

}  // namespace hikae::adapters
