#pragma once

#include <map>
#include <string>
#include <vector>

#include "control/ports.h"
#include "control/reconciler.h"

namespace hikae::control {

// One member's way back into the group, microseconds after the fault was seen.
struct ReplicaReturn {
  std::string cluster;
  std::int64_t attached_us = 0;  // its link to the new primary was seen up
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("cluster", s.cluster);
    v("attached_us", s.attached_us);
  }
};

// What happened in one failover and when: microseconds after the agent saw the fault (after the
// commit's decision, for a planned switchover, which has no fault).
struct FailoverReport {
  std::string replication_group;
  std::string node_group;
  std::uint64_t epoch = 0;  // the one that began
  std::string old_primary;
  std::string new_primary;
  bool planned = false;
  std::string reason;
  Instant at;                     // of the commit
  std::int64_t confirmed_us = 0;  // the control plane knew that the old primary is dead
  std::int64_t committed_us = 0;  // epoch, primary, names and events: one transaction
  std::int64_t promoted_us = 0;   // the new primary was seen taking writes
  std::int64_t repaired_us = 0;   // every member was back in service
  bool repaired = false;          // false: given up waiting for that
  std::uint64_t bytes_at_risk =
      0;  // acknowledged by the old primary, as far as known, and not kept
  std::vector<ReplicaReturn> replicas;
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
    v("committed_us", s.committed_us);
    v("promoted_us", s.promoted_us);
    v("repaired_us", s.repaired_us);
    v("repaired", s.repaired);
    v("bytes_at_risk", s.bytes_at_risk);
    v("replicas", s.replicas);
  }
};

// Where finished reports go.
class FailoverReportSink {
 public:
  // Must not wait.
  virtual void publish(const FailoverReport& report) = 0;

 protected:
  ~FailoverReportSink() = default;
};

// Follows every failover from its commit until the group is whole again and then publishes a report
// and one line in the log. Only watches; nothing depends on it.
class FailoverRecorder {
 public:
  FailoverRecorder(Frontend& frontend, Reconciler& reconciler, Clock& clock, Log& log,
                   FailoverReportSink& sink);

 private:
  struct Open {
    FailoverReport report;
    Monotonic origin;
    Monotonic committed;
  };

  void begin(const core::ReplicationGroupId& group, const core::NodeGroup& before,
             const core::FailoverDecision& decision);
  void look();
  // True when the report is finished.
  bool advance(Open& open);
  void finish(const FailoverReport& report);

  Frontend& frontend_;
  Reconciler& reconciler_;
  Clock& clock_;
  Log& log_;
  FailoverReportSink& sink_;
  std::vector<Open> open_;
};

}  // namespace hikae::control
