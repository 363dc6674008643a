#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <sys/types.h>
#include <utility>
#include <vector>

#include "adapters/process/posix.h"
#include "control/ports.h"

namespace hikae::adapters {

// What /proc/<pid>/stat says, as far as we ask.
struct ProcessStat {
  char state = '?';  // R, S, D, T, Z, X...
  std::int64_t parent = 0;
  std::int64_t session = 0;
  std::int64_t terminal = 0;  // 0: none
  std::uint64_t start_time = 0;
  std::uint64_t flags = 0;      // PF_* of the kernel
  std::uint64_t cpu_ticks = 0;  // user and system time
  std::uint64_t pending = 0;    // a bit for each signal that the first thread has yet to take
};

// Neither a zombie nor on the way out of the table.
bool is_alive(const ProcessStat& stat);
// The kernel is taking it down, or will once it gets a processor: none of its code runs any more.
// Every thread that was killed has the signal pending, and takes it before anything else. All that
// may still happen is the rest of a system call that it was in.
bool is_exiting(const ProcessStat& stat);

// nullopt when there is no such process.
std::optional<ProcessStat> read_process_stat(std::int64_t pid);
// The file, for reading it many times; empty when there is no such process. What it says is always
// of the process that had the pid when it was opened.
Descriptor open_process_stat(std::int64_t pid);
std::optional<ProcessStat> read_process_stat(const Descriptor& file);
// The same of /proc/<pid>/statm.
Descriptor open_process_memory(std::int64_t pid);
// The process has given its memory back, as it does first of all when it ends, or is gone.
bool has_no_memory(const Descriptor& file);
// The text of a stat file; the program's name in it may hold blanks and brackets.
std::optional<ProcessStat> parse_process_stat(std::string_view text);

// A directory, whatever its path is in the mount namespace of whoever uses it.
using DirectoryId = std::pair<dev_t, ino_t>;

// The engine that works in each directory: of all processes with this working directory the session
// leader without a terminal. So neither a child that an engine forked nor the shell of somebody who
// looks around counts. Processes that we may not look into are left out.
std::multimap<DirectoryId, control::Process> find_session_leaders();

// Any living process in the directory, children of engines included.
bool has_process(DirectoryId directory);

}  // namespace hikae::adapters
