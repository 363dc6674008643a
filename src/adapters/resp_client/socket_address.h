#pragma once

#include <string>

#include <boost/asio/generic/stream_protocol.hpp>

#include "adapters/resp_client/connection.h"
#include "base/result.h"

namespace hikae::resp {

// A target as an endpoint to connect to. A Unix path that is too long for a socket address is
// reached through /proc/self/fd, so the endpoint is valid as long as this object.
class SocketAddress {
 public:
  static Result<SocketAddress> of(const Target& target);

  SocketAddress(SocketAddress&& other) noexcept;
  SocketAddress& operator=(SocketAddress&&) = delete;
  ~SocketAddress();

  const boost::asio::generic::stream_protocol::endpoint& endpoint() const { return endpoint_; }

 private:
  SocketAddress() = default;

  boost::asio::generic::stream_protocol::endpoint endpoint_;
  int directory_ = -1;  // open while a long path is in use
};

}  // namespace hikae::resp
