#include "sim/agent_shell.h"

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include "base/check.h"

namespace hikae::sim {
namespace {

// More turns than any agent needs to stop when nothing keeps it waiting.
constexpr int kMostTurns = 100'000;

}  // namespace

AgentShell::AgentShell(Env env, Fleet& fleet, Network& network, Disk& disk, Shelf& shelf,
                       int incarnation)
    : env_(env),
      network_(network),
      gate_(network, disk.host, env.options.lease),
      host_(disk.host),
      realm_(env.timeline.new_realm()),
      clock_(env.timeline, realm_, disk.drift_permille),
      log_(env.trace, fmt::format("agent-{}-{}", disk.host.str().back(), incarnation)),
      ports_(env, fleet, disk, realm_),
      snapshots_(env, fleet, disk, ports_, shelf),
      leases_(env, fleet, disk, realm_),
      work_(boost::asio::make_work_guard(context_)),
      agent_(context_.get_executor(), disk.host, agent_ports(), gate_) {}

control::AgentPorts AgentShell::agent_ports() {
  control::AgentPorts out{ports_, ports_,  clock_,      log_,       starts_,
                          {},     nullptr, &snapshots_, &snapshots_};
  if (env_.options.lease > Duration()) {
    out.leases = &leases_;
    out.promises = &leases_;
    out.lease_link = &gate_;
  }
  return out;
}

AgentShell::~AgentShell() {
  log_.end();
  ports_.end();
  leases_.end();
  gate_.ended = true;
  network_.disconnect_agent(host_);
  bool stopped = false;
  boost::asio::co_spawn(context_, agent_.stop(),
                        [&stopped](std::exception_ptr) { stopped = true; });
  env_.timeline.release(realm_);
  clock_.end();
  for (int turns = 0; !stopped && turns < kMostTurns; ++turns) {
    env_.timeline.release(realm_);
    context_.poll_one();
  }
  HIKAE_CHECK(stopped);
  env_.timeline.drop(realm_);
}

void AgentShell::start() {
  agent_.start();
  network_.connect_agent(
      host_, realm_, [this](core::Assignment assignment) { agent_.assign(std::move(assignment)); },
      [this](const control::LeaseGrant& grant) { agent_.granted(grant); });
}

}  // namespace hikae::sim
