#include "app/engine_connector.h"

#include <boost/asio/this_coro.hpp>

#include "adapters/resp_client/connection.h"
#include "net/lookup.h"

namespace hikae::app {
namespace {

class RespAdminConnection final : public engine::AdminConnection {
 public:
  explicit RespAdminConnection(resp::Connection connection) : connection_(std::move(connection)) {}

  control::Awaitable<Result<std::vector<codec::resp::Value>>> call(
      std::vector<engine::Command> commands, Duration timeout) override {
    return connection_.pipeline(std::move(commands), timeout);
  }
  void close() override { connection_.close(); }

 private:
  resp::Connection connection_;
};

control::Awaitable<Result<std::unique_ptr<engine::AdminConnection>>> open(resp::Target target,
                                                                          Duration timeout) {
  auto connection = co_await resp::Connection::connect(std::move(target), timeout);
  if (!connection) {
    co_return tl::unexpected(connection.error());
  }
  std::unique_ptr<engine::AdminConnection> out =
      std::make_unique<RespAdminConnection>(std::move(*connection));
  co_return std::move(out);
}

}  // namespace

control::Awaitable<Result<std::unique_ptr<engine::AdminConnection>>> EngineConnector::connect(
    std::string socket_path, Duration timeout) {
  auto target = resp::Target::at_path(std::move(socket_path));
  co_return co_await open(std::move(target), timeout);
}

control::Awaitable<Result<std::unique_ptr<engine::AdminConnection>>> EngineConnector::connect_to(
    std::string host, std::uint16_t port, Duration timeout) {
  const auto executor = co_await boost::asio::this_coro::executor;
  const auto lookup = std::make_shared<net::Lookup>(executor);
  net::Peer peer{std::move(host), port};
  const auto endpoints = co_await net::Lookup::run(lookup, std::move(peer), timeout);
  if (!endpoints) {
    co_return tl::unexpected(endpoints.error());
  }
  for (const auto& endpoint : *endpoints) {
    if (endpoint.address().is_v4()) {
      auto target = resp::Target::at_address(Ipv4(endpoint.address().to_v4().to_uint()), port);
      co_return co_await open(std::move(target), timeout);
    }
  }
  co_return fail(ErrorCode::kUnavailable, "the name has no IPv4 address");
}

}  // namespace hikae::app
