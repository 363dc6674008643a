#pragma once

#include <cstdint>
#include <string>

namespace hikae::control {

// The last line that the process of this pid wrote to an engine's log, without
// `<pid>:<role> <time> <level>`, shortened for one line of ours; empty when it wrote none.
std::string last_words(const std::string& log, std::int64_t pid);

}  // namespace hikae::control
