#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include "adapters/agent_memory/agent_memory.h"
#include "adapters/system/data_directory.h"
#include "app/agent_gate.h"
#include "app/engine_probe.h"
#include "app/local_agents.h"
#include "control/failover_recorder.h"
#include "control/frontend.h"
#include "control/host_watch.h"
#include "control/leader_link.h"
#include "control/leader_loop.h"
#include "control/lease_watch.h"
#include "control/notifier.h"
#include "control/reconciler.h"
#include "control/snapshot_keeper.h"

namespace hikae::app {

// What one server of a region does at a time: it reconciles, through agents of its own process or
// through those of hosts that joined the region, for which it opens a door.
// Each time with a new link to new agents, so that nothing of an earlier term arrives in a later
// one. The engines go on when the duty ends.
class RegionDuty final : public control::LeaderDuty {
 public:
  // Who runs the nodes of these hosts in place of agents of ours, on the link, until the duty ends.
  using NodeRunner = std::function<void(adapters::AgentMemory&, std::vector<core::HostId>)>;

  struct Parts {
    boost::asio::io_context& context;
    control::Frontend& frontend;
    control::Clock& clock;
    control::Log& log;
    control::FailoverReportSink& reports;
    // Where the engines are. Another directory than our own is locked for as long as the duty
    // lasts, because several servers of one machine may share it.
    std::string directory;
    std::string own_directory;
    engine::RedisDriver::Options driver;
    core::LivenessLimits limits;
    // Where agents of other hosts connect; nullopt: the nodes run on this machine.
    std::optional<SocketAddress> agents_listen;
    Duration certificate_lifetime{};
    Duration rebuild_after{};  // control/host_watch.h
    Duration lease{};          // of primaries on hosts that joined; zero: they have none
    const adapters::CertificateAuthority& ca;
    control::SnapshotFiles& snapshots;
    LogPlaces logs;                                    // of nodes that run on this machine
    std::vector<control::MessageSink*> notifications;  // where events of caches are told
    const control::Leadership* leadership;             // nullptr: this server is the only one
    NodeRunner runner = {};
  };

  explicit RegionDuty(Parts parts);

  // kConflict: another process works on the engines in the directory, or listens where agents are
  // to connect. Without a term this server is the only one.
  Status start(std::optional<control::LeaderTerm> term);
  Status begin(control::LeaderTerm term) override { return start(term); }
  control::Awaitable<void> end() override;

  // Of the agents of this process; nothing where none run.
  control::Awaitable<AgentsLoad> load();
  // Whether the agent of a host that joined is connected; nullopt: only the leader knows.
  std::optional<bool> is_connected(const core::HostId& host) const;
  // What the leader knows of a host whose agent is gone, one line; empty: nothing.
  std::string note(const core::HostId& host) const;
  // What a group or cluster that is not as it should be waits for; empty: nothing, or only the
  // leader knows.
  std::string waits_for(const control::Unit& unit) const;
  // This server does the duty now.
  bool is_active() const { return active_ != nullptr && !ending_; }

 private:
  struct Active {
    Active(const Parts& parts, std::optional<control::LeaderTerm> term);
    adapters::AgentMemory link;     // brings the reports of all
    std::optional<AgentGate> gate;  // assignments go there, or into the link
    control::LeaderLink assignments;
    control::Reconciler reconciler;
    control::FailoverRecorder recorder;
    control::SnapshotKeeper keeper;
    control::Notifier notifier;
    std::optional<control::LeaseWatch> leases;
    TcpEngineProbe probe;
    std::optional<control::HostWatch> watch;  // of hosts that joined
    std::optional<LocalAgents> agents;
  };

  Status start_agents();
  void start_watch(std::optional<control::LeaderTerm> term);
  Result<std::string> take_nodes();

  Parts parts_;
  std::optional<adapters::DataDirectory> lock_;
  std::unique_ptr<Active> active_;
  bool ending_ = false;
  boost::asio::thread_pool pool_{1};  // where waiting for the agents' thread blocks nobody
};

}  // namespace hikae::app
