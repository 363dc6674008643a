#include "net/acceptor.h"

#include <cerrno>

#include <fmt/format.h>

namespace hikae::net {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

Error listen_error(const tcp::endpoint& at, const ListenWords& words, const error_code& error) {
  const std::string place =
      fmt::format("cannot {} on {}:{}", words.what, at.address().to_string(), at.port());
  switch (error.value()) {
    case EADDRINUSE:
      return Error{
          ErrorCode::kConflict,
          fmt::format("{}: another program uses this port; stop it or {}", place, words.other)};
    case EACCES:
    case EPERM:
      return Error{ErrorCode::kDenied, place + ": ports below 1024 need privileges"};
    case EADDRNOTAVAIL:
      return Error{ErrorCode::kUnavailable, place + ": this machine does not have the address"};
    default:
      return Error{ErrorCode::kUnavailable, fmt::format("{}: {}", place, error.message())};
  }
}

}  // namespace

Result<tcp::endpoint> listen(tcp::acceptor& acceptor, const tcp::endpoint& at,
                             const ListenWords& words) {
  error_code error;
  acceptor.open(at.protocol(), error);
  if (!error) {
    acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  }
  if (!error) {
    acceptor.bind(at, error);
  }
  if (!error) {
    acceptor.listen(boost::asio::socket_base::max_listen_connections, error);
  }
  tcp::endpoint local;
  if (!error) {
    local = acceptor.local_endpoint(error);
  }
  if (error) {
    return tl::unexpected(listen_error(at, words, error));
  }
  return local;
}

}  // namespace hikae::net
