#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "adapters/agent_memory/agent_memory.h"
#include "adapters/process/linux_process_runner.h"
#include "adapters/system/real_clock.h"
#include "app/agent_metrics.h"
#include "app/engine_connector.h"
#include "app/host_logs.h"
#include "control/agent.h"
#include "core/resource/host.h"
#include "engine/redis_driver.h"
#include "engine/redis_saver.h"
#include "engine/redis_source.h"

namespace hikae::app {

// The agents of the one-machine shape: one for every zone's stand-in host, all on one thread of
// their own. They end with this object; the engines do not.
class LocalAgents {
 public:
  struct Options {
    std::string nodes_path;  // `<data>/nodes`
    engine::RedisDriver::Options driver;
    core::LivenessLimits limits;
    control::SnapshotFiles& snapshots;
    LogPlaces logs;
  };

  LocalAgents(Options options, adapters::AgentMemory& link, control::Log& log);
  ~LocalAgents();

  // Makes one agent for every host and starts them.
  Status start(const std::vector<core::HostId>& hosts);
  // Asks the agents; while they run.
  control::Awaitable<AgentsLoad> load();
  // Ends the agents and joins the thread. Call from another thread than theirs.
  void stop();

 private:
  struct Host {
    core::HostId id;
    std::unique_ptr<adapters::LinuxProcessRunner> runner;
    std::unique_ptr<engine::RedisDriver> driver;
    std::unique_ptr<engine::RedisSaver> saver;
    std::unique_ptr<HostLogs> logs;
    std::unique_ptr<engine::RedisSource> sources;
    std::unique_ptr<control::Agent> agent;
  };

  Status add(const core::HostId& id);
  control::Awaitable<AgentsLoad> collect_load();
  control::Awaitable<void> stop_agents();

  Options options_;
  adapters::AgentMemory& link_;
  control::Log& log_;
  control::StartGate gate_;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  adapters::RealClock clock_;
  EngineConnector connector_;
  std::unique_ptr<LogPost> log_post_;
  std::vector<Host> hosts_;
  std::thread thread_;
};

}  // namespace hikae::app
