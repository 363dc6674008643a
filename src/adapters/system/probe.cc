#include "adapters/system/probe.h"

#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

namespace hikae::adapters {
namespace {

bool child_may_unshare(int flags) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(::unshare(flags) == 0 ? 0 : 1);
  }
  int status = 0;
  return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) &&
         WEXITSTATUS(status) == 0;
}

}  // namespace

Status probe_bind(ListeningSocket::Protocol protocol, Ipv4 address, std::uint16_t port) {
  const bool tcp = protocol == ListeningSocket::Protocol::kTcp;
  const int fd = ::socket(AF_INET, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return fail(ErrorCode::kExhausted, fmt::format("no socket: {}", std::strerror(errno)));
  }
  const int on = 1;
  if (tcp) {
    // As servers do, so that connections that are only closing do not count.
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  }
  sockaddr_in where = {};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(address.bits());
  where.sin_port = htons(port);
  const bool bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0 &&
                     (!tcp || ::listen(fd, 1) == 0);
  const int error = errno;
  ::close(fd);
  if (bound) {
    return {};
  }
  const ErrorCode code = error == EADDRINUSE                 ? ErrorCode::kConflict
                         : error == EACCES || error == EPERM ? ErrorCode::kDenied
                         : error == EADDRNOTAVAIL            ? ErrorCode::kUnavailable
                                                             : ErrorCode::kInternal;
  return fail(code, fmt::format("{}:{}: {}", address.str(), port, std::strerror(error)));
}

NamespaceSupport probe_mount_namespace() {
  if (child_may_unshare(CLONE_NEWNS)) {
    return NamespaceSupport::kDirect;
  }
  if (child_may_unshare(CLONE_NEWUSER | CLONE_NEWNS)) {
    return NamespaceSupport::kUnprivileged;
  }
  return NamespaceSupport::kNone;
}

}  // namespace hikae::adapters
