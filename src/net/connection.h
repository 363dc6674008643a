#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "base/result.h"
#include "base/time.h"
#include "net/tls.h"

namespace hikae::net {

// Where a server is. The host may be a name or an address; of IPv6 without brackets.
struct Peer {
  std::string host;
  std::uint16_t port = 0;
  std::string str() const;
  friend bool operator==(const Peer&, const Peer&) = default;
};

// A byte stream to a peer, by TCP or TLS. One coroutine uses it at a time. A deadline closes it,
// because nobody knows what is still to come on it then. Destruction closes it too; a coroutine
// that waits gets an error.
class Connection {
 public:
  // Resolves, connects and, with `tls`, shakes hands. kUnavailable: the peer is not there or does
  // not answer in time. kDenied: its certificate is not trusted.
  static boost::asio::awaitable<Result<Connection>> open(Peer peer, TlsContext tls,
                                                         Duration timeout);
  ~Connection();
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;

  // The connection closes unless this is called again before, or expires_never().
  void expires_after(Duration timeout);
  void expires_never();

  // kUnavailable: the peer closed or broke the connection. kTimeout: the deadline has passed.
  boost::asio::awaitable<Status> write(std::string bytes);
  // At least one byte.
  boost::asio::awaitable<Result<std::string>> read();

  void close();
  bool is_open() const;
  const Peer& peer() const;

 private:
  class Impl;
  explicit Connection(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace hikae::net
