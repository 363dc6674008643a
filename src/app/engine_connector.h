#pragma once

#include "engine/admin_connection.h"

namespace hikae::app {

// The RESP client behind the engine drivers' administrative connections.
class EngineConnector final : public engine::AdminConnector {
 public:
  control::Awaitable<Result<std::unique_ptr<engine::AdminConnection>>> connect(
      std::string socket_path, Duration timeout) override;
  control::Awaitable<Result<std::unique_ptr<engine::AdminConnection>>> connect_to(
      std::string host, std::uint16_t port, Duration timeout) override;
};

}  // namespace hikae::app
