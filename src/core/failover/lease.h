#pragma once

#include <map>

#include "base/time.h"
#include "core/resource/ids.h"

namespace hikae::core {

// Leases: until when the engines of a host that should take writes may do so
// (docs/adr/0035-a-primary-takes-writes-by-a-lease.md).
//
// Rules about clocks. Only clocks that never jump are used, and no time of one machine is ever
// compared with that of another: an agent counts a lease from before it asked for it, the leader
// from when it granted it. Two clocks may differ in speed by one per cent, a hundred times of what
// a machine that works shows. A machine that was suspended finds its leases over, because engines
// and agents use a clock that goes on meanwhile; a leader that was suspended waits for longer.

inline constexpr Duration kShortestLease = std::chrono::milliseconds(200);
inline constexpr Duration kLongestLease = std::chrono::seconds(4);
// What the leader waits for beyond the end: between the look at the clock by which an engine takes
// a write and that write.
inline constexpr Duration kLeaseSlack = std::chrono::milliseconds(20);
// How long a new leader waits for the agents of its predecessor before it takes one for silent:
// longer than any lease, whatever the servers of the region are configured for.
inline constexpr Duration kLeaseHandover = std::chrono::seconds(5);

// For how long a replica promises not to lead by what it does at all times: to follow its primary.
// A constant, because the leader has to know when that one no longer counts on it.
inline constexpr Duration kFollowPromise = std::chrono::seconds(1);

// A keeper stops its engine so much before the end of the lease.
inline constexpr Duration kKeeperMargin = std::chrono::milliseconds(20);

// So long after a replica last heard of its primary, that one no longer counts on it, on whatever
// clock. Then it takes no writes until a server grants it a lease again: a lease that was over is
// not made longer by replicas.
Duration follow_bond();

// The leases that were granted, as the leader knows them. Its own clock.
class LeaseLedger {
 public:
  // Whatever the leaders before this one granted began before `now`.
  LeaseLedger(Monotonic now, Duration length);

  void granted(const HostId& host, Monotonic now);
  // From when on no lease of the host lasts, for certain.
  Monotonic certain_end(const HostId& host) const;
  Duration length() const { return length_; }

 private:
  Duration length_;
  Monotonic first_;  // the end of what was not granted here
  std::map<HostId, Monotonic> ends_;
};

// The lease of one primary, as its agent holds it. A clock that goes on in a suspended machine.
class HeldLease {
 public:
  // Granted for so long, or promised by every replica, in answer to what was asked at `asked`.
  void extend(Monotonic asked, Duration length);
  // Until when the engine may take writes; it has ended when that is not in the future.
  Monotonic until() const { return until_; }
  // Half of it has gone by since the servers last answered: replicas are to be asked as well.
  bool needs_replicas(Monotonic now) const { return now > granted_from_ + length_ / 2; }
  // How long it still lasts by the word of replicas alone: one that has forgotten its promise is to
  // give it again before it counts as one that may lead.
  Duration promised(Monotonic now) const;
  void granted(Monotonic asked, Duration length);

 private:
  Monotonic until_;
  Monotonic granted_from_;
  Duration length_{};
};

}  // namespace hikae::core
