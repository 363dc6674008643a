#pragma once

#include "control/host_watch.h"

namespace hikae::app {

// Connects to the engine's port, and says nothing.
class TcpEngineProbe final : public control::EngineProbe {
 public:
  control::Awaitable<bool> answers(Ipv4 address, std::uint16_t port) override;
};

}  // namespace hikae::app
