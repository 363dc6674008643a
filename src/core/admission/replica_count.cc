#include "core/admission/replica_count.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "core/admission/cache_cluster.h"
#include "core/admission/identifiers.h"
#include "core/admission/replication_group.h"
#include "core/admission/settings_rules.h"
#include "core/placement/placement.h"
#include "core/state/snapshots.h"

namespace hikae::core {
namespace {

constexpr int kMostReplicas = kMaxMembers - 1;

Admitted<const ReplicationGroup*> find_group(const State& state, const std::string& id,
                                             bool apply_immediately) {
  const auto* group = state.find<ReplicationGroup>(lookup_id<ReplicationGroupId>(id));
  if (group == nullptr) {
    return tl::unexpected(replication_group_not_found(id));
  }
  if (!apply_immediately) {
    return refuse("InvalidParameterValue", "ApplyImmediately=False is not currently supported.");
  }
  if (!is_free(state, *group)) {
    return refuse("InvalidReplicationGroupState",
                  "Replication group must be in available state to modify.");
  }
  for (const CacheClusterId& member : group->node_groups[0].members) {
    const auto* cluster = state.find<CacheCluster>(member);
    if (cluster == nullptr || cluster->status != "available") {
      return refuse("InvalidCacheClusterState",
                    fmt::format("Cache cluster {} is not in available state.", member.str()));
    }
  }
  return group;
}

// The wish for the only node group, from either way to tell it.
Admitted<ShardReplicas> wish_of(const ReplicationGroup& group, const std::optional<int>& replicas,
                                const std::vector<ShardReplicas>& shards) {
  const NodeGroup& node_group = group.node_groups[0];
  ShardReplicas wish{node_group.id.str(), replicas.value_or(0), {}};
  if (!shards.empty()) {
    wish = shards.front();
  }
  if (wish.node_group != node_group.id.str() || shards.size() > 1) {
    return refuse("InvalidParameterValue",
                  fmt::format("Replication group {} has the node group {} alone.", group.id.str(),
                              node_group.id.str()));
  }
  if (wish.replicas < 0 || wish.replicas > kMostReplicas) {
    return refuse("InvalidParameterValue",
                  "The number of replicas per node group must be within 0 and 5.");
  }
  if (!wish.zones.empty() && int(wish.zones.size()) != wish.replicas + 1) {
    return refuse("InvalidParameterCombination",
                  "The number of PreferredAvailabilityZones must be NewReplicaCount plus 1.");
  }
  return wish;
}

Checked differs_from_now(int wanted, int now, bool more) {
  if (wanted == now) {
    return refuse("NoOperationFault",
                  "Requested new replica count already matches current number of replicas.");
  }
  if ((wanted > now) != more) {
    return refuse("InvalidParameterValue",
                  fmt::format("The new replica count {} must be {} than the current number of "
                              "replicas, {}.",
                              wanted, more ? "greater" : "less", now));
  }
  return {};
}

// Zones that are wished for and have no node yet, in their order.
Admitted<std::vector<std::string>> zones_to_fill(const State& state, const ReplicationGroup& group,
                                                 const std::vector<std::string>& wished) {
  const auto usable = usable_zones(state, *state.find<SubnetGroup>(group.settings.subnet_group));
  std::multiset<std::string> taken;
  for (const CacheClusterId& id : group.node_groups[0].members) {
    taken.insert(state.find<CacheCluster>(id)->nodes[0].zone.str());
  }
  std::vector<std::string> out;
  for (const std::string& zone : wished) {
    if (std::find(usable.begin(), usable.end(), ZoneName(zone)) == usable.end()) {
      return refuse("InvalidParameterValue",
                    fmt::format("{} is not a zone of cache subnet group {}.", zone,
                                group.settings.subnet_group.str()));
    }
    if (const auto it = taken.find(zone); it != taken.end()) {
      taken.erase(it);
    } else {
      out.push_back(zone);
    }
  }
  if (!wished.empty() && !taken.empty()) {
    return refuse("InvalidParameterValue",
                  fmt::format("A node of replication group {} is in {}, which the "
                              "PreferredAvailabilityZones leave out.",
                              group.id.str(), *taken.begin()));
  }
  return out;
}

CacheClusterId next_member(const State& state, const ReplicationGroup& group,
                           const Transition& transition) {
  for (int number = 1;; ++number) {
    const CacheClusterId id(fmt::format("{}-{:03}", group.id.str(), number));
    if (find_after<CacheCluster>(state, transition, id) == nullptr) {
      return id;
    }
  }
}

std::vector<const CacheCluster*> replicas_of(const State& state, const NodeGroup& node_group) {
  std::vector<const CacheCluster*> out;
  for (const CacheClusterId& id : node_group.members) {
    if (id != node_group.primary) {
      out.push_back(state.find<CacheCluster>(id));
    }
  }
  return out;
}

Admitted<std::vector<CacheClusterId>> named_replicas(const ReplicationGroup& group,
                                                     const std::vector<std::string>& names) {
  const NodeGroup& node_group = group.node_groups[0];
  std::vector<CacheClusterId> out;
  for (const std::string& name : names) {
    const auto id = lookup_id<CacheClusterId>(name);
    if (std::find(node_group.members.begin(), node_group.members.end(), id) ==
        node_group.members.end()) {
      return refuse("InvalidParameterValue",
                    fmt::format("Cache cluster {} is not a member of replication group {}.",
                                id.str(), group.id.str()));
    }
    if (id == node_group.primary) {
      return refuse("InvalidParameterValue",
                    fmt::format("Cache cluster {} cannot be removed because it is serving as "
                                "primary for replication group {}.",
                                id.str(), group.id.str()));
    }
    if (std::find(out.begin(), out.end(), id) == out.end()) {
      out.push_back(id);
    }
  }
  return out;
}

// Replicas whose zones are wished for stay; of the others `count` go.
Admitted<std::vector<CacheClusterId>> choose_replicas(const State& state,
                                                      const NodeGroup& node_group, int count,
                                                      const std::vector<std::string>& wished) {
  std::map<ZoneName, int> in_zone;
  std::multiset<std::string> wanted(wished.begin(), wished.end());
  const auto keep = [&](const CacheCluster& cluster) {
    const auto it = wanted.find(cluster.nodes[0].zone.str());
    return it != wanted.end() ? (wanted.erase(it), true) : false;
  };
  const auto* primary = state.find<CacheCluster>(node_group.primary);
  ++in_zone[primary->nodes[0].zone];
  bool fits = wished.empty() || keep(*primary);
  auto left = replicas_of(state, node_group);
  for (const CacheCluster* replica : left) {
    ++in_zone[replica->nodes[0].zone];
  }
  if (!wished.empty()) {
    std::erase_if(left, [&](const CacheCluster* replica) { return keep(*replica); });
    fits = fits && wanted.empty();
  }
  if (!fits) {
    return refuse("InvalidParameterValue",
                  "No set of the replicas fits into the PreferredAvailabilityZones.");
  }
  std::vector<CacheClusterId> out;
  while (int(out.size()) < count) {
    const auto rank = [&](const CacheCluster* replica) {
      const Node& node = replica->nodes[0];
      return std::pair(node.recovering, in_zone[node.zone]);
    };
    auto worst = left.begin();
    for (auto it = left.begin(); it != left.end(); ++it) {
      worst = rank(*it) >= rank(*worst) ? it : worst;
    }
    --in_zone[(*worst)->nodes[0].zone];
    out.push_back((*worst)->id);
    left.erase(worst);
  }
  return out;
}

Checked check_remaining(const State& state, const ReplicationGroup& group,
                        const std::vector<CacheClusterId>& removed) {
  std::set<ZoneName> zones;
  int replicas = 0;
  const NodeGroup& node_group = group.node_groups[0];
  for (const CacheClusterId& id : node_group.members) {
    if (std::find(removed.begin(), removed.end(), id) == removed.end()) {
      zones.insert(state.find<CacheCluster>(id)->nodes[0].zone);
      replicas += id != node_group.primary;
    }
  }
  if (group.automatic_failover == "enabled" && replicas < 1) {
    return refuse("InvalidParameterValue",
                  "Must have at least 1 replica when cluster mode is disabled with auto failover "
                  "enabled.");
  }
  if (auto fault = too_few_to_confirm(state, node_group, replicas)) {
    return tl::unexpected(std::move(*fault));
  }
  if (group.multi_az && zones.size() < 2) {
    return refuse("InvalidParameterCombination",
                  "Multi-AZ needs a replica in another availability zone than the primary.");
  }
  return {};
}

}  // namespace

Admitted<Transition> admit(const State& state, const IncreaseReplicaCount& command,
                           AdmissionContext) {
  const auto found = find_group(state, command.group, command.apply_immediately);
  if (!found) {
    return tl::unexpected(found.error());
  }
  if (command.replicas.has_value() == !command.shards.empty()) {
    return refuse("InvalidParameterCombination",
                  "Exactly one of NewReplicaCount and ReplicaConfiguration must be given.");
  }
  ReplicationGroup group = **found;
  const auto wish = wish_of(group, command.replicas, command.shards);
  if (!wish) {
    return tl::unexpected(wish.error());
  }
  const int now = int(group.node_groups[0].members.size()) - 1;
  if (auto checked = differs_from_now(wish->replicas, now, true); !checked) {
    return tl::unexpected(checked.error());
  }
  const auto zones = zones_to_fill(state, group, wish->zones);
  if (!zones) {
    return tl::unexpected(zones.error());
  }
  const std::size_t more = std::size_t(wish->replicas - now);
  if (auto fault = quota_exceeded(state, more)) {
    return tl::unexpected(*fault);
  }
  Transition out;
  for (std::size_t i = 0; i < more; ++i) {
    const ZoneName zone(i < zones->size() ? (*zones)[i] : std::string());
    CacheCluster replica =
        new_cluster(next_member(state, group, out), group.settings, zone, group.tags);
    replica.settings.snapshot_retention_days = 0;
    replica.replication_group = group.id;
    group.node_groups[0].members.push_back(replica.id);
    out.put(std::move(replica));
  }
  group.status = "modifying";
  out.put(std::move(group));
  return out;
}

Admitted<Transition> admit(const State& state, const DecreaseReplicaCount& command,
                           AdmissionContext) {
  const auto found = find_group(state, command.group, command.apply_immediately);
  if (!found) {
    return tl::unexpected(found.error());
  }
  const int ways = command.replicas.has_value() + !command.shards.empty() + !command.remove.empty();
  if (ways != 1) {
    return refuse("InvalidParameterCombination",
                  "Exactly one of NewReplicaCount, ReplicaConfiguration and ReplicasToRemove must "
                  "be given.");
  }
  ReplicationGroup group = **found;
  const NodeGroup& node_group = group.node_groups[0];
  Admitted<std::vector<CacheClusterId>> removed = named_replicas(group, command.remove);
  if (command.remove.empty()) {
    const auto wish = wish_of(group, command.replicas, command.shards);
    if (!wish) {
      return tl::unexpected(wish.error());
    }
    const int now = int(node_group.members.size()) - 1;
    if (auto checked = differs_from_now(wish->replicas, now, false); !checked) {
      return tl::unexpected(checked.error());
    }
    removed = choose_replicas(state, node_group, now - wish->replicas, wish->zones);
  }
  if (!removed) {
    return tl::unexpected(removed.error());
  }
  if (auto checked = check_remaining(state, group, *removed); !checked) {
    return tl::unexpected(checked.error());
  }
  Transition out;
  for (const CacheClusterId& id : *removed) {
    CacheCluster leaving = *state.find<CacheCluster>(id);
    retire(state, leaving);
    out.put(std::move(leaving));
  }
  group.status = "modifying";
  out.put(std::move(group));
  return out;
}

}  // namespace hikae::core
