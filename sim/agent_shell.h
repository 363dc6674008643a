#pragma once

#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "control/agent.h"
#include "sim/host_ports.h"
#include "sim/lease_ports.h"
#include "sim/network.h"
#include "sim/snapshots.h"

namespace hikae::sim {

// One incarnation of a host's agent, in an event loop of its own.
//
// An agent may not be destroyed while coroutines of it are left. So its crash is: from one moment
// on nothing it does has any effect, every call it makes fails at once, and then it is stopped.
class AgentShell {
 public:
  AgentShell(Env env, Fleet& fleet, Network& network, Disk& disk, Shelf& shelf, int incarnation);
  ~AgentShell();
  AgentShell(const AgentShell&) = delete;
  AgentShell& operator=(const AgentShell&) = delete;

  void start();
  bool run_one() { return context_.poll_one() > 0; }
  Realm realm() const { return realm_; }

 private:
  // Lets nothing out after the end.
  struct Gate final : control::ReportLink, control::LeaseLink {
    Gate(Network& n, core::HostId h, Duration l) : network(n), host(std::move(h)), length(l) {}
    void ask_lease(Monotonic asked) override {
      if (!ended) {
        network.ask_lease(host, asked);
      }
    }
    Duration lease_length() const override { return length; }
    void report(core::HostReport report) override {
      if (!ended) {
        network.report(std::move(report));
      }
    }
    Network& network;
    core::HostId host;
    Duration length;
    bool ended = false;
  };

  control::AgentPorts agent_ports();

  Env env_;
  Network& network_;
  Gate gate_;
  core::HostId host_;
  Realm realm_;
  SimClock clock_;
  SimLog log_;
  HostPorts ports_;
  SnapshotPorts snapshots_;
  LeasePorts leases_;
  control::StartGate starts_{2};
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  control::Agent agent_;
};

}  // namespace hikae::sim
