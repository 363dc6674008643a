#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>

#include "adapters/agent_rpc/tls.h"
#include "control/ports.h"
#include "net/connection.h"

namespace hikae::agent_rpc {

inline constexpr std::uint16_t kDefaultPort = 4567;

// A server of agents: `https://server1:4567`, `server1`, `10.0.0.1:4567`.
std::optional<net::Peer> parse_server(std::string_view text);

// Text messages over a WebSocket over TLS. First open() it; then one coroutine may read while
// another one writes. close() ends whatever waits; so does destruction.
class Channel {
 public:
  // The end that connects, and the end that was connected to.
  Channel(boost::asio::any_io_executor executor, net::Peer server, TlsContext tls);
  Channel(boost::asio::ip::tcp::socket socket, TlsContext tls);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // kUnavailable: nobody is there. kTimeout. kDenied: one end does not believe the other's
  // certificate. Failed, it cannot be opened again.
  control::Awaitable<Status> open(Duration timeout);
  // The next message. kUnavailable: the connection is over. kInvalid: larger than allowed. kDenied:
  // the other end does not believe our certificate. Each of them ends the connection.
  control::Awaitable<Result<std::string>> read();
  control::Awaitable<Status> write(std::string text);
  // Says good-bye and closes; waits a second at most. Nobody may read meanwhile.
  control::Awaitable<void> finish();
  void close();

  // Of messages that are read from now on.
  void allow_bytes(std::size_t most);
  // What the other end has proved of itself.
  const std::optional<PeerIdentity>& peer() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace hikae::agent_rpc
