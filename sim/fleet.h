#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/address.h"
#include "core/reconcile/assignment.h"
#include "sim/env.h"
#include "sim/history.h"

namespace hikae::sim {

using Pid = std::int64_t;

// One engine process, from its start until its sockets are closed.
struct Engine {
  enum class Pace {
    kNormal,
    kBusy,     // uses processor time, answers nobody
    kHung,     // stuck for good: neither
    kStopped,  // SIGSTOP
  };
  Pid pid = 0;
  std::uint64_t start_time = 0;
  core::HostId host;
  core::NodeKey node;
  core::ReplicationGroupId group;  // of the assignment it was started for
  Ipv4 address;
  std::uint16_t port = 0;
  std::string hosts_file;
  core::Role role = core::Role::kPrimary;

  Pace pace = Pace::kNormal;
  bool dying = false;        // no code of it runs any more
  bool terminating = false;  // a SIGTERM waits until it runs again
  bool listening = false;    // started up
  bool loading = false;      // takes in a full synchronisation
  bool writes_paused = false;
  std::uint64_t pauses = 0;             // so that the end of an old pause does not end a newer one
  std::uint64_t clients = 0;            // grows when all clients are sent away
  bool saving = false;                  // beside serving, for a snapshot
  std::optional<History::Place> saved;  // by the last time; unset: it could not
  // As a replica: has a place in its primary's stream, or is loading one.
  bool has_copy = false;
  History::Place data = History::kEmpty;
  std::uint64_t stream = 0;               // the name of its stream of changes; 0: it has none yet
  std::uint64_t previous_stream = 0;      // that it went on from without a full synchronisation
  std::optional<History::Place> arrived;  // waits in a socket until the process runs again
  std::vector<std::uint64_t> unread;      // writes of clients, likewise

  // As a replica:
  std::string target;
  std::uint16_t target_port = 0;
  Pid upstream = 0;  // 0: no link
  bool link_up = false;
  // After a full synchronisation the primary waits for an acknowledgement before it sends more.
  bool stream_pending = false;
  bool nothing_streamed = false;  // since the newest full synchronisation
  std::uint64_t link = 0;  // grows with every connection, so that the last one's bytes are dropped
  Monotonic last_arrival;
  // As a primary: who follows.
  std::set<Pid> downstream;

  // The fence: epoch 0 needs no lease. All times as the world has them.
  core::Epoch lease_epoch{0};
  Monotonic lease_until;
  // The fence is its keeper, and has stopped it.
  bool kept = false;
  bool halted = false;
  std::uint64_t acknowledged = 0;  // as a replica: how often it was asked to, by the stream
  // As a replica: what it promised its primary.
  core::Epoch counted_epoch{0};
  Monotonic promised_until;

  std::vector<Timeline::Id> exit_waiters;

  bool runs() const { return !dying && pace == Pace::kNormal && !halted; }
  // Takes writes now, or as soon as it runs again. A process that is stopped looks at the clock
  // before it takes one.
  bool fence_is_open(Monotonic now) const {
    return lease_epoch == core::Epoch(0) || now < lease_until;
  }
  bool writable(Monotonic now) const {
    return !dying && listening && role == core::Role::kPrimary && !loading && !writes_paused &&
           fence_is_open(now);
  }
};

// Told of what the checkers want to know at once.
class FleetObserver {
 public:
  // The process will not run again. Called before anything of it is forgotten.
  virtual void on_death(const Engine& engine) = 0;
  // A replica drops its data to load `copy`, which it has received from `upstream`.
  virtual void on_full_resync(const Engine& replica, const Engine& upstream,
                              History::Place copy) = 0;

 protected:
  ~FleetObserver() = default;
};

// Every engine process of the world, and the replication between them: asynchronous, with a
// backlog, partial and full resynchronisation. An engine starts empty.
class Fleet {
 public:
  struct Launch {
    core::HostId host;
    core::NodeKey node;
    core::ReplicationGroupId group;
    Ipv4 address;
    std::uint16_t port = 0;
    std::string hosts_file;
    core::Role role = core::Role::kPrimary;
    std::string target;
    std::uint16_t target_port = 0;
    History::Place data = History::kEmpty;  // what it finds saved
    core::Epoch lease_epoch{0};
    Monotonic lease_until;
    bool kept = false;
  };

