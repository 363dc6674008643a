#include "net/lookup.h"

#include <string>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

namespace hikae::net {

namespace asio = boost::asio;

asio::awaitable<Result<Lookup::Endpoints>> Lookup::run(std::shared_ptr<Lookup> self, Peer peer,
                                                       Duration timeout) {
  constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
  Endpoints endpoints;
  boost::system::error_code not_numeric;
  const auto address = asio::ip::make_address(peer.host, not_numeric);
  if (!not_numeric) {
    endpoints.emplace_back(address, peer.port);
    co_return endpoints;
  }
  self->done_.expires_after(timeout);
  self->resolver_.async_resolve(
      peer.host, std::to_string(peer.port),
      [self](const boost::system::error_code& error, asio::ip::tcp::resolver::results_type found) {
        self->finished_ = true;
        self->error_ = error;
        self->results_ = std::move(found);
        self->done_.cancel();
      });
  co_await self->done_.async_wait(kAwait);
  if (!self->finished_ || self->error_) {
    co_return fail(ErrorCode::kUnavailable,
                   fmt::format("{}: the name is not found: {}", peer.host,
                               self->finished_ ? self->error_.message() : "no answer in time"));
  }
  for (const auto& entry : self->results_) {
    endpoints.push_back(entry.endpoint());
  }
  co_return endpoints;
}

}  // namespace hikae::net
