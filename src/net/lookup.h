#pragma once

#include <memory>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "net/connection.h"

namespace hikae::net {

// The question where a peer is. It may be given up, and outlive who asked: getaddrinfo() cannot be
// stopped.
class Lookup {
 public:
  using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;

  explicit Lookup(const boost::asio::any_io_executor& executor)
      : resolver_(executor), done_(executor) {}

  // Once. kUnavailable: there is no such name, or no answer in time.
  static boost::asio::awaitable<Result<Endpoints>> run(std::shared_ptr<Lookup> self, Peer peer,
                                                       Duration timeout);
  // Whoever waits is answered at once.
  void give_up() { done_.cancel(); }

 private:
  boost::asio::ip::tcp::resolver resolver_;
  boost::asio::steady_timer done_;
  bool finished_ = false;
  boost::system::error_code error_;
  boost::asio::ip::tcp::resolver::results_type results_;
};

}  // namespace hikae::net
