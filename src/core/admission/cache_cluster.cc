#include "core/admission/cache_cluster.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/admission/identifiers.h"
#include "core/admission/replication_group.h"
#include "core/admission/snapshot.h"
#include "core/failover/confirmed_writes.h"
#include "core/state/events.h"
#include "core/state/snapshots.h"

namespace hikae::core {
namespace {

const NodeId kOnlyNode("0001");

std::optional<Fault> undeletable_member(const State& state, const CacheCluster& cluster) {
  const auto* group = state.find<ReplicationGroup>(cluster.replication_group);
  if (group == nullptr) {
    return std::nullopt;
  }
  for (const NodeGroup& node_group : group->node_groups) {
    const auto& members = node_group.members;
    if (std::find(members.begin(), members.end(), cluster.id) == members.end()) {
      continue;
    }
    if (members.size() == 1) {
      return Fault{"InvalidCacheClusterState",
                   "Cannot delete the cache cluster since it is the only member of a replication "
                   "group. Delete the replication group instead."};
    }
    if (node_group.primary == cluster.id) {
      return Fault{
          "InvalidCacheClusterState",
          fmt::format("Cannot delete the cache cluster because it is serving as primary for "
                      "replication group {}.",
                      group->id.str())};
    }
    const auto left = std::count_if(members.begin(), members.end(), [&](const auto& id) {
      const auto* member = state.find<CacheCluster>(id);
      return id != cluster.id && member != nullptr && member->status != "deleting";
    });
    if (auto fault = too_few_to_confirm(state, node_group, int(left) - 1)) {
      return fault;
    }
    const bool failover =
        group->automatic_failover == "enabled" || group->automatic_failover == "enabling";
    if (failover && left < 2) {
      return Fault{
          "InvalidCacheClusterState",
          fmt::format("Cannot delete the cache cluster because it is the only read replica "
                      "for replication group {} which has autofailover enabled or pending. "
                      "You can disable autofailover and then delete this cache cluster. "
                      "Alternatively, to delete the entire replication group, use "
                      "DeleteReplicationGroup.",
                      group->id.str())};
    }
  }
  return std::nullopt;
}

}  // namespace

CacheCluster new_cluster(CacheClusterId id, CacheSettings settings, ZoneName preferred_zone,
                         Tags tags) {
  CacheCluster cluster;
  cluster.id = std::move(id);
  cluster.settings = std::move(settings);
  cluster.tags = std::move(tags);
  Node node;
  node.id = kOnlyNode;
  node.preferred_zone = std::move(preferred_zone);
  cluster.nodes.push_back(std::move(node));
  return cluster;
}

std::optional<Fault> too_few_to_confirm(const State& state, const NodeGroup& node_group,
                                        int replicas) {
  const int wanted = confirmations_of(state, node_group);
  if (replicas >= wanted) {
    return std::nullopt;
  }
  return Fault{"InvalidParameterCombination",
               fmt::format("The parameter group has writes confirmed by {} replicas "
                           "(min-replicas-to-write), and {} would be left.",
                           wanted, replicas)};
}

std::optional<Fault> quota_exceeded(const State& state, std::size_t more) {
  if (state.all<CacheCluster>().size() + more <= kMaxNodesPerRegion) {
    return std::nullopt;
  }
  return Fault{"NodeQuotaForCustomerExceeded",
               fmt::format("Customer node quota exceeded. You can have at most {} nodes in this "
                           "region",
                           kMaxNodesPerRegion)};
}

Admitted<ZoneName> check_zone(const State& state, const std::string& zone) {
  const auto& zones = state.region().zones;
  if (!zone.empty() && std::find(zones.begin(), zones.end(), ZoneName(zone)) == zones.end()) {
    return refuse("InvalidParameterValue",
                  fmt::format("{} is not a valid availability zone.", zone));
  }
  return ZoneName(zone);
}

void retire(const State& state, CacheCluster& cluster) {
  cluster.status = "deleting";
  cluster.retired_at = state.revision().next();
  cluster.final_snapshot = {};
  cluster.restore = {};
  for (Node& node : cluster.nodes) {
    node.status = "deleting";
  }
}

void begin_deletion(const State& state, CacheCluster cluster, Transition& transition) {
  retire(state, cluster);
  if (cluster.replication_group.empty()) {
    drop_automatic_snapshots(state, {}, cluster.id, transition);
  }
  transition.put(std::move(cluster));
}

Admitted<Transition> admit(const State& state, const CreateCacheCluster& command,
                           AdmissionContext context) {
  const auto id = parse_cache_cluster_id(command.id);
  if (!id) {
    return tl::unexpected(id.error());
  }
  if (state.find<CacheCluster>(*id) != nullptr) {
    return refuse("CacheClusterAlreadyExists",
                  fmt::format("Cache cluster {} already exists.", id->str()));
  }
  if (command.num_nodes.value_or(1) != 1) {
    return refuse("InvalidParameterValue",
                  "Cannot create a Redis cluster with a NumCacheNodes parameter greater than 1.");
  }
  if (auto fault = quota_exceeded(state, 1)) {
    return tl::unexpected(*fault);
  }
  const auto zone = check_zone(state, command.preferred_zone);
  if (!zone) {
    return tl::unexpected(zone.error());
  }
  Transition out;
  const auto request = with_snapshot_settings(state, command.restore, command.settings);
  if (!request) {
    return tl::unexpected(request.error());
  }
  auto settings = resolve_cache_settings(state, *request, context, out);
  if (!settings) {
    return tl::unexpected(settings.error());
  }
  auto source = restore_source(state, command.restore, *settings);
  if (!source) {
    return tl::unexpected(source.error());
  }
  CacheCluster cluster = new_cluster(*id, std::move(*settings), *zone, command.tags);
  cluster.restore = std::move(*source);
  if (auto logs = change_log_deliveries(command.logs, cluster.settings, cluster.log_deliveries);
      !logs) {
    return tl::unexpected(logs.error());
  }
  out.put(std::move(cluster));
  return out;
}

Admitted<Transition> admit(const State& state, const DeleteCacheCluster& command,
                           AdmissionContext context) {
  const auto* found = state.find<CacheCluster>(lookup_id<CacheClusterId>(command.id));
  if (found == nullptr) {
    return tl::unexpected(cache_cluster_not_found(command.id));
  }
  if (!is_free(state, *found) && found->status != "restore-failed") {
    return refuse(
        "InvalidCacheClusterState",
        fmt::format("Cache cluster {} is not in a valid state to be deleted.", found->id.str()));
  }
  if (auto fault = undeletable_member(state, *found)) {
    return tl::unexpected(*fault);
  }
  Transition out;
  if (command.final_snapshot) {
    if (!found->replication_group.empty() || found->status != "available") {
      return refuse("InvalidParameterCombination",
                    "A final snapshot is taken of an available cluster that is no member of a "
                    "replication group.");
    }
    auto last = final_snapshot(state, *found, *command.final_snapshot, context.now);
    if (!last) {
      return tl::unexpected(last.error());
    }
    CacheCluster doomed = *found;
    doomed.final_snapshot = last->name;
    out.put(std::move(*last));
    out.put(std::move(doomed));
    return out;
  }
  begin_deletion(state, *found, out);
  if (const auto* group = state.find<ReplicationGroup>(found->replication_group)) {
    ReplicationGroup modified = *group;
    modified.status = "modifying";
    out.put(std::move(modified));
  }
  return out;
}

Admitted<Transition> admit(const State& state, const RebootCacheCluster& command,
                           AdmissionContext context) {
  const auto* found = state.find<CacheCluster>(lookup_id<CacheClusterId>(command.id));
  if (found == nullptr) {
    return tl::unexpected(cache_cluster_not_found(command.id));
  }
  if (!is_free(state, *found)) {
    return refuse("InvalidCacheClusterState",
                  fmt::format("Cache cluster {} is not in available state.", found->id.str()));
  }
  CacheCluster next = *found;
  EventWriter events(state, context.now);
  for (const std::string& id : command.nodes) {
    const auto node = std::find_if(next.nodes.begin(), next.nodes.end(),
                                   [&](const Node& candidate) { return candidate.id.str() == id; });
    if (node == next.nodes.end()) {
      return refuse(
          "InvalidParameterValue",
          fmt::format("Invalid cache node id {} for cache cluster {}.", id, found->id.str()));
    }
    if (node->status != "rebooting") {
      ask_for_restart(*node);
    }
    events.add(kSourceCacheCluster, next.id.str(), fmt::format("Cache node {} shutdown", id));
  }
  next.status = "rebooting cluster nodes";
  Transition out;
  out.put(std::move(next));
  events.finish(out);
  return out;
}

}  // namespace hikae::core
