#include "region/mock_agents.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace hikae::bench {

MockAgents::MockAgents(adapters::AgentMemory& link, control::Log& log)
    : link_(link), log_(log), work_(boost::asio::make_work_guard(context_)) {}

MockAgents::~MockAgents() {
  stop();
}

void MockAgents::start(const std::vector<core::HostId>& hosts) {
  for (const core::HostId& id : hosts) {
    Host host;
    host.id = id;
    host.engines = std::make_unique<engine::MockEngines>("8.0.1");
    control::AgentPorts ports{*host.engines, *host.engines, clock_, log_, gate_};
    host.agent = std::make_unique<control::Agent>(context_.get_executor(), id, ports, link_);
    hosts_.push_back(std::move(host));
  }
  for (Host& host : hosts_) {
    host.agent->start();
    link_.connect_agent(host.id, context_.get_executor(),
                        [agent = host.agent.get()](core::Assignment assignment) {
                          agent->assign(std::move(assignment));
                        });
  }
  thread_ = std::thread([this] { context_.run(); });
}

control::Awaitable<void> MockAgents::stop_agents() {
  for (Host& host : hosts_) {
    link_.disconnect_agent(host.id);
    co_await host.agent->stop();
  }
  work_.reset();
}

void MockAgents::stop() {
  if (!thread_.joinable()) {
    return;
  }
  boost::asio::co_spawn(context_, stop_agents(), boost::asio::detached);
  thread_.join();
}

}  // namespace hikae::bench
