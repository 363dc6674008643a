#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "adapters/dns_server/answering.h"

namespace hikae::dns {

// One TCP socket for queries behind a two-byte length (RFC 1035 4.2.2, RFC 7766). A connection may
// send many queries without waiting; they are answered in order.
class TcpListener {
 public:
  // `acceptor` listens. `open_connections` is shared by all listeners of a server; it and
  // `answering` outlive the io_context's handlers.
  TcpListener(boost::asio::ip::tcp::acceptor acceptor, Answering& answering,
              std::size_t& open_connections, const DnsServerOptions& options);
  TcpListener(const TcpListener&) = delete;
  TcpListener& operator=(const TcpListener&) = delete;

  void start();  // then runs until the io_context stops

 private:
  boost::asio::awaitable<void> accept_loop();

  boost::asio::ip::tcp::acceptor acceptor_;
  Answering& answering_;
  std::size_t& open_connections_;
  const DnsServerOptions options_;
};

}  // namespace hikae::dns
