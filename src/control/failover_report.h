#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "core/reconcile/observed.h"

namespace hikae::control {

// One member's way back into the group.
struct ReplicaReturn {
  std::string cluster;
  std::int64_t attached_us = 0;  // its link to the new primary was seen up
  // `partial`: it went on from where it was; `full`: it took in all data anew; `unknown`: its
  // engine does not tell.
  std::string resync;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("cluster", s.cluster);
    v("attached_us", s.attached_us);
    v("resync", s.resync);
  }
};

// What happened in one failover and when: microseconds after the agent saw the fault (after the
// decision, for a planned switchover, which has no fault). A stage that the reporting leader has
// not seen is null.
struct FailoverReport {
  std::string replication_group;
  std::string node_group;
  std::uint64_t epoch = 0;  // the one that began
  std::string old_primary;
  std::string new_primary;
  bool planned = false;
  std::string reason;
  Instant at;                                // of the decision
  std::optional<std::int64_t> confirmed_us;  // the control plane knew that the old primary is dead
  // Decided, because it was certain that the old primary takes no more writes: nobody starts it
  // again as a primary either.
  std::optional<std::int64_t> fenced_us;
  std::optional<std::int64_t> committed_us;  // epoch, primary, names and events: one transaction
  std::optional<std::int64_t> names_us;      // DNS answers with the new primary
  std::optional<std::int64_t> promoted_us;   // the new primary was seen taking writes
  std::int64_t repaired_us = 0;              // every member was back in service
  bool repaired = false;                     // false: given up waiting for that
  // Acknowledged by the old primary, as far as known, and not kept; and so is what it wrote in the
  // time between its last answer and the fault. -1: it never told how far it was.
  std::uint64_t bytes_at_risk = 0;
  std::int64_t last_heard_us = 0;
  std::vector<ReplicaReturn> replicas;
  // The leader that committed it is gone: this is by the one after it, which counted times of its
  // own from the commit by the clocks of both machines.
  bool taken_over = false;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("replication_group", s.replication_group);
    v("node_group", s.node_group);
    v("epoch", s.epoch);
    v("old_primary", s.old_primary);
    v("new_primary", s.new_primary);
    v("planned", s.planned);
    v("reason", s.reason);
    v("at", s.at);
    v("confirmed_us", s.confirmed_us);
    v("fenced_us", s.fenced_us);
    v("committed_us", s.committed_us);
    v("names_us", s.names_us);
    v("promoted_us", s.promoted_us);
    v("repaired_us", s.repaired_us);
    v("repaired", s.repaired);
    v("bytes_at_risk", s.bytes_at_risk);
    v("last_heard_us", s.last_heard_us);
    v("replicas", s.replicas);
    v("taken_over", s.taken_over);
  }
};

// `3.4 ms`.
std::string show_milliseconds(std::int64_t microseconds);

// What may be lost, for people.
std::string describe_risk(const FailoverReport& report);

// The whole report in one line, for people.
std::string describe(const FailoverReport& report);

// The replica is at the stream that the new primary began; the one before is `old_stream`. An
// engine that names no streams counts as soon as its link is up.
bool is_attached(const core::NodeObservation& replica, const core::NodeObservation& primary,
                 const std::string& old_stream);

// Of an attached replica, see ReplicaReturn. Certain: an engine forgets the stream before when it
// takes in all data anew, and keeps its name when it goes on from there.
std::string resync_of(const core::NodeObservation& replica);

}  // namespace hikae::control
