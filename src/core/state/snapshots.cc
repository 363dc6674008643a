#include "core/state/snapshots.h"

#include <algorithm>

namespace hikae::core {
namespace {

template <class Matches>
const Snapshot* find_under_way(const State& state, Matches matches) {
  for (const SnapshotName& name : state.snapshots_under_way()) {
    const auto* snapshot = state.find<Snapshot>(name);
    if (matches(*snapshot)) {
      return snapshot;
    }
  }
  return nullptr;
}

}  // namespace

const Snapshot* snapshot_under_way(const State& state, const ReplicationGroup& group) {
  return find_under_way(state,
                        [&](const Snapshot& snapshot) { return snapshot.group == group.id; });
}

const Snapshot* snapshot_under_way(const State& state, const CacheCluster& cluster) {
  return find_under_way(state, [&](const Snapshot& snapshot) {
    return snapshot.group == cluster.replication_group && snapshot.cluster == cluster.id;
  });
}

bool is_taken_of(const Snapshot& snapshot, const ReplicationGroupId& group,
                 const CacheClusterId& standalone) {
  return snapshot.group == group && (!group.empty() || snapshot.cluster == standalone);
}

std::string shown_status(const State& state, const ReplicationGroup& group) {
  if (!group.final_snapshot.empty()) {
    return "deleting";
  }
  const bool taken = group.status == "available" && snapshot_under_way(state, group) != nullptr;
  return taken ? "snapshotting" : group.status;
}

std::string shown_status(const State& state, const CacheCluster& cluster) {
  const bool taken = cluster.status == "available" && snapshot_under_way(state, cluster) != nullptr;
  return taken ? "snapshotting" : cluster.status;
}

std::string shown_status(const State& state, const Snapshot& snapshot) {
  const auto& clusters = state.all<CacheCluster>();
  const bool restored = std::any_of(clusters.begin(), clusters.end(), [&](const auto& item) {
    return item.second.restore.snapshot == snapshot.name;
  });
  return restored && snapshot.status == "available" ? "restoring" : snapshot.status;
}

}  // namespace hikae::core
