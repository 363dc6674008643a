#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

#include "base/result.h"

namespace hikae::app {

// The processes whose working directory lies below `nodes_directory`: the engines of a region.
std::vector<pid_t> engine_processes(const std::string& nodes_directory);

// `hikae down`: stops the serve of the region if one runs, then every engine, and prints what it
// did. The state stays; a later serve starts the engines again. Answers the exit code.
int run_down(const std::string& data_directory);

}  // namespace hikae::app
