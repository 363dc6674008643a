#pragma once

#include <memory>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "adapters/agent_memory/agent_memory.h"
#include "adapters/system/real_clock.h"
#include "control/agent.h"
#include "engine/mock_driver.h"

namespace hikae::bench {

// As app::LocalAgents, one real agent for every host on a thread of their own, but the engines are
// rows in a table: no process is started.
class MockAgents {
 public:
  MockAgents(adapters::AgentMemory& link, control::Log& log);
  ~MockAgents();

  void start(const std::vector<core::HostId>& hosts);
  // Ends the agents and joins the thread. Call from another thread than theirs.
  void stop();

 private:
  struct Host {
    core::HostId id;
    std::unique_ptr<engine::MockEngines> engines;
    std::unique_ptr<control::Agent> agent;
  };

  control::Awaitable<void> stop_agents();

  adapters::AgentMemory& link_;
  control::Log& log_;
  control::StartGate gate_{64};  // what they start is no process
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  adapters::RealClock clock_;
  std::vector<Host> hosts_;
  std::thread thread_;
};

}  // namespace hikae::bench
