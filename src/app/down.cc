#include "app/down.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <optional>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

#include "adapters/system/data_directory.h"
#include "adapters/system/proc.h"
#include "adapters/system/real_clock.h"
#include "app/lease_files.h"

namespace hikae::app {
namespace {

constexpr Duration kServeStopLimit = std::chrono::seconds(20);
constexpr Duration kEngineStopLimit = std::chrono::seconds(10);
constexpr Duration kKillLimit = std::chrono::seconds(5);
// A serve in a crash loop of its supervisor could start engines again while we stop them; with the
// lock in our hands it cannot, so a second look is enough.
constexpr int kMaxRounds = 3;

// A process held by descriptor, so that a recycled pid is never signalled.
class HeldProcess {
 public:
  explicit HeldProcess(pid_t pid) : pid_(pid), fd_(int(::syscall(SYS_pidfd_open, pid, 0))) {}
  ~HeldProcess() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  HeldProcess(HeldProcess&& other) noexcept : pid_(other.pid_), fd_(std::exchange(other.fd_, -1)) {}
  HeldProcess& operator=(HeldProcess&&) = delete;
  pid_t pid() const { return pid_; }
  bool valid() const { return fd_ >= 0; }
  bool signal(int number) const {
    return ::syscall(SYS_pidfd_send_signal, fd_, number, nullptr, 0) == 0;
  }
  // True when the process is gone before the limit.
  bool wait_exit(Monotonic limit) const {
    const adapters::RealClock clock;
    for (;;) {
      const Duration left = limit - clock.monotonic();
      pollfd wait = {fd_, POLLIN, 0};
      const int left_ms = left.count() > 0 ? int(left.count() / 1000) + 1 : 0;
      const int ready = ::poll(&wait, 1, left_ms);
      if (ready > 0) {
        return true;
      }
      if (ready == 0 || errno != EINTR) {
        return false;
      }
    }
  }

 private:
  pid_t pid_;
  int fd_;
};

bool is_below(const std::string& path, const std::string& directory) {
  return path.compare(0, directory.size() + 1, directory + "/") == 0;
}

// Holds every engine. Its directory is read again after the descriptor is open, because the pid may
// have changed hands in between.
std::vector<HeldProcess> hold_engines(const std::string& nodes_directory) {
  std::vector<HeldProcess> engines;
  for (const pid_t pid : engine_processes(nodes_directory)) {
    HeldProcess held(pid);
    std::error_code error;
    const auto directory =
        std::filesystem::read_symlink(fmt::format("/proc/{}/cwd", pid), error).string();
    if (held.valid() && is_below(directory, nodes_directory)) {
      engines.push_back(std::move(held));
    }
  }
  return engines;
}

// Stops serve, if one runs, and takes its lock.
Result<adapters::DataDirectory> take_over(const std::string& data_directory) {
  const auto holder = adapters::lock_holder(data_directory);
  if (!holder) {
    return adapters::DataDirectory::open(data_directory);
  }
  const HeldProcess serve(*holder);
  if (!serve.valid() || !serve.signal(SIGTERM)) {
    return fail(ErrorCode::kDenied,
                fmt::format("hikae serve with pid {} holds {} and cannot be stopped: {}; stop it "
                            "first, as the user who started it",
                            *holder, data_directory, std::strerror(errno)));
  }
  const adapters::RealClock clock;
  if (!serve.wait_exit(clock.monotonic() + kServeStopLimit)) {
    return fail(ErrorCode::kTimeout,
                fmt::format("hikae serve with pid {} did not stop; stop it (kill -9 {}) and call "
                            "hikae down again",
                            *holder, *holder));
  }
  fmt::print("stopped hikae serve (pid {})\n", *holder);
  return adapters::DataDirectory::open(data_directory);
}

// Number of engines that are left after asking, then forcing.
std::size_t stop_engines(const std::string& nodes_directory) {
  const adapters::RealClock clock;
  for (int round = 0; round < kMaxRounds; ++round) {
    const std::vector<HeldProcess> engines = hold_engines(nodes_directory);
    if (engines.empty()) {
      return 0;
    }
    for (const HeldProcess& engine : engines) {
      engine.signal(SIGTERM);
    }
    const Monotonic limit = clock.monotonic() + kEngineStopLimit;
    for (const HeldProcess& engine : engines) {
      const bool orderly = engine.wait_exit(limit);
      if (!orderly) {
        engine.signal(SIGKILL);
        engine.wait_exit(clock.monotonic() + kKillLimit);
      }
      fmt::print("{} engine (pid {})\n", orderly ? "stopped" : "killed", engine.pid());
    }
  }
  return engine_processes(nodes_directory).size();
}

}  // namespace

std::vector<pid_t> engine_processes(const std::string& nodes_directory) {
  std::vector<pid_t> pids;
  for (const adapters::RunningProcess& process : adapters::running_processes()) {
    if (is_below(process.working_directory, nodes_directory)) {
      pids.push_back(process.pid);
    }
  }
  return pids;
}

int run_down(const std::string& given) {
  const std::string data_directory = adapters::absolute_path(given);
  std::error_code error;
  if (!std::filesystem::is_directory(data_directory, error)) {
    fmt::print(stderr, "hikae down: there is no region in {}\n", data_directory);
    return 1;
  }
  const auto lock = take_over(data_directory);
  if (!lock) {
    fmt::print(stderr, "hikae down: {}\n", lock.error().message);
    return 1;
  }
  const std::size_t left = stop_engines(lock->nodes_path());
  if (left > 0) {
    fmt::print(stderr, "hikae down: {} engine processes could not be stopped\n", left);
    return 1;
  }
  // An agent that was killed has left them.
  adapters::LeaseMemory::remove_all(lease_files(lock->path()));
  fmt::print("nothing of {} is running; its state is kept\n", data_directory);
  return 0;
}

}  // namespace hikae::app
