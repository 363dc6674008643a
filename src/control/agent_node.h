#pragma once

#include <functional>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "control/agent_note.h"
#include "control/agent_standing.h"
#include "control/log_ports.h"
#include "control/migration_ports.h"
#include "control/ports.h"
#include "control/snapshot_ports.h"
#include "control/start_gate.h"
#include "control/wake_signal.h"
#include "core/failover/liveness.h"
#include "core/reconcile/node_action.h"

namespace hikae::control {

// What an agent works with.
struct AgentPorts {
  ProcessRunner& runner;
  EngineDriver& driver;
  Clock& clock;
  Log& log;
  StartGate& gate;                  // of the machine
  core::LivenessLimits limits{};    // after which time a silent process counts as hung
  Addressing* addresses = nullptr;  // nullptr: the host has all of them
  // Without them no snapshot is taken and none restored; both fail.
  DataSaver* saver = nullptr;
  SnapshotFiles* snapshots = nullptr;
  // Without it nothing is migrated from outside.
  MigrationSources* sources = nullptr;
  // Without them no log is delivered.
  LogSource* logs = nullptr;
  LogSink* log_sink = nullptr;
  // Without any of them no engine of the host takes writes by a lease.
  FenceLeases* leases = nullptr;
  ReplicaPromises* promises = nullptr;
  LeaseLink* lease_link = nullptr;
  // Who listens there, as `valkey-server (pid 12)`; empty: nobody. Asked after a failed
  // start alone. Without it the engine's own words must do.
  std::function<std::string(Ipv4, std::uint16_t)> port_holder = nullptr;
};

// How often nodes are asked; the agent stretches each as it has more of them.
struct PollPace {
  Duration watched{};  // settled primaries that a replica could replace
  Duration others{};   // and all others that are settled
  Duration survey{};   // those whose offset is wanted, while it still moves
};

// Keeps one node as its assignment says: looks at it, does the one next action, looks again.
// Belongs to an Agent, which runs it in a coroutine of its own and outlives that.
class AgentNode {
 public:
  // `found`: the node was there before this agent. `changed` is called whenever observation()
  // changed. `pace` must outlive the node.
  AgentNode(boost::asio::any_io_executor executor, AgentPorts ports, const PollPace& pace,
            core::NodeKey key, const std::optional<FoundNode>& found,
            std::function<void()> changed);

  // nullopt: the node is to be dissolved.
  void assign(const std::optional<core::NodeAssignment>& desired);
  // Makes run() return soon and leaves the engine as it is.
  void stop();
  // Returns after stop(), or when the node is dissolved and nothing of it is left.
  Awaitable<void> run();

  // A glance at the process between two questions to the engine: finds a death before the kernel
  // closes the sockets, and a process that stands still. A cheap one looks for the latter only
  // where something speaks for it.
  enum class Glance { kWhole, kCheap };
  void glance(Glance kind);
  // The process has a new lease: who waits for it goes on.
  void lease_granted();
  // The node is one whose death has to be noticed at once.
  bool is_watched() const;

  // False until the first look at a node that was there before: what observation() says is not
  // worth a report yet.
  bool looked() const { return looked_; }
  // No code of its process runs.
  bool is_down() const { return known_.dying || !known_.running; }
  // Where it was last told to listen; nullopt: nobody has told it yet.
  const std::optional<Ipv4>& address() const { return address_; }
  const Shared<core::NodeObservation>& observation() const { return observation_; }

 private:
  enum class Woken { kExit, kSignal, kTime };
  // What is under way and cannot be taken back by a newer assignment.
  enum class Begun { kNothing, kStart, kPromotion };

