#pragma once

#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "control/failover_report.h"
#include "control/frontend.h"
#include "control/ports.h"
#include "control/reconciler.h"
#include "control/wake_signal.h"

namespace hikae::control {

// Where finished reports go.
class FailoverReportSink {
 public:
  // Returns when the report outlives a crash, or was given up, which is told there. One of the same
  // failover replaces the one before.
  virtual Awaitable<void> keep(FailoverReport report) = 0;

 protected:
  ~FailoverReportSink() = default;
};

// Follows every failover from its commit until the group is whole again. Then it makes a report,
// one line in the log and one event of the replication group, behind those of AWS. Only watches;
// nothing depends on it. A failover that was committed by a leader which is gone is followed by the
// next one, from what the state tells of it until the report is kept: a crash costs no report.
class FailoverRecorder {
 public:
  FailoverRecorder(boost::asio::any_io_executor executor, Frontend& frontend,
                   Reconciler& reconciler, Clock& clock, Log& log, FailoverReportSink& sink);

  // Follows what leaders before this one have not reported. Once, when the reconciler starts.
  void take_over();

  // Returns when no report is being written any more; then it may be destroyed, though the frontend
  // lives on. No failover may be committed meanwhile.
  Awaitable<void> stop();

 private:
  struct Open {
    FailoverReport report;
    Monotonic origin;
    Monotonic committed;
    std::string old_stream;  // of all members until the failover
    bool unpromoted = true;  // it was seen before the new primary took writes
    bool promoted = false;
  };

  void begin(const Reconciler::CommittedFailover& failover);
  // One that a leader before this one has committed.
  Open open_of(const core::ReplicationGroupId& group, const core::NodeGroupId& node_group,
               const core::FailoverNote& note) const;
  void look(const std::set<Unit>& units);
  // True when the report is finished.
  bool advance(Open& open);
  void note_replica(Open& open, const core::NodeObservation& replica,
                    const core::NodeObservation& primary);
  void finish(const FailoverReport& report);
  Awaitable<void> store(FailoverReport report);
  Awaitable<void> write_event(const FailoverReport& report);

  boost::asio::any_io_executor executor_;
  Frontend& frontend_;
  Reconciler& reconciler_;
  Clock& clock_;
  Log& log_;
  FailoverReportSink& sink_;
  Frontend::ObserverId observer_ = 0;  // takes the time of commits
  std::vector<Open> open_;
  Monotonic last_commit_;
  int writing_ = 0;
  WakeSignal written_;
};

}  // namespace hikae::control
