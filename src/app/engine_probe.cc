#include "app/engine_probe.h"

#include "net/connection.h"

namespace hikae::app {
namespace {

constexpr Duration kTimeout = std::chrono::seconds(1);

}  // namespace

control::Awaitable<bool> TcpEngineProbe::answers(Ipv4 address, std::uint16_t port) {
  net::Peer peer{address.str(), port};
  const auto connection = co_await net::Connection::open(std::move(peer), nullptr, kTimeout);
  co_return connection.has_value();
}

}  // namespace hikae::app
