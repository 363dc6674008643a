#pragma once

#include <string>
#include <utility>
#include <vector>

#include "app/config.h"
#include "base/result.h"

namespace hikae::app {

inline constexpr std::size_t kMaxHttpBytes = 8 * 1024 * 1024;

struct HttpCall {
  std::string method = "GET";
  std::string path;
  // Beside Host, Content-Length and Connection.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct HttpReply {
  int status = 0;
  std::string body;
};

// The answer, whatever its status; blocks for at most `timeout_ms`. kUnavailable: nobody listens;
// kTimeout; kInternal: the answer is not HTTP.
Result<HttpReply> http_call(const SocketAddress& address, const HttpCall& call, int timeout_ms);

// The body of `http://<address><path>`, for talking to our own serve; blocks for at most
// `timeout_ms`. kUnavailable: nobody listens; kTimeout; kInternal: any status but 200.
Result<std::string> http_get(const SocketAddress& address, const std::string& path, int timeout_ms);

}  // namespace hikae::app
