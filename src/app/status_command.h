#pragma once

#include <cstdint>
#include <string>

namespace hikae::app {

// `hikae status`: the region at a glance. Answers the exit code, as all commands here: 0, or 1 with
// one line on stderr.
struct StatusCommand {
  std::string data_directory;
  bool json = false;
};
int run_status(const StatusCommand& command);

// `hikae events`: the newest ones, and with `follow` those that come, until it is interrupted.
struct EventsCommand {
  std::string data_directory;
  std::string source;  // a cache's id, or a type of sources; empty: all
  std::uint64_t last = 20;
  bool follow = false;
  bool json = false;
};
int run_events(const EventsCommand& command);

}  // namespace hikae::app