  // What is wanted of the process that runs, which listens as it was started.
  core::NodeAssignment as_it_runs() const;
  Awaitable<void> keep();
  Awaitable<void> look();
  struct Question {
    Monotonic asked;
    int survey = 0;  // it was asked after this one had begun
  };
  void take(const Result<EngineStatus>& status, const Question& question);
  void take_silence(const Error& error);
  void write_note();
  Awaitable<void> perform(core::NodeAction action);
  Awaitable<void> start(core::NodeAssignment assignment);
  Status close_fence(const core::NodeAssignment& assignment, bool starts);
  Status choose_fence(const LaunchSpec& spec);
  bool has_keeper() const;
  bool may_be_counted_on(const EngineStatus& status, Monotonic asked);
  bool is_halted() const;
  void look_at_fence();
  void open_fence_of_replica();
  Awaitable<void> promote(core::NodeAssignment assignment);
  Awaitable<Status> hold_address(core::NodeAssignment assignment);
  Awaitable<void> end_process(int first_signal);
  Awaitable<void> await_death(int signal_number);
  Awaitable<void> save(core::NodeAssignment assignment);
  Awaitable<void> reset_sockets(core::NodeAssignment assignment, bool connections);
  Awaitable<void> follow(core::NodeAssignment assignment);
  Awaitable<void> pause_writes(core::NodeAssignment assignment);
  Awaitable<void> resume_writes(core::NodeAssignment assignment);
  Awaitable<void> send_clients_away(core::NodeAssignment assignment);
  Awaitable<void> apply_directives(core::NodeAssignment assignment);
  Awaitable<void> apply_access(core::NodeAssignment assignment);
  Awaitable<void> set_pace(core::NodeAssignment assignment);
  Awaitable<void> remove();
  Status update_hosts(const core::NodeAssignment& assignment);
  void note_followed();
  // Waits for the end of the process, a signal (new assignment, stop) or the time, and takes note
  // of an end.
  Awaitable<Woken> rest(Duration longest);
  void process_ended();
  void measure_disk();
  void note_failed_restore(bool while_loading);
  void process_dies();
  void process_hangs(bool hung);
  bool is_to_be_killed() const;
  bool is_to_change_roles() const;
  bool is_in_failover() const;
  void keep_quiet();
  void prefer_engine(bool on);
  std::string describe_end() const;
  std::string port_holder() const;
  bool may_try_at_once(const std::optional<core::NodeAssignment>& desired) const;
  void settle(const Status& status);
  void let_clients_return(const core::NodeAssignment& before, const core::NodeAssignment& now);
  Duration time_until(core::NodeActionKind action) const;
  Duration next_poll();
  Duration settled_survey_poll() const;
  Duration steady_poll();
  // The pause after another failure in a row.
  static Duration backoff(int failures_before);
  void publish();

  AgentPorts ports_;
  const PollPace& pace_;
  core::NodeKey key_;
  std::function<void()> changed_;
  WakeSignal wake_;
  StartGate::Place place_;
  StartGate::Quiet quiet_;
  std::optional<Monotonic> quiet_since_;
  bool preferred_ = false;  // the process runs before ordinary work
  std::optional<core::NodeAssignment> desired_;
  std::optional<Ipv4> address_;
  core::NodeKnowledge known_;
  Shared<core::NodeObservation> observation_;
  Process process_;
  AgentNote note_;
  std::string problem_;
  std::string version_;
  std::uint64_t offset_ = 0;
  Monotonic offset_read_;  // when this process was asked for it
  // Offset of the full synchronisation after which the link was renewed to begin the stream.
  std::optional<std::uint64_t> renewed_at_;
  bool unfollowed_ = false;  // its hosts file says so
  std::uint64_t used_memory_ = 0;
  AgentStanding standing_;
  Monotonic started_at_;
  Duration poll_{};
  Monotonic not_before_;                  // no action sooner: backoff after a failure or a crash
  std::optional<Monotonic> epoch_began_;  // when its agent heard that another leads
  int failures_ = 0;                      // of actions in a row
  int crashes_ = 0;                       // of the process in a row
  int loaded_percent_ = 0;
  int failed_restores_ = 0;
  std::string restore_problem_;
  core::Liveness liveness_;
  Monotonic fault_seen_;
  std::uint64_t data_on_disk_ = 0;  // what the process that ended last has left to start from
  std::string stream_;
  std::string previous_stream_;
  std::optional<Monotonic> led_until_;  // when another member took the lead from it
  std::uint64_t refused_writes_ = 0;    // of the process, at the last look
  bool has_fence_ = false;
  bool fenced_ = false;
  core::Epoch counted_epoch_{0};
  bool promised_ = false;
  bool kept_ = false;
  // Where it was in its primary's stream, and when it was first seen there.
  struct Contact {
    std::string stream;
    std::uint64_t applied = 0;
    Monotonic seen;
  };
  std::optional<Contact> contact_;
  // Of a question that was not answered yet: an answer may be as old, because the driver joins
  // questions.
  std::optional<Monotonic> open_since_;
  bool offset_settled_ = false;  // nothing is on the way any more, as a survey shows
  bool surveyed_ = false;        // at least one reading was taken in this survey
  Begun begun_ = Begun::kNothing;
  bool measured_ = false;  // data_on_disk_ was
  bool answered_ = false;  // this process did at least once
  bool ending_ = false;    // its end is our wish
  bool looked_ = false;
  bool stopping_ = false;
};

}  // namespace hikae::control
