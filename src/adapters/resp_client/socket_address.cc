#include "adapters/resp_client/socket_address.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <fmt/format.h>

namespace hikae::resp {

namespace {

namespace asio = boost::asio;

// sun_path with its terminating zero.
constexpr std::size_t kMaxUnixPath = sizeof(sockaddr_un::sun_path) - 1;

}  // namespace

Result<SocketAddress> SocketAddress::of(const Target& target) {
  SocketAddress result;
  if (target.unix_path.empty()) {
    result.endpoint_ =
        asio::ip::tcp::endpoint(asio::ip::address_v4(target.address.bits()), target.port);
    return result;
  }
  const std::string& path = target.unix_path;
  if (path.size() <= kMaxUnixPath) {
    result.endpoint_ = asio::local::stream_protocol::endpoint(path);
    return result;
  }
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const std::string file = slash == std::string::npos ? path : path.substr(slash + 1);
  result.directory_ = ::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (result.directory_ < 0) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("cannot connect to {}: {}", target.str(), std::strerror(errno)));
  }
  const std::string short_path = fmt::format("/proc/self/fd/{}/{}", result.directory_, file);
  if (short_path.size() > kMaxUnixPath) {
    return fail(
        ErrorCode::kInvalid,
        fmt::format("cannot connect to {}: the socket's file name is too long", target.str()));
  }
  result.endpoint_ = asio::local::stream_protocol::endpoint(short_path);
  return result;
}

SocketAddress::SocketAddress(SocketAddress&& other) noexcept
    : endpoint_(other.endpoint_), directory_(std::exchange(other.directory_, -1)) {}

SocketAddress::~SocketAddress() {
  if (directory_ >= 0) {
    ::close(directory_);
  }
}

}  // namespace hikae::resp
