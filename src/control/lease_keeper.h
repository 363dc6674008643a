#pragma once

#include <functional>
#include <map>
#include <optional>

#include <boost/asio/any_io_executor.hpp>

#include "control/ports.h"
#include "control/wake_signal.h"
#include "core/failover/lease.h"

namespace hikae::control {

// Keeps the leases of one host's primaries: asks the servers for them, hands what they grant to the
// fences of the engines, and asks the replicas when no server answers. One that gets no lease has
// no need to be told: its fence closes by itself.
//
// Belongs to an Agent; the thread of the executor.
class LeaseKeeper {
 public:
  struct Parts {
    FenceLeases& leases;
    ReplicaPromises& promises;
    LeaseLink& link;
    Clock& clock;
    Log& log;
  };

  LeaseKeeper(boost::asio::any_io_executor executor, Parts parts);
  ~LeaseKeeper();  // stop() must have returned, or start() was never called

  void start();
  // The newest assignment of the host.
  void assign(const core::Assignment& assignment);
  void granted(const LeaseGrant& grant);
  // Leaves the primaries with as long a lease as their replicas give. Bounded by ports' calls.
  Awaitable<void> stop();

 private:
  struct Primary {
    core::NodeAssignment assignment;
    core::HeldLease held;
    Monotonic counted;        // when its replicas were told last
    Monotonic gathers_since;  // when they last became other ones, or it began to lead
    bool asking = false;      // its replicas
    bool ending = false;      // transactions of before its lease had ended
    bool refuses = false;     // as the log was told
  };

  Awaitable<void> run();
  void take_leave();
  void tend(const core::NodeKey& key, Primary& primary);
  Awaitable<void> ask_replicas(core::NodeKey key, core::NodeAssignment assignment, Duration length);
  Awaitable<void> count(core::NodeAssignment assignment, Duration promised);
  Awaitable<void> open_again(core::NodeKey key, core::NodeAssignment assignment);
  void hand_over(const core::NodeKey& key, Primary& primary);
  void set(const core::NodeKey& key, Primary& primary);
  void release(const core::NodeAssignment& assignment);
  bool is_kept(const core::NodeKey& key) const;
  bool can_ask(const core::NodeAssignment& assignment) const;
  Primary* find(const core::NodeAssignment& assignment);
  void begin(Awaitable<void> coroutine);

  boost::asio::any_io_executor executor_;
  Parts parts_;
  std::map<core::NodeKey, Primary> primaries_;
  std::optional<Monotonic> asked_;
  WakeSignal wake_;
  WakeSignal finished_;
  int coroutines_ = 0;
  bool stopping_ = false;
};

}  // namespace hikae::control
