#pragma once

#include <optional>
#include <set>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "control/background_task.h"
#include "control/frontend.h"
#include "control/snapshot_ports.h"
#include "control/wake_signal.h"

namespace hikae::control {

// Removes what a crash left behind of files that are in no snapshot; where nobody else may be
// about to write one.
Awaitable<void> remove_unused_snapshot_files(const Frontend& frontend, SnapshotFiles& files,
                                             Log& log);

// The control plane's part in snapshots: takes and drops those that are due by the time, and does
// what is to be done with files: copies, exports, removals. Level-triggered: after a crash at any
// point the state says what is still to be done.
class SnapshotKeeper {
 public:
  // Where several servers share a state: `term` is the one in which this server leads.
  SnapshotKeeper(boost::asio::any_io_executor executor, Frontend& frontend, SnapshotFiles& files,
                 Clock& clock, Log& log, std::optional<LeaderTerm> term = std::nullopt);
  ~SnapshotKeeper();  // stop() must have returned

  void start();
  // Returns when its coroutine has ended.
  Awaitable<void> stop();

 private:
  Awaitable<void> run();
  // These answer whether anything was done.
  Awaitable<bool> schedule();
  Awaitable<bool> work();
  Awaitable<bool> copy(core::Snapshot copy);
  Awaitable<bool> put(core::Snapshot snapshot);
  Awaitable<bool> remove(core::Snapshot snapshot);
  Awaitable<void> sweep_now_and_then();
  Awaitable<void> commit(Frontend::Decision decision);

  Frontend& frontend_;
  SnapshotFiles& files_;
  Clock& clock_;
  Log& log_;
  const std::optional<LeaderTerm> term_;
  Frontend::ObserverId observer_ = 0;
  WakeSignal wake_;
  BackgroundTask task_;
  std::set<core::SnapshotName> later_;  // what failed is tried again after a while
  Monotonic swept_;
  Monotonic scheduled_;
  bool changed_ = false;  // something of the state, since then
  bool stopping_ = false;
};

}  // namespace hikae::control
