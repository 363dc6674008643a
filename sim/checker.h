#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/naming/name_record.h"
#include "sim/controller.h"
#include "sim/fleet.h"
#include "sim/snapshots.h"
#include "sim/store.h"

namespace hikae::sim {

// What must never happen, checked from outside: from the processes themselves, the stored state and
// the published names. The first violation is kept.
class Checker final : public FleetObserver, public StoreObserver {
 public:
  Checker(Env env, Fleet& fleet, const SimStore& store, const Shelf& shelf)
      : env_(env), fleet_(fleet), store_(store), shelf_(shelf) {}

  const std::optional<std::string>& violation() const { return violation_; }
  void fail(std::string what);

  // After every event: at most one engine of a node group can take writes, and only one that was
  // made primary by a commit.
  void check();
  void on_publish(const core::NameRecord& record);

  // An agent was told what is wanted at that revision.
  void on_delivery(const core::Assignment& assignment) {
    heard_[assignment.host] = assignment.revision;
  }
  // The controller was told of a host.
  void on_report(const core::HostReport& report);

  // A failover was decided and committed.
  void on_failover(const control::Reconciler::CommittedFailover& failover);

  // A failover's report is on disk.
  void on_kept_report(const control::FailoverReport& report) {
    reported_.emplace(core::ReplicationGroupId(report.replication_group),
                      core::Epoch(report.epoch));
  }

  // A client was told that its write is done.
  // `confirmed`: by as many replicas as the group's promise wants.
  void on_acknowledged(const core::ReplicationGroupId& group, std::uint64_t number,
                       History::Place place, bool confirmed);
  // An operator gives up what was confirmed, so that groups go on without it.
  void give_up_confirmed();
  // Every acknowledged write is in the primary's data, unless a fault has destroyed all copies that
  // the group could have gone on with.
  void check_acknowledged(const core::ReplicationGroupId& group, const Engine& primary);

  void on_death(const Engine& engine) override;
  void on_full_resync(const Engine& replica, const Engine& upstream, History::Place copy) override;
  void on_commit(const core::State& before, const core::State& after,
                 const core::Transition& transition) override;

  std::uint64_t acknowledged() const { return acknowledged_; }
  std::uint64_t excused() const { return excused_; }
  std::uint64_t takeovers() const { return takeovers_; }
  int snapshots() const { return snapshots_; }

 private:
  struct Write {
    std::uint64_t number = 0;
    History::Place place = History::kEmpty;
    bool confirmed = false;
  };
  struct Ledger {
    std::vector<Write> owed;  // acknowledged, and not excused
  };

  void excuse(const core::ReplicationGroupId& group, const std::function<bool(const Write&)>& lost);
  void check_report(const core::State& before, const core::ReplicationGroup& now);
  void check_failover_switch(const core::State& before, const core::ReplicationGroup& now);
  void check_withdrawal(const core::State& before, const core::CacheCluster& now);
  void check_snapshot(const core::State& before, const core::Transition& transition,
                      const core::Snapshot& now);
  void check_choice(const core::ReplicationGroupId& group, const core::NodeGroup& was,
                    const core::NodeGroup& now);
  void check_group(const core::State& before, const core::ReplicationGroup& now);
  std::vector<const Engine*> living_copies(const core::ReplicationGroupId& group,
                                           Pid without) const;
  bool is_held(const Write& write, const std::vector<const Engine*>& copies) const;
  bool has_failover(const core::ReplicationGroupId& group) const;

  Env env_;
  Fleet& fleet_;
  const SimStore& store_;
  const Shelf& shelf_;
  std::optional<std::string> violation_;
  std::set<std::pair<core::ReplicationGroupId, core::CacheClusterId>> made_primary_;
  std::map<core::ReplicationGroupId, Ledger> ledgers_;
  std::map<core::HostId, core::Revision> heard_;
  // Since the newest death of a group's primary: the hosts of which the controller had news in
  // time.
  struct Loss {
    Monotonic at;
    std::set<core::HostId> heard;
  };
  std::map<core::ReplicationGroupId, Loss> losses_;
  std::map<core::CacheClusterId, History::Place> left_behind_;  // by the newest process that died
  // When automatic failover was turned on later: it protects once the primary's agent heard of it.
  std::map<core::ReplicationGroupId, core::Revision> turned_on_;
  // Groups have one node group here.
  std::set<std::pair<core::ReplicationGroupId, core::Epoch>> reported_;
  bool gave_up_ = false;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t excused_ = 0;
  std::uint64_t takeovers_ = 0;
  int snapshots_ = 0;
  // The newest write that was owed when the snapshot was asked for.
  std::map<core::SnapshotName, std::uint64_t> owed_to_;
};

}  // namespace hikae::sim
