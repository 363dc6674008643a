#include "core/admission/snapshot.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/admission/identifiers.h"
#include "core/state/snapshots.h"

namespace hikae::core {
namespace {

constexpr Duration kQuotaPeriod = std::chrono::hours(24);

// Where data is taken of by default: the member that the group names for that, else a replica.
const CacheCluster* preferred_member(const State& state, const ReplicationGroup& group) {
  const NodeGroup& node_group = group.node_groups.front();
  CacheClusterId id = group.snapshotting_cluster;
  for (const CacheClusterId& member : node_group.members) {
    if (id.empty() && member != node_group.primary) {
      id = member;
    }
  }
  const auto* preferred = state.find<CacheCluster>(id);
  return preferred != nullptr ? preferred : state.find<CacheCluster>(node_group.primary);
}

bool is_manual_of_same_source(const Snapshot& one, const Snapshot& other) {
  return one.source == "manual" && is_taken_of(one, other.group, other.cluster);
}

std::optional<Fault> over_quota(const State& state, const Snapshot& next) {
  const auto& all = state.all<Snapshot>();
  const auto taken = std::count_if(all.begin(), all.end(), [&](const auto& item) {
    return is_manual_of_same_source(item.second, next) &&
           item.second.created_at > next.created_at - kQuotaPeriod;
  });
  if (std::size_t(taken) >= kMaxManualSnapshots) {
    return Fault{"SnapshotQuotaExceededFault",
                 fmt::format("The maximum number of manual snapshots for this {} taken within 24 "
                             "hours has been reached",
                             next.group.empty() ? "node" : "cluster")};
  }
  if (all.size() >= kMaxSnapshots) {
    return Fault{
        "SnapshotQuotaExceededFault",
        fmt::format("There can be at most {} snapshots in a region. Delete some.", kMaxSnapshots)};
  }
  return std::nullopt;
}

Admitted<SnapshotName> new_name(const State& state, const std::string& text) {
  auto name = parse_snapshot_name(text);
  if (name && state.find<Snapshot>(*name) != nullptr) {
    return refuse("SnapshotAlreadyExistsFault",
                  fmt::format("Snapshot with specified name already exists: {}", name->str()));
  }
  return name;
}

// What a client asks for has a tariff and limits; what the schedule takes has not.
Admitted<Snapshot> check(const State& state, Snapshot snapshot) {
  if (snapshot.settings.node_type == "cache.t1.micro") {
    return refuse("SnapshotFeatureNotSupportedFault",
                  "Snapshots are not supported for cache.t1.micro nodes.");
  }
  if (auto fault = over_quota(state, snapshot)) {
    return tl::unexpected(*fault);
  }
  return snapshot;
}

Fault busy(const ReplicationGroup& group) {
  return Fault{"InvalidReplicationGroupState",
               fmt::format("Replication group {} is not in available state.", group.id.str())};
}

Fault busy(const CacheCluster& cluster) {
  return Fault{"InvalidCacheClusterState",
               fmt::format("Cache cluster {} is not in available state.", cluster.id.str())};
}

Admitted<Snapshot> begin_of_group(const State& state, const std::string& id, SnapshotName name,
                                  Instant now) {
  const auto* group = state.find<ReplicationGroup>(lookup_id<ReplicationGroupId>(id));
  if (group == nullptr) {
    return tl::unexpected(replication_group_not_found(id));
  }
  const auto* member = preferred_member(state, *group);
  if (!is_free(state, *group) || member == nullptr) {
    return tl::unexpected(busy(*group));
  }
  return check(state, new_snapshot(state, *group, *member, std::move(name), now));
}

Admitted<Snapshot> begin_of_cluster(const State& state, const std::string& id, SnapshotName name,
                                    Instant now) {
  const auto* cluster = state.find<CacheCluster>(lookup_id<CacheClusterId>(id));
  if (cluster == nullptr) {
    return tl::unexpected(cache_cluster_not_found(id));
  }
  if (!is_free(state, *cluster)) {
    return tl::unexpected(busy(*cluster));
  }
  const auto* group = state.find<ReplicationGroup>(cluster->replication_group);
  if (group == nullptr) {
    return check(state, new_snapshot(state, *cluster, std::move(name), now));
  }
  if (!is_free(state, *group)) {
    return tl::unexpected(busy(*group));
  }
  return check(state, new_snapshot(state, *group, *cluster, std::move(name), now));
}

Snapshot describe_source(const State& state, const CacheCluster& cluster, SnapshotName name,
                         Instant now) {
  Snapshot out;
  out.name = std::move(name);
  out.cluster = cluster.id;
  out.settings = cluster.settings;
  out.settings.access = {};  // of the source, not of its data
  out.created_at = now;
  out.cluster_created_at = cluster.created_at;
  if (const auto* subnets = state.find<SubnetGroup>(cluster.settings.subnet_group)) {
    out.vpc = subnets->vpc;
  }
  NodeSnapshot data;
  data.cluster = cluster.id;
  if (!cluster.nodes.empty()) {
    out.zone = cluster.nodes[0].zone;
    data.node = cluster.nodes[0].id;
    data.node_created_at = cluster.nodes[0].created_at;
  }
  out.nodes.push_back(std::move(data));
  return out;
}

Fault not_ready(const Snapshot& snapshot, const std::string& status, std::string_view what_for) {
  return Fault{"InvalidSnapshotState", fmt::format("Snapshot {} has status {} and cannot be {}.",
                                                   snapshot.name.str(), status, what_for)};
}

Admitted<Transition> begin_copy(const State& state, const Snapshot& source,
                                const CopySnapshot& command, Instant now) {
  auto name = new_name(state, command.target);
  if (!name) {
    return tl::unexpected(name.error());
  }
  Snapshot copy = source;
  copy.name = std::move(*name);
  copy.status = "creating";
  copy.source = "manual";
  copy.created_at = now;
  copy.copy_of = source.name;
  copy.tags = command.tags.empty() ? source.tags : command.tags;
  for (NodeSnapshot& data : copy.nodes) {
    data.file = {};
  }
  auto checked = check(state, std::move(copy));
  if (!checked) {
    return tl::unexpected(checked.error());
  }
  Transition out;
  Snapshot busy_source = source;
  busy_source.status = "copying";
  out.put(std::move(busy_source));
  out.put(std::move(*checked));
  return out;
}

Admitted<Transition> begin_export(const Snapshot& source, const CopySnapshot& command) {
  const auto name = parse_snapshot_name(command.target);
  if (!name) {
    return tl::unexpected(name.error());
  }
  Transition out;
  Snapshot next = source;
  next.status = "exporting";
  next.bucket = *command.bucket;
  next.key_prefix = command.target;
  out.put(std::move(next));
  return out;
}

template <class Source>
Admitted<Snapshot> checked_final(const State& state, const Source& source,
                                 const CacheCluster* member, const std::string& text, Instant now) {
  auto name = new_name(state, text);
  if (!name) {
    return tl::unexpected(name.error());
  }
  if constexpr (std::is_same_v<Source, ReplicationGroup>) {
    return check(state, new_snapshot(state, source, *member, std::move(*name), now));
  } else {
    return check(state, new_snapshot(state, source, std::move(*name), now));
  }
}

}  // namespace

Snapshot new_snapshot(const State& state, const CacheCluster& standalone, SnapshotName name,
                      Instant now) {
  return describe_source(state, standalone, std::move(name), now);
}

Snapshot new_snapshot(const State& state, const ReplicationGroup& group, const CacheCluster& member,
                      SnapshotName name, Instant now) {
  Snapshot out = describe_source(state, member, std::move(name), now);
  out.group = group.id;
  out.description = group.description;
  out.automatic_failover = group.automatic_failover;
  out.node_groups = int(group.node_groups.size());
  out.settings.snapshot_retention_days = group.settings.snapshot_retention_days;
  out.nodes.front().node_group = group.node_groups.front().id;
  return out;
}

Admitted<Snapshot> final_snapshot(const State& state, const ReplicationGroup& group,
                                  const std::string& name, Instant now) {
  return checked_final(state, group, preferred_member(state, group), name, now);
}

Admitted<Snapshot> final_snapshot(const State& state, const CacheCluster& standalone,
                                  const std::string& name, Instant now) {
  return checked_final(state, standalone, nullptr, name, now);
}

void drop_automatic_snapshots(const State& state, const ReplicationGroupId& group,
                              const CacheClusterId& standalone, Transition& transition) {
  for (const auto& [name, snapshot] : state.all<Snapshot>()) {
    const bool settled = snapshot.status == "available" || snapshot.status == "failed";
    if (is_taken_of(snapshot, group, standalone) && settled && snapshot.source == "automated") {
      Snapshot next = snapshot;
      next.status = "deleting";
      transition.put(std::move(next));
    }
  }
}

Fault snapshot_not_found(std::string_view name) {
  return Fault{"SnapshotNotFoundFault", fmt::format("Snapshot not found: {}", name)};
}

Admitted<Transition> admit(const State& state, const CreateSnapshot& command,
                           AdmissionContext context) {
  if (command.cluster.has_value() == command.group.has_value()) {
    return refuse("InvalidParameterCombination",
                  "Exactly one of CacheClusterId and ReplicationGroupId must be specified.");
  }
  auto name = new_name(state, command.name);
  if (!name) {
    return tl::unexpected(name.error());
  }
  auto snapshot = command.group
                      ? begin_of_group(state, *command.group, std::move(*name), context.now)
                      : begin_of_cluster(state, *command.cluster, std::move(*name), context.now);
  if (!snapshot) {
    return tl::unexpected(snapshot.error());
  }
  snapshot->tags = command.tags;
  Transition out;
  out.put(std::move(*snapshot));
  return out;
}

Admitted<Transition> admit(const State& state, const CopySnapshot& command,
                           AdmissionContext context) {
  const auto* source = state.find<Snapshot>(lookup_id<SnapshotName>(command.source));
  if (source == nullptr) {
    return tl::unexpected(snapshot_not_found(command.source));
  }
  // One of which a cache is made stays as it is, so it can be copied as well.
  if (source->status != "available") {
    return tl::unexpected(not_ready(*source, source->status, "copied"));
  }
  return command.bucket ? begin_export(*source, command)
                        : begin_copy(state, *source, command, context.now);
}

Admitted<Transition> admit(const State& state, const DeleteSnapshot& command, AdmissionContext) {
  const auto* found = state.find<Snapshot>(lookup_id<SnapshotName>(command.name));
  if (found == nullptr) {
    return tl::unexpected(snapshot_not_found(command.name));
  }
  const std::string status = shown_status(state, *found);
  if (status != "available" && status != "failed") {
    return tl::unexpected(not_ready(*found, status, "deleted"));
  }
  Transition out;
  Snapshot next = *found;
  next.status = "deleting";
  out.put(std::move(next));
  return out;
}

}  // namespace hikae::core
