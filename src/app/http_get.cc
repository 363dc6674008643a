#include "app/http_get.h"

#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/time.h>

#include <fmt/format.h>

#include "base/descriptor.h"
#include "base/strings.h"

namespace hikae::app {
namespace {

Result<HttpReply> parse_reply(std::string_view response) {
  const auto end_of_head = response.find("\r\n\r\n");
  const auto blank = response.find(' ');
  if (end_of_head == std::string_view::npos || response.substr(0, 5) != "HTTP/" ||
      blank == std::string_view::npos) {
    return fail(ErrorCode::kInternal, "the answer is not HTTP");
  }
  const auto status = parse_integer(response.substr(blank + 1, 3));
  if (!status) {
    return fail(ErrorCode::kInternal, "the answer is not HTTP");
  }
  return HttpReply{int(*status), std::string(response.substr(end_of_head + 4))};
}

std::string request_text(const SocketAddress& address, const HttpCall& call) {
  std::string out = fmt::format("{} {} HTTP/1.0\r\nHost: {}\r\nConnection: close\r\n", call.method,
                                call.path, address.str());
  for (const auto& [name, value] : call.headers) {
    out += fmt::format("{}: {}\r\n", name, value);
  }
  if (!call.body.empty()) {
    out += fmt::format("Content-Length: {}\r\n", call.body.size());
  }
  return out + "\r\n" + call.body;
}

// HTTP/1.0, so that the end of the connection is the end of the body and nothing comes in chunks.
Result<HttpReply> exchange(int fd, const SocketAddress& address, const HttpCall& call) {
  sockaddr_in where = {};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(address.address.bits());
  where.sin_port = htons(address.port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) {
    return fail(ErrorCode::kUnavailable, std::strerror(errno));
  }
  const std::string request = request_text(address, call);
  if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) != ssize_t(request.size())) {
    return fail(ErrorCode::kUnavailable, std::strerror(errno));
  }
  std::string response;
  char buffer[16384];
  for (;;) {
    const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
    if (got < 0) {
      return fail(errno == EAGAIN ? ErrorCode::kTimeout : ErrorCode::kUnavailable,
                  std::strerror(errno));
    }
    if (got == 0) {
      return parse_reply(response);
    }
    response.append(buffer, std::size_t(got));
    if (response.size() > kMaxHttpBytes) {
      return fail(ErrorCode::kExhausted, "the answer is too large");
    }
  }
}

}  // namespace

Result<HttpReply> http_call(const SocketAddress& address, const HttpCall& call, int timeout_ms) {
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) {
    return fail(ErrorCode::kExhausted, std::strerror(errno));
  }
  const timeval limit = {timeout_ms / 1000, (timeout_ms % 1000) * 1000};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  auto reply = exchange(socket.get(), address, call);
  if (!reply) {
    reply.error().message =
        fmt::format("http://{}{}: {}", address.str(), call.path, reply.error().message);
  }
  return reply;
}

Result<std::string> http_get(const SocketAddress& address, const std::string& path,
                             int timeout_ms) {
  HttpCall call;
  call.path = path;
  auto reply = http_call(address, call, timeout_ms);
  if (!reply) {
    return tl::unexpected(reply.error());
  }
  if (reply->status != 200) {
    return fail(ErrorCode::kInternal,
                fmt::format("http://{}{}: answered {}", address.str(), path, reply->status));
  }
  return std::move(reply->body);
}

}  // namespace hikae::app
