#include "adapters/process/proc_files.h"

#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>

#include <fmt/format.h>

#include "base/strings.h"

namespace hikae::adapters {
namespace {

// Calls visit(pid, directory) for each process whose working directory we may see.
template <class Visit>
void for_each_process(Visit visit) {
  DIR* proc = ::opendir("/proc");
  if (!proc) {
    return;
  }
  while (const dirent* entry = ::readdir(proc)) {
    const auto pid = parse_integer(entry->d_name);
    struct stat cwd{};
    if (pid && *pid > 0 && ::stat(fmt::format("/proc/{}/cwd", *pid).c_str(), &cwd) == 0) {
      visit(*pid, DirectoryId(cwd.st_dev, cwd.st_ino));
    }
  }
  ::closedir(proc);
}

}  // namespace

bool is_alive(const ProcessStat& stat) {
  return stat.state != 'Z' && stat.state != 'X';
}

bool is_exiting(const ProcessStat& stat) {
  constexpr std::uint64_t kExiting = 0x4;  // PF_EXITING, include/linux/sched.h
  constexpr std::uint64_t kKill = std::uint64_t(1) << (SIGKILL - 1);
  return !is_alive(stat) || (stat.flags & kExiting) != 0 || (stat.pending & kKill) != 0;
}

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
  const auto name_end = text.rfind(')');
  if (name_end == std::string_view::npos || name_end + 2 >= text.size()) {
    return std::nullopt;
  }
  // Read every few milliseconds for every primary: no copy is made.
  const char* at = text.data() + name_end + 2;
  const char* const end = text.data() + text.size();
  ProcessStat out;
  out.state = *at++;  // field 3 in proc(5); numbers from the fourth on
  constexpr std::size_t kParent = 4, kSession = 6, kTerminal = 7, kFlags = 9;
  constexpr std::size_t kUserTime = 14, kSystemTime = 15, kStartTime = 22, kPending = 31;
  std::array<std::uint64_t, kPending + 1> numbers{};
  for (std::size_t field = kParent; field <= kPending; ++field) {
    if (at == end || *at != ' ') {
      return std::nullopt;
    }
    // Some are below zero, and one of them has all of 64 bits.
    std::int64_t below_zero = 0;
    const bool is_below = at + 1 != end && at[1] == '-';
    const auto [next, error] = is_below ? std::from_chars(at + 1, end, below_zero)
                                        : std::from_chars(at + 1, end, numbers[field]);
    if (error != std::errc()) {
      return std::nullopt;
    }
    numbers[field] = is_below ? std::uint64_t(below_zero) : numbers[field];
    at = next;
  }
  out.parent = std::int64_t(numbers[kParent]);
  out.session = std::int64_t(numbers[kSession]);
  out.terminal = std::int64_t(numbers[kTerminal]);
  out.start_time = numbers[kStartTime];
  out.flags = numbers[kFlags];
  out.cpu_ticks = numbers[kUserTime] + numbers[kSystemTime];
  out.pending = numbers[kPending];
  return out;
}

std::optional<ProcessStat> read_process_stat(std::int64_t pid) {
  return read_process_stat(open_process_stat(pid));
}

Descriptor open_process_stat(std::int64_t pid) {
  return Descriptor(::open(fmt::format("/proc/{}/stat", pid).c_str(), O_RDONLY | O_CLOEXEC));
}

std::optional<ProcessStat> read_process_stat(const Descriptor& file) {
  char buffer[1024];
  const ssize_t size = file ? ::pread(file.get(), buffer, sizeof buffer, 0) : -1;
  return size > 0 ? parse_process_stat(std::string_view(buffer, std::size_t(size))) : std::nullopt;
}

Descriptor open_process_memory(std::int64_t pid) {
  return Descriptor(::open(fmt::format("/proc/{}/statm", pid).c_str(), O_RDONLY | O_CLOEXEC));
}

bool has_no_memory(const Descriptor& file) {
  char buffer[128];
  const ssize_t size = file ? ::pread(file.get(), buffer, sizeof buffer, 0) : -1;
  return size <= 0 || std::string_view(buffer, std::size_t(size)).starts_with("0 ");
}

std::multimap<DirectoryId, control::Process> find_session_leaders() {
  std::multimap<DirectoryId, control::Process> out;
  for_each_process([&](std::int64_t pid, DirectoryId directory) {
    const auto stat = read_process_stat(pid);
    if (stat && is_alive(*stat) && stat->session == pid && stat->terminal == 0) {
      out.emplace(directory, control::Process{pid, stat->start_time});
    }
  });
  return out;
}

bool has_process(DirectoryId directory) {
  bool found = false;
  for_each_process([&](std::int64_t pid, DirectoryId used) {
    if (used == directory && !found) {
      const auto stat = read_process_stat(pid);
      found = stat && is_alive(*stat);
    }
  });
  return found;
}

}  // namespace hikae::adapters
