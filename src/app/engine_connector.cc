#include "app/engine_connector.h"

#include "adapters/resp_client/connection.h"

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

}  // namespace

control::Awaitable<Result<std::unique_ptr<engine::AdminConnection>>> EngineConnector::connect(
    std::string socket_path, Duration timeout) {
  auto target = resp::Target::at_path(std::move(socket_path));
  auto connection = co_await resp::Connection::connect(std::move(target), timeout);
  if (!connection) {
    co_return tl::unexpected(connection.error());
  }
  std::unique_ptr<engine::AdminConnection> out =
      std::make_unique<RespAdminConnection>(std::move(*connection));
  co_return std::move(out);
}

}  // namespace hikae::app
