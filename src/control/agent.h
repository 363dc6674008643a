#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "control/agent_node.h"
#include "control/lease_keeper.h"
#include "control/log_courier.h"
#include "control/ports.h"
#include "control/snapshot_taker.h"
#include "control/source_watch.h"
#include "control/wake_signal.h"

namespace hikae::control {

// What an agent watches, and how often.
struct AgentLoad {
  int nodes = 0;
  int watched = 0;          // primaries that a replica could replace
  Duration glance{};        // between two glances at each of those
  Duration poll_watched{};  // between two questions to each of those
  Duration poll_others{};   // and to each other node
};

// Runs the nodes of one host: takes assignments, keeps every node as its assignment says, reports
// what it sees. Level-triggered throughout: only the newest assignment counts, and a new agent that
// meets running engines adopts them. Nothing is stopped or removed before the first assignment
// came.
//
// One thread: every method and every port is used on the executor's. Engines outlive the agent.
class Agent {
 public:
  Agent(boost::asio::any_io_executor executor, core::HostId host, AgentPorts ports,
        ReportLink& reports);
  ~Agent();  // stop() must have returned, or start() was never called
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // Looks for what runs on the host and begins to serve. Call once.
  void start();
  // Replaces the assignment. One for another host, or older than the newest, is ignored.
  void assign(core::Assignment assignment);
  // A server's answer to what was asked by AgentPorts::lease_link.
  void granted(const LeaseGrant& grant);
  // Returns when no coroutine of the agent is left (all port calls are bounded). Leaves engines
  // running.
  Awaitable<void> stop();
  AgentLoad load() const;

 private:
  struct Entry {
    std::unique_ptr<AgentNode> node;
    std::optional<Shared<core::NodeAssignment>> wanted;
    std::uint64_t turn = 0;  // in which it was wanted last
    bool started = false;    // its coroutine was
    bool ended = false;      // and is over
  };

  Awaitable<void> run();
  // Glances at the processes: at primaries that a replica could replace every few milliseconds, at
  // the others now and then.
  Awaitable<void> watch();
  void begin(Awaitable<void> coroutine);
  Awaitable<void> find_nodes();
  void take_up();
  Entry& add_node(core::NodeKey key);
  void run_node(const core::NodeKey& key, Entry& entry);
  void node_ended(const core::NodeKey& key);
  void give_up_addresses();
  void tell_news();
  // When one more process is down, at all the others, too.
  void look_around();
  void report_if_news();
  Shared<core::NodeObservation> observation_of(const core::NodeKey& key, const Entry& entry) const;
  Duration turn_time() const;
  void set_pace(int watched);
  AgentNode::Glance kind_of_glance(int round) const;

  boost::asio::any_io_executor executor_;
  core::HostId host_;
  AgentPorts ports_;
  ReportLink& reports_;
  WakeSignal wake_;
  WakeSignal finished_;
  std::map<core::NodeKey, FoundNode> found_;  // until the first assignment
  std::map<core::NodeKey, Entry> nodes_;
  PollPace pace_;
  int watched_ = 0;
  std::ptrdiff_t down_ = 0;  // processes that do not run, when they were counted last
  Duration glance_period_{};
  core::Assignment newest_;
  std::uint64_t turn_ = 0;  // how often one was taken up
  bool assigned_ = false;   // newest_ is one
  bool take_up_ = false;    // newest_ or the set of nodes changed since it was taken up
  bool news_ = false;
  bool stopping_ = false;
  int coroutines_ = 0;
  SnapshotTaker taker_;
  LogCourier courier_;
  SourceWatch sources_;
  std::optional<LeaseKeeper> keeper_;
};

}  // namespace hikae::control
