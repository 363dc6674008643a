#include "app/name_keeper.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "app/http_get.h"
#include "app/resolver_files.h"

namespace hikae::app {
namespace {

// How late a moved name may be in the shell; DNS itself has a time to live of 5 s.
constexpr int kRefreshMs = 250;
constexpr int kFetchTimeoutMs = 2'000;

[[noreturn]] void keep(PrivateFile hosts, const std::string& original, SocketAddress api,
                       int watched) {
  ::setsid();
  std::string last;
  for (;;) {
    pollfd wait = {watched, POLLIN, 0};
    const int ready = ::poll(&wait, 1, kRefreshMs);
    if (ready > 0 || (ready < 0 && errno != EINTR)) {
      ::_exit(0);
    }
    const auto names = http_get(api, kNamesPath, kFetchTimeoutMs);
    if (!names || *names == last) {
      continue;  // while serve is away the last names are the best ones
    }
    const auto content = private_hosts(original, *names);
    if (content && hosts.replace(*content)) {
      last = *names;
    }
  }
}

// Leaves nothing open but the two, so that nobody who reads our output to its end waits for us.
void close_all_but(int first, int second) {
  const auto low = unsigned(std::min(first, second));
  const auto high = unsigned(std::max(first, second));
  const auto close_range = [](unsigned from, unsigned to) {
    if (from <= to) {
      ::syscall(SYS_close_range, from, to, 0);
    }
  };
  close_range(0, low - 1);
  close_range(low + 1, high - 1);
  close_range(high + 1, ~0u);
}

}  // namespace

Status start_name_keeper(PrivateFile hosts, std::string original, SocketAddress api) {
  const int watched = int(::syscall(SYS_pidfd_open, ::getpid(), 0));
  if (watched < 0) {
    return fail(ErrorCode::kInternal, fmt::format("pidfd_open: {}", std::strerror(errno)));
  }
  const pid_t middle = ::fork();
  if (middle == 0) {
    const pid_t keeper = ::fork();
    if (keeper != 0) {
      ::_exit(keeper > 0 ? 0 : 1);
    }
    close_all_but(hosts.descriptor(), watched);
    keep(hosts, original, api, watched);
  }
  ::close(watched);
  int status = 0;
  if (middle < 0 || ::waitpid(middle, &status, 0) != middle || status != 0) {
    return fail(ErrorCode::kExhausted, "no process for keeping the names up to date");
  }
  return {};
}

}  // namespace hikae::app
