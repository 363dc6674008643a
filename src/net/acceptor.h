#pragma once

#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "base/result.h"

namespace hikae::net {

// What a refusal to listen says, beside its reason.
struct ListenWords {
  std::string what = "listen";                // "cannot ..."
  std::string other = "choose another port";  // what helps when a port is taken
};

// Opens, binds and listens; answers where. kConflict: another program has the port; kDenied: it
// needs privileges; kUnavailable: the machine does not have the address.
Result<boost::asio::ip::tcp::endpoint> listen(boost::asio::ip::tcp::acceptor& acceptor,
                                              const boost::asio::ip::tcp::endpoint& at,
                                              const ListenWords& words = {});

}  // namespace hikae::net
