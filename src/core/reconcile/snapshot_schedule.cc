#include "core/reconcile/snapshot_schedule.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/admission/snapshot.h"
#include "core/admission/windows.h"
#include "core/state/snapshots.h"

namespace hikae::core {
namespace {

constexpr std::string_view kAutomated = "automated";

bool was_taken_since(const State& state, const ReplicationGroupId& group,
                     const CacheClusterId& standalone, Instant since) {
  const auto& all = state.all<Snapshot>();
  return std::any_of(all.begin(), all.end(), [&](const auto& item) {
    return item.second.source == kAutomated && is_taken_of(item.second, group, standalone) &&
           item.second.created_at >= since;
  });
}

bool is_due(const State& state, const CacheSettings& settings, const ReplicationGroupId& group,
            const CacheClusterId& standalone, Instant now) {
  const auto opened = snapshot_window_opened(settings.snapshot_window, now);
  return settings.snapshot_retention_days > 0 && opened &&
         !was_taken_since(state, group, standalone, *opened) &&
         state.all<Snapshot>().size() < kMaxSnapshots;
}

void put_automatic(const State& state, Snapshot snapshot, Transition& out) {
  if (state.find<Snapshot>(snapshot.name) == nullptr) {
    snapshot.source = kAutomated;
    out.put(std::move(snapshot));
  }
}

void take_of_groups(const State& state, Instant now, Transition& out) {
  for (const auto& [id, group] : state.all<ReplicationGroup>()) {
    if (!is_due(state, group.settings, id, {}, now) || !is_free(state, group)) {
      continue;
    }
    const NodeGroup& node_group = group.node_groups.front();
    const auto* member = state.find<CacheCluster>(group.snapshotting_cluster);
    member = member == nullptr ? state.find<CacheCluster>(node_group.primary) : member;
    if (member != nullptr) {
      put_automatic(
          state, new_snapshot(state, group, *member, automatic_snapshot_name(member->id, now), now),
          out);
    }
  }
}

void take_of_clusters(const State& state, Instant now, Transition& out) {
  for (const auto& [id, cluster] : state.all<CacheCluster>()) {
    if (cluster.replication_group.empty() && is_due(state, cluster.settings, {}, id, now) &&
        is_free(state, cluster)) {
      put_automatic(state, new_snapshot(state, cluster, automatic_snapshot_name(id, now), now),
                    out);
    }
  }
}

// The source's own setting counts while it has one: a change of it holds for what is there already.
int retention_of(const State& state, const Snapshot& snapshot) {
  int days = 0;
  if (const auto* group = state.find<ReplicationGroup>(snapshot.group)) {
    days = group->settings.snapshot_retention_days;
  } else if (const auto* cluster = state.find<CacheCluster>(snapshot.cluster)) {
    days = cluster->settings.snapshot_retention_days;
  }
  return days > 0 ? days : snapshot.settings.snapshot_retention_days;
}

void remove_expired(const State& state, Instant now, Transition& out) {
  for (const auto& [name, snapshot] : state.all<Snapshot>()) {
    const auto kept = std::chrono::hours(24 * std::int64_t(retention_of(state, snapshot)));
    if (snapshot.source != kAutomated || snapshot.created_at + kept > now) {
      continue;
    }
    const std::string status = shown_status(state, snapshot);
    if (status == "available" || status == "failed") {
      Snapshot next = snapshot;
      next.status = "deleting";
      out.put(std::move(next));
    }
  }
}

void fail_orphans(const State& state, Transition& out) {
  for (const auto& [name, snapshot] : state.all<Snapshot>()) {
    const bool has_source = snapshot.group.empty()
                                ? state.find<CacheCluster>(snapshot.cluster) != nullptr
                                : state.find<ReplicationGroup>(snapshot.group) != nullptr;
    if (snapshot.is_under_way() && !has_source) {
      Snapshot next = snapshot;
      next.status = "failed";
      out.put(std::move(next));
    }
  }
}

}  // namespace

SnapshotName automatic_snapshot_name(const CacheClusterId& source, Instant now) {
  // `2026-11-25T23:37:..` with its separators replaced.
  std::string time = to_iso8601(now).substr(0, 16);
  std::replace(time.begin(), time.end(), 'T', '-');
  std::replace(time.begin(), time.end(), ':', '-');
  return SnapshotName(fmt::format("automatic.{}-{}", source.str(), time));
}

Transition due_snapshots(const State& state, AdmissionContext context) {
  Transition out;
  take_of_groups(state, context.now, out);
  take_of_clusters(state, context.now, out);
  remove_expired(state, context.now, out);
  fail_orphans(state, out);
  return out;
}

}  // namespace hikae::core