  explicit Fleet(Env env) : env_(env) {}
  void set_observer(FleetObserver* observer) { observer_ = observer; }

  Pid start(Launch launch);
  void kill(Pid pid);
  void terminate(Pid pid);
  // It ends by itself, after it has saved all it had.
  void end_saved(Pid pid);
  // The host is gone: nothing that was sent but not received yet arrives.
  void lose_host(const core::HostId& host);
  void set_pace(Pid pid, Engine::Pace pace);
  void set_lease(Engine& engine, core::Epoch epoch, Monotonic until);

  // nullptr when the process is gone.
  Engine* find(Pid pid);
  Engine* find_listening(Ipv4 address, std::uint16_t port);
  // The node's newest process.
  Engine* find_node(const core::NodeKey& node);
  const std::map<Pid, Engine>& all() const { return engines_; }
  const History& history() const { return history_; }

  void follow(Engine& engine, std::string target, std::uint16_t port);
  void promote(Engine& engine);
  void pause_writes(Engine& engine, Duration bound);
  // Begins to save what it holds now. False: it cannot just now.
  bool save(Engine& engine);
  void resume_writes(Engine& engine) { engine.writes_paused = false; }
  // Has the primary's replicas at these addresses take note of the promise, in the order of the
  // stream; `acknowledged` gets the addresses of those that did. A replica's clock may be too fast.
  using Acknowledged = std::shared_ptr<std::set<Ipv4>>;
  void promise(Engine& primary, core::Epoch epoch, Duration length, const std::vector<Ipv4>& peers,
               Acknowledged acknowledged);
  // Between the host and all others no byte passes that way until then. Replicas that hear nothing
  // any more lose their connections; those that are not heard confirm nothing.
  void cut(const core::HostId& host, Way way, Monotonic until);
  void set_hosts(Engine& engine, std::string content) { engine.hosts_file = std::move(content); }
  // So many replicas that are linked to it have applied what is at the place.
  int confirmed_by(const Engine& engine, History::Place place) const;
  // The place of the write. Only for a writable engine that runs.
  History::Place write(Engine& engine, std::uint64_t number);

 private:
  // What a full synchronisation brings.
  struct Copy {
    Pid upstream = 0;
    std::uint64_t link = 0;
    History::Place data = History::kEmpty;
    std::uint64_t stream = 0;
    Duration loading{};
  };

  void finish_saving(Pid pid, History::Place data);
  void die(Engine& engine);
  void close(Pid pid);
  void resume(Engine& engine);
  void watch_lease(Engine& engine);
  std::optional<Ipv4> resolve(const Engine& engine) const;
  void connect_later(Engine& engine, Duration after);
  void connect(Pid pid, std::uint64_t link);
  void handshake(Pid pid, std::uint64_t link, Pid upstream);
  void begin_full_resync(Engine& replica, Engine& upstream);
  // Whom the copy is of; nullptr when it is gone, and then the replica connects anew.
  Engine* source_of(const Copy& copy, Engine& replica);
  void take_over(Pid pid, const Copy& copy);
  void finish_loading(Pid pid, const Copy& copy);
  void set_link_up(Engine& replica, Engine& upstream);
  void begin_stream(Pid pid, std::uint64_t link);
  void send(Engine& upstream, Engine& replica);
  void arrive(Pid pid, std::uint64_t link, History::Place place);
  void advance(Engine& engine, History::Place place);
  void drop_link(Engine& replica);
  void drop_downstream(Engine& upstream, bool in_flight_too);
  bool passes(const Engine& from, const Engine& to) const;
  bool are_apart(const Engine& a, const Engine& b) const;
  // The replica when the link is still the same one, else nullptr.
  Engine* on_link(Pid pid, std::uint64_t link);

  Env env_;
  FleetObserver* observer_ = nullptr;
  History history_;
  std::map<Pid, Engine> engines_;
  // The same, by what they are looked for; a process of a large region is one of thousands.
  std::map<core::NodeKey, std::set<Pid>> of_node_;
  std::map<Ipv4, std::set<Pid>> at_address_;
  std::uint64_t last_stream_ = 0;
  std::map<core::HostId, Monotonic> deaf_until_;
  std::map<core::HostId, Monotonic> mute_until_;
  Pid last_pid_ = 1000;
};

}  // namespace hikae::sim
