#include "app/region_duty.h"

#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace hikae::app {
namespace {

control::Awaitable<void> stop_agents(LocalAgents& agents) {
  agents.stop();
  co_return;
}

}  // namespace

RegionDuty::Active::Active(const Parts& parts, const std::string& nodes,
                           std::optional<control::LeaderTerm> term)
    : reconciler(parts.executor, parts.frontend, link, parts.clock, parts.log, term),
      recorder(parts.executor, parts.frontend, reconciler, parts.clock, parts.log, parts.reports),
      agents(LocalAgents::Options{nodes, parts.driver, parts.limits}, link, parts.log) {}

RegionDuty::RegionDuty(Parts parts) : parts_(std::move(parts)) {}

Result<std::string> RegionDuty::take_nodes() {
  if (adapters::absolute_path(parts_.directory) == parts_.own_directory) {
    return parts_.own_directory + "/nodes";
  }
  auto directory = adapters::DataDirectory::open(parts_.directory);
  if (!directory) {
    return tl::unexpected(directory.error());
  }
  lock_.emplace(std::move(*directory));
  return lock_->nodes_path();
}

Status RegionDuty::start(std::optional<control::LeaderTerm> term) {
  const auto nodes = take_nodes();
  if (!nodes) {
    return tl::unexpected(nodes.error());
  }
  active_ = std::make_unique<Active>(parts_, *nodes, term);
  std::vector<core::HostId> hosts;
  for (const auto& [id, host] : parts_.frontend.state().all<core::Host>()) {
    hosts.push_back(id);
  }
  if (Status started = active_->agents.start(hosts); !started) {
    active_.reset();
    lock_.reset();
    return started;
  }
  active_->link.connect_control(parts_.executor, [this](core::HostReport report) {
    active_->reconciler.on_report(std::move(report));
  });
  active_->reconciler.start();
  return {};
}

control::Awaitable<void> RegionDuty::end() {
  if (active_ == nullptr) {
    co_return;
  }
  ending_ = true;
  active_->link.disconnect_control();
  co_await active_->reconciler.stop();
  co_await active_->recorder.stop();
  auto stopping = stop_agents(active_->agents);
  co_await boost::asio::co_spawn(pool_, std::move(stopping), boost::asio::use_awaitable);
  active_.reset();
  lock_.reset();
  ending_ = false;
}

control::Awaitable<AgentsLoad> RegionDuty::load() {
  if (active_ == nullptr || ending_) {
    co_return AgentsLoad();
  }
  co_return co_await active_->agents.load();
}

}  // namespace hikae::app
