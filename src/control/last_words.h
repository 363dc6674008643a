#pragma once

#include <cstdint>
#include <string>

namespace hikae::control {

// The last line that the process of this pid wrote to an engine's log, without
// `<pid>:<role> <time> <level>`, shortened for one line of ours; empty when it wrote none.
std::string last_words(const std::string& log, std::int64_t pid);

// The last line of what a process printed, shortened likewise.
std::string last_line(const std::string& output);

}  // namespace hikae::control
