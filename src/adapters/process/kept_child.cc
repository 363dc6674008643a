#include "adapters/process/kept_child.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <sys/wait.h>

#include <fmt/format.h>

#include "adapters/process/posix.h"
#include "base/strings.h"

namespace hikae::adapters {
namespace {

// For an execution on a machine that swaps.
constexpr auto kPatience = std::chrono::seconds(10);

bool wait_readable(int fd, std::chrono::steady_clock::time_point deadline) {
  using std::chrono::milliseconds;
  const auto left =
      std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
  pollfd entry{fd, POLLIN, 0};
  const int ready = left > milliseconds(0) ? ::poll(&entry, 1, int(left.count())) : 0;
  return ready > 0 || (ready < 0 && errno == EINTR);
}

// The line that the keeper writes; nullopt when it ended before, or takes too long.
std::optional<pid_t> read_pid(int fd) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  std::string text;
  while (!text.ends_with('\n')) {
    char buffer[32];
    const ssize_t size = wait_readable(fd, deadline) ? ::read(fd, buffer, sizeof buffer) : 0;
    if (size == 0 || (size < 0 && errno != EINTR && errno != EAGAIN)) {
      return std::nullopt;
    }
    text.append(buffer, std::size_t(size > 0 ? size : 0));
  }
  text.pop_back();
  const auto pid = parse_integer(text);
  return pid && *pid > 0 ? std::optional(pid_t(*pid)) : std::nullopt;
}

// Also of what it may have started.
void end_keeper(pid_t keeper) {
  ::kill(keeper, SIGKILL);
  while (::waitpid(keeper, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace

Result<KeptChild> spawn_kept_child(ChildSpec spec, const std::string& keeper,
                                   const std::string& lease) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    return posix_failure(errno, "cannot start a process");
  }
  const Descriptor read_end(ends[0]);
  Descriptor write_end(ends[1]);
  const std::string program = std::move(spec.program);
  spec.arguments.insert(spec.arguments.begin(), {lease, program});
  spec.program = keeper;
  spec.told = write_end.get();
  const auto pid = spawn_child(spec);
  if (!pid) {
    return tl::unexpected(pid.error());
  }
  write_end.reset();
  const auto child = read_pid(read_end.get());
  if (!child) {
    end_keeper(*pid);
    return fail(ErrorCode::kUnavailable, fmt::format("{} did not start {}", keeper, program));
  }
  return KeptChild{*pid, *child};
}

}  // namespace hikae::adapters
