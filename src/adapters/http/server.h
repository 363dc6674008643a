#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "base/result.h"

namespace hikae::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

// One request, whole and as received: the target is not decoded, headers keep their order.
struct Request {
  std::string method;
  std::string target;
  Headers headers;
  std::string body;
  std::string peer;  // `address:port`
  bool peer_is_loopback = false;
};

// Content-Length, Connection and Date are the server's; a handler must not set them.
struct Response {
  int status = 200;
  Headers headers;
  std::string body;
};

// Called once a request is complete. One call at a time per connection, many connections at once,
// all on the io_context. When it throws, the client is told 500.
using Handler = std::function<boost::asio::awaitable<Response>(Request)>;

// The answer to what never reaches the handler: 400 malformed, 413 body too large, 431 header too
// large, 500 the handler threw, 503 too many connections. A client that is too slow is cut off
// without an answer.
using ProtocolErrorHandler = std::function<Response(int status, std::string_view why)>;

struct Limits {
  std::size_t body_bytes = 1024 * 1024;
  std::size_t header_bytes = 64 * 1024;
  std::size_t connections = 1024;
  std::chrono::milliseconds idle{60'000};          // between requests of one connection
  std::chrono::milliseconds request_read{30'000};  // from the first byte to the last
  std::chrono::milliseconds response_write{30'000};
  std::chrono::milliseconds drain{5'000};  // how long stop() lets running requests finish
};

struct Endpoint {
  std::string address;
  std::uint16_t port = 0;
};

// An HTTP/1.1 server on an existing io_context: keep-alive, pipelined requests one after another,
// Expect: 100-continue, HEAD. All its work runs on the one thread of that io_context, where all
// members must be called. Await stop() before destroying what the handler uses.
class Server {
 public:
  Server(boost::asio::io_context& context, Limits limits, Handler handler,
         ProtocolErrorHandler on_protocol_error);
  ~Server();  // without stop(): closes every socket at once
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Starts accepting on a numeric address; port 0 chooses one. May be called for several addresses.
  // kConflict when the port is taken, kDenied when it needs privileges, kInvalid for a bad address,
  // kUnavailable for one that this machine does not have.
  Result<Endpoint> listen(const std::string& address, std::uint16_t port);

  // Accepts no more, closes idle connections, lets running requests finish for `Limits::drain` and
  // cancels what is left then.
  boost::asio::awaitable<void> stop();

  std::size_t connections() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace hikae::http
