#include "app/region_duty.h"

#include <utility>
#include <vector>

#include "app/notification_text.h"
#include "control/offload.h"

namespace hikae::app {
namespace {

std::optional<AgentGate> make_gate(const RegionDuty::Parts& parts, control::ReportLink& reports) {
  if (!parts.agents_listen) {
    return std::nullopt;
  }
  return std::optional<AgentGate>(
      std::in_place,
      AgentGate::Parts{parts.context, *parts.agents_listen, parts.certificate_lifetime,
                       parts.driver.secrets, parts.driver.certificates, parts.ca, reports,
                       parts.frontend, parts.clock, parts.log, parts.lease});
}

}  // namespace

RegionDuty::Active::Active(const Parts& parts, std::optional<control::LeaderTerm> term)
    : gate(make_gate(parts, link)),
      assignments(gate ? static_cast<control::AgentLink&>(*gate) : link, parts.leadership),
      reconciler(parts.context.get_executor(), parts.frontend, assignments, parts.clock, parts.log,
                 term),
      recorder(parts.context.get_executor(), parts.frontend, reconciler, parts.clock, parts.log,
               parts.reports),
      keeper(parts.context.get_executor(), parts.frontend, parts.snapshots, parts.clock, parts.log,
             term),
      notifier(parts.context.get_executor(), parts.frontend, parts.notifications, notification_text,
               parts.clock, parts.log) {
  if (gate && parts.lease > Duration()) {
    leases.emplace(control::LeaseWatch::Parts{parts.context.get_executor(), parts.frontend,
                                              reconciler, parts.leadership, parts.lease,
                                              parts.clock});
    gate->grant_leases([this](const core::HostId& host) { return leases->grant(host); });
  }
}

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
  active_ = std::make_unique<Active>(parts_, term);
  const Status started = active_->gate ? active_->gate->open() : start_agents();
  if (!started) {
    active_.reset();
    lock_.reset();
    return started;
  }
  active_->link.connect_control(
      parts_.context.get_executor(),
      [this](const core::HostReport& report) { active_->reconciler.on_report(report); });
  active_->notifier.start();
  active_->recorder.take_over();
  active_->reconciler.start();
  active_->keeper.start();
  if (active_->gate) {
    start_watch(term);
  }
  return {};
}

void RegionDuty::start_watch(std::optional<control::LeaderTerm> term) {
  active_->watch.emplace(control::HostWatch::Parts{
      parts_.context.get_executor(), parts_.frontend, active_->reconciler,
      [this](const core::HostId& host) { return active_->gate->is_connected(host); },
      active_->probe, parts_.rebuild_after, parts_.clock, parts_.log, term});
  active_->watch->start();
  if (active_->leases) {
    active_->leases->start();
  }
}

Status RegionDuty::start_agents() {
  std::vector<core::HostId> hosts;
  for (const auto& [id, host] : parts_.frontend.state().all<core::Host>()) {
    if (host.is_stand_in()) {
      hosts.push_back(id);
    }
  }
  if (parts_.runner) {
    parts_.runner(active_->link, std::move(hosts));
    return {};
  }
  const auto nodes = take_nodes();
  if (!nodes) {
    return tl::unexpected(nodes.error());
  }
  active_->agents.emplace(
      LocalAgents::Options{*nodes, parts_.driver, parts_.limits, parts_.snapshots, parts_.logs},
      active_->link, parts_.log);
  return active_->agents->start(hosts);
}

control::Awaitable<void> RegionDuty::end() {
  if (active_ == nullptr) {
    co_return;
  }
  ending_ = true;
  active_->link.disconnect_control();
  if (active_->watch) {
    co_await active_->watch->stop();
  }
  if (active_->leases) {
    co_await active_->leases->stop();
  }
  if (active_->gate) {
    co_await active_->gate->stop();
  }
  co_await active_->keeper.stop();
  co_await active_->reconciler.stop();
  co_await active_->recorder.stop();
  co_await active_->notifier.stop();
  if (active_->agents) {
    const auto stop = [this] {
      active_->agents->stop();
      return Status();
    };
    co_await control::offload(pool_, stop);
  }
  active_.reset();
  lock_.reset();
  ending_ = false;
}

control::Awaitable<AgentsLoad> RegionDuty::load() {
  if (active_ == nullptr || ending_ || !active_->agents) {
    co_return AgentsLoad();
  }
  co_return co_await active_->agents->load();
}

std::optional<bool> RegionDuty::is_connected(const core::HostId& host) const {
  if (active_ == nullptr || ending_ || !active_->gate) {
    return std::nullopt;
  }
  return active_->gate->is_connected(host);
}

std::string RegionDuty::note(const core::HostId& host) const {
  return is_active() && active_->watch ? active_->watch->note(host) : "";
}

std::string RegionDuty::waits_for(const control::Unit& unit) const {
  return is_active() && active_->reconciler.is_waiting(unit) ? active_->reconciler.reason(unit)
                                                             : "";
}

}  // namespace hikae::app
