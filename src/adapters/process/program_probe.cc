#include "adapters/process/program_probe.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>

#include <fmt/format.h>

#include "adapters/process/child.h"
#include "adapters/process/posix.h"
#include "base/strings.h"

namespace hikae::adapters {
namespace {

constexpr auto kPatience = std::chrono::seconds(2);
constexpr std::size_t kMostOutput = 4096;

Result<std::string> read_output(int fd, const std::string& program) {
  using std::chrono::milliseconds;
  using std::chrono::steady_clock;
  const auto end = steady_clock::now() + kPatience;
  std::string out;
  while (out.size() < kMostOutput) {
    const auto left = std::chrono::duration_cast<milliseconds>(end - steady_clock::now());
    pollfd waiting{fd, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, int(std::max<std::int64_t>(left.count(), 0)));
    if (ready == 0) {
      return fail(ErrorCode::kTimeout, fmt::format("{} did not answer in time", program));
    }
    char buffer[1024];
    const ssize_t size = ready > 0 ? ::read(fd, buffer, sizeof buffer) : -1;
    if (size < 0 && errno != EINTR) {
      return posix_failure(errno, fmt::format("cannot read what {} prints", program));
    }
    if (size == 0) {
      break;
    }
    out.append(buffer, std::size_t(std::max<ssize_t>(size, 0)));
  }
  return out;
}

}  // namespace

std::optional<std::string> find_on_path(const std::string& name) {
  const char* path = std::getenv("PATH");
  for (const std::string& folder : split(path ? path : "/usr/local/bin:/usr/bin:/bin", ':')) {
    const std::string candidate = folder + "/" + name;
    if (folder.starts_with('/') && ::access(candidate.c_str(), X_OK) == 0) {
      return candidate;
    }
  }
  return std::nullopt;
}

Result<std::string> run_and_capture(const std::string& program,
                                    const std::vector<std::string>& arguments) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return posix_failure(errno, fmt::format("cannot run {}", program));
  }
  const Descriptor read_end(ends[0]);
  Descriptor write_end(ends[1]);
  const Descriptor root(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ChildSpec spec;
  spec.program = program;
  spec.arguments = arguments;
  spec.directory = root.get();
  spec.output = write_end.get();
  const auto pid = spawn_child(spec);
  write_end.reset();
  if (!pid) {
    return tl::unexpected(pid.error());
  }
  auto out = read_output(read_end.get(), program);
  ::kill(*pid, SIGKILL);  // it has ended, or has had its time
  while (::waitpid(*pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return out;
}

}  // namespace hikae::adapters
