#pragma once

#include <string>

#include "app/config.h"
#include "base/result.h"

namespace hikae::app {

inline constexpr std::size_t kMaxHttpBytes = 8 * 1024 * 1024;

// The body of `http://<address><path>`, for talking to our own serve; blocks for at most
// `timeout_ms`. kUnavailable: nobody listens; kTimeout; kInternal: any status but 200.
Result<std::string> http_get(const SocketAddress& address, const std::string& path, int timeout_ms);

}  // namespace hikae::app
