#pragma once

#include <string>

#include "base/time.h"

namespace hikae::app {

// `hikae host ...`: asks the serve that runs on a data directory.
struct HostCommand {
  std::string data_directory;
  std::string action;  // as in HostRequest
  std::string host;
  bool lost = false;
  Duration lifetime{};      // token
  Duration timeout{};       // drain; zero: until it is done
  std::string output_file;  // token: goes there (0600) and not to stdout
};

// Answers the exit code: 0, or 1 with one line on stderr.
int run_host(const HostCommand& command);

}  // namespace hikae::app
