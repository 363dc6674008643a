#include "core/admission/replication_group.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/admission/cache_cluster.h"
#include "core/admission/group_access.h"
#include "core/admission/host.h"
#include "core/admission/identifiers.h"
#include "core/admission/snapshot.h"
#include "core/catalog/catalog.h"
#include "core/placement/placement.h"
#include "core/state/snapshots.h"
#include "core/state/updates.h"

namespace hikae::core {
namespace {

const NodeGroupId kOnlyNodeGroup("0001");

CacheClusterId member_id(const ReplicationGroupId& group, int number) {
  return CacheClusterId(fmt::format("{}-{:03}", group.str(), number));
}

// How many members the group is to have, from whichever of the three ways the client used.
Admitted<int> count_members(const CreateReplicationGroup& command) {
  if (command.num_node_groups.value_or(1) != 1) {
    return refuse("InvalidParameterCombination",
                  "Hikae does not build sharded groups yet: NumNodeGroups must be 1.");
  }
  if (command.num_cache_clusters && command.replicas_per_node_group) {
    return refuse("InvalidParameterCombination",
                  "Cannot specify both NumCacheClusters and ReplicasPerNodeGroup.");
  }
  int count = command.num_cache_clusters.value_or(1);
  if (command.replicas_per_node_group) {
    count = *command.replicas_per_node_group + 1;
  } else if (!command.num_cache_clusters && !command.preferred_zones.empty()) {
    count = int(command.preferred_zones.size());
  }
  if (count < 1 || count > kMaxMembers) {
    return refuse("InvalidParameterValue",
                  "The number of replicas per node group must be within 0 and 5.");
  }
  return count;
}

std::optional<Fault> check_failover(const CreateReplicationGroup& command,
                                    const CacheSettings& settings, int members) {
  const bool failover = command.automatic_failover.value_or(false);
  const bool multi_az = command.multi_az.value_or(false);
  if (failover && members < 2) {
    return Fault{"InvalidParameterCombination",
                 "When using automatic failover, there must be at least 2 cache clusters in the "
                 "replication group."};
  }
  if (multi_az && !failover) {
    return Fault{"InvalidParameterCombination",
                 "Multi-AZ can be enabled only when automatic failover is enabled."};
  }
  const auto* type = find_node_type(settings.node_type);
  if (failover &&
      (!type->multi_az_allowed || compare_versions(settings.engine_version, "2.8.6") < 0)) {
    return Fault{"InvalidParameterCombination",
                 "Automatic failover is not supported for T1 cache node types and for Redis before "
                 "2.8.6."};
  }
  return std::nullopt;
}

// Every wish must be a zone of the subnet group, and Multi-AZ needs two different ones.
std::optional<Fault> check_zones(const State& state, const Transition& transition,
                                 const CreateReplicationGroup& command,
                                 const CacheSettings& settings, int members) {
  const auto* subnet_group = find_after<SubnetGroup>(state, transition, settings.subnet_group);
  const auto zones = usable_zones(state, *subnet_group);
  if (!command.preferred_zones.empty() && int(command.preferred_zones.size()) != members) {
    return Fault{"InvalidParameterCombination",
                 "The number of PreferredCacheClusterAZs must be equal to the number of cache "
                 "clusters in the replication group."};
  }
  for (const std::string& zone : command.preferred_zones) {
    if (std::find(zones.begin(), zones.end(), ZoneName(zone)) == zones.end()) {
      return Fault{"InvalidParameterValue",
                   fmt::format("{} is not a zone of cache subnet group {}.", zone,
                               settings.subnet_group.str())};
    }
  }
  const bool one_zone_wished =
      !command.preferred_zones.empty() &&
      std::all_of(command.preferred_zones.begin(), command.preferred_zones.end(),
                  [&](const std::string& zone) { return zone == command.preferred_zones.front(); });
  if (command.multi_az.value_or(false) && (zones.size() < 2 || one_zone_wished)) {
    return Fault{"InvalidParameterCombination",
                 "Multi-AZ needs a replica in another availability zone than the primary."};
  }
  return std::nullopt;
}

Admitted<const CacheCluster*> find_primary(const State& state, const std::string& id) {
  const auto* cluster = state.find<CacheCluster>(lookup_id<CacheClusterId>(id));
  if (cluster == nullptr) {
    return tl::unexpected(cache_cluster_not_found(id));
  }
  if (!is_free(state, *cluster) || !cluster->replication_group.empty() ||
      cluster->nodes.size() != 1) {
    return refuse(
        "InvalidCacheClusterState",
        fmt::format("Cache cluster {} is not in a valid state to be a primary: it must be "
                    "available, have one node and belong to no replication group.",
                    cluster->id.str()));
  }
  return cluster;
}

ReplicationGroup new_group(const ReplicationGroupId& id, const CreateReplicationGroup& command,
                           const CacheSettings& settings, Instant now) {
  ReplicationGroup group;
  group.id = id;
  group.description = command.description;
  group.settings = settings;
  group.automatic_failover = command.automatic_failover.value_or(false) ? "enabling" : "disabled";
  group.multi_az = command.multi_az.value_or(false);
  group.network_type = command.network_type;
  group.ip_discovery = command.ip_discovery;
  if (!settings.access.tokens.empty()) {
    group.auth_token_modified_at = now;
  }
  group.created_at = now;
  group.tags = command.tags;
  NodeGroup node_group;
  node_group.id = kOnlyNodeGroup;
  group.node_groups.push_back(std::move(node_group));
  return group;
}

// Gives a new group its user groups.
std::optional<Fault> add_user_groups(const State& state, const CreateReplicationGroup& command,
                                     ReplicationGroup& group) {
  auto user_groups = resolve_user_groups(state, command.user_groups, group.settings);
  if (!user_groups) {
    return user_groups.error();
  }
  group.user_groups = std::move(*user_groups);
  group.adding_user_groups = group.user_groups;
  if (group.user_groups.empty()) {
    return std::nullopt;
  }
  auto fault = has_both_accesses(group);
  return fault ? fault : lacks_encryption(group.settings.access.encrypted());
}

// Some host has to be able to run the members; which of them get them is placement's.
std::optional<Fault> lacks_front(const State& state, const CacheSettings& settings) {
  const auto& hosts = state.all<Host>();
  const bool able = std::any_of(hosts.begin(), hosts.end(),
                                [](const auto& entry) { return entry.second.fronts; });
  if (!settings.access.takes_both() || hosts.empty() || able) {
    return std::nullopt;
  }
  return no_front(hosts.begin()->second);
}

// Puts a member into the group and the transition.
void add_member(CacheCluster cluster, ReplicationGroup& group, Transition& out) {
  cluster.replication_group = group.id;
  group.node_groups[0].members.push_back(cluster.id);
  out.put(std::move(cluster));
}

Admitted<Transition> form_around(const State& state, const ReplicationGroupId& id,
                                 const CreateReplicationGroup& command, AdmissionContext context) {
  const auto primary = find_primary(state, *command.primary_cluster);
  if (!primary) {
    return tl::unexpected(primary.error());
  }
  const int members = command.num_cache_clusters.value_or(1);
  if (command.restore.asked_for()) {
    return refuse("InvalidParameterCombination",
                  "A group that is formed around PrimaryClusterId cannot be restored.");
  }
  if (command.access.asked_for()) {
    return refuse("InvalidParameterCombination",
                  "A group that is formed around PrimaryClusterId is encrypted as that is, and has "
                  "no AUTH token.");
  }
  if (members != 1) {
    return refuse("InvalidParameterCombination",
                  "NumCacheClusters must not be used together with PrimaryClusterId.");
  }
  if (auto fault = check_failover(command, (*primary)->settings, members)) {
    return tl::unexpected(*fault);
  }
  Transition out;
  ReplicationGroup group = new_group(id, command, (*primary)->settings, context.now);
  if (auto fault = add_user_groups(state, command, group)) {
    return tl::unexpected(*fault);
  }
  if (auto logs = change_log_deliveries(command.logs, group.settings, group.log_deliveries);
      !logs) {
    return tl::unexpected(logs.error());
  }
  group.node_groups[0].primary = (*primary)->id;
  drop_update_actions(state, {}, (*primary)->id, out);
  if (group.settings.snapshot_retention_days > 0) {
    group.snapshotting_cluster = (*primary)->id;
  }
  CacheCluster member = **primary;
  if (!group.user_groups.empty() || !group.log_deliveries.empty()) {
    ++member.nodes[0].edition;  // it runs, and tells when it has taken them
  }
  member.log_deliveries.clear();
  add_member(std::move(member), group, out);
  out.put(std::move(group));
  return out;
}

Admitted<Transition> form_new(const State& state, const ReplicationGroupId& id,
                              const CreateReplicationGroup& command, AdmissionContext context) {
  const auto members = count_members(command);
  if (!members) {
    return tl::unexpected(members.error());
  }
  const auto request = with_snapshot_settings(state, command.restore, command.settings);
  if (!request) {
    return tl::unexpected(request.error());
  }
  Transition out;
  auto settings = resolve_cache_settings(state, *request, context, out);
  if (!settings) {
    return tl::unexpected(settings.error());
  }
  if (const auto access = resolve_access(command.access, *settings); !access) {
    return tl::unexpected(access.error());
  }
  if (auto lack = lacks_front(state, *settings)) {
    return tl::unexpected(*lack);
  }
  auto source = restore_source(state, command.restore, *settings);
  if (!source) {
    return tl::unexpected(source.error());
  }
  auto fault = check_failover(command, *settings, *members);
  if (!fault) {
    fault = check_zones(state, out, command, *settings, *members);
  }
  if (!fault) {
    fault = quota_exceeded(state, std::size_t(*members));
  }
  if (fault) {
    return tl::unexpected(*fault);
  }
  ReplicationGroup group = new_group(id, command, *settings, context.now);
  if (auto lack = add_user_groups(state, command, group)) {
    return tl::unexpected(*lack);
  }
  if (auto logs = change_log_deliveries(command.logs, *settings, group.log_deliveries); !logs) {
    return tl::unexpected(logs.error());
  }
  const int snapshotting = *members > 1 ? 1 : 0;  // a replica where there is one
  for (int i = 0; i < *members; ++i) {
    const CacheClusterId member = member_id(id, i + 1);
    if (state.find<CacheCluster>(member) != nullptr) {
      return refuse("InvalidParameterValue",
                    fmt::format("Cache cluster {} already exists.", member.str()));
    }
    const bool wished = std::size_t(i) < command.preferred_zones.size();
    const ZoneName zone(wished ? command.preferred_zones[std::size_t(i)] : std::string());
    CacheCluster cluster = new_cluster(member, *settings, zone, command.tags);
    if (i == 0) {
      cluster.restore = std::move(*source);  // the replicas get the data from it
    }
    if (i != snapshotting) {
      cluster.settings.snapshot_retention_days = 0;
    }
    add_member(std::move(cluster), group, out);
  }
  if (settings->snapshot_retention_days > 0) {
    group.snapshotting_cluster = member_id(id, snapshotting + 1);
  }
  group.node_groups[0].primary = group.node_groups[0].members.front();
  out.put(std::move(group));
  return out;
}

}  // namespace

Admitted<Transition> admit(const State& state, const CreateReplicationGroup& command,
                           AdmissionContext context) {
  const auto id = parse_replication_group_id(command.id);
  if (!id) {
    return tl::unexpected(id.error());
  }
  if (state.find<ReplicationGroup>(*id) != nullptr) {
    return refuse("ReplicationGroupAlreadyExists",
                  fmt::format("Replication group {} already exists.", id->str()));
  }
  if (command.primary_cluster) {
    return form_around(state, *id, command, context);
  }
  return form_new(state, *id, command, context);
}

void begin_deletion(const State& state, ReplicationGroup group, Transition& transition) {
  group.status = "deleting";
  group.final_snapshot = {};
  for (NodeGroup& node_group : group.node_groups) {
    node_group.status = "deleting";
    for (const CacheClusterId& id : node_group.members) {
      const bool stays = group.retain_primary && id == node_group.primary;
      const auto* member = state.find<CacheCluster>(id);
      if (stays || member == nullptr || member->status == "deleting") {
        continue;
      }
      CacheCluster next = *member;
      retire(state, next);
      transition.put(std::move(next));
    }
  }
  drop_automatic_snapshots(state, group.id, {}, transition);
  transition.put(std::move(group));
}

Admitted<Transition> admit(const State& state, const DeleteReplicationGroup& command,
                           AdmissionContext context) {
  const auto* found = state.find<ReplicationGroup>(lookup_id<ReplicationGroupId>(command.id));
  if (found == nullptr) {
    return tl::unexpected(replication_group_not_found(command.id));
  }
  const bool whole = is_free(state, *found);
  if (!whole && (found->status != "create-failed" || command.final_snapshot)) {
    return refuse("InvalidReplicationGroupState",
                  fmt::format("Replication group {} has status {} which is not valid for deletion.",
                              found->id.str(), shown_status(state, *found)));
  }
  if (command.retain_primary && !found->user_groups.empty()) {
    return refuse(
        "InvalidParameterCombination",
        "The primary of a replication group with user groups cannot be retained: it would "
        "let in everybody. Remove the user groups first.");
  }
  Transition out;
  ReplicationGroup group = *found;
  group.retain_primary = command.retain_primary;
  if (!command.final_snapshot) {
    begin_deletion(state, std::move(group), out);
    return out;
  }
  auto last = final_snapshot(state, group, *command.final_snapshot, context.now);
  if (!last) {
    return tl::unexpected(last.error());
  }
  group.final_snapshot = last->name;
  out.put(std::move(*last));
  out.put(std::move(group));
  return out;
}

Admitted<Transition> admit(const State& state, const AddReplica& command, AdmissionContext) {
  const auto* found = state.find<ReplicationGroup>(lookup_id<ReplicationGroupId>(command.group));
  if (found == nullptr) {
    return tl::unexpected(replication_group_not_found(command.group));
  }
  const auto id = parse_cache_cluster_id(command.cluster_id);
  const auto zone = check_zone(state, command.preferred_zone);
  if (!id || !zone) {
    return tl::unexpected(id ? zone.error() : id.error());
  }
  if (state.find<CacheCluster>(*id) != nullptr) {
    return refuse("CacheClusterAlreadyExists",
                  fmt::format("Cache cluster {} already exists.", id->str()));
  }
  if (!is_free(state, *found) && found->status != "modifying") {
    return refuse("InvalidReplicationGroupState",
                  fmt::format("Replication group {} is not in available state.", found->id.str()));
  }
  ReplicationGroup group = *found;
  if (int(group.node_groups[0].members.size()) >= kMaxMembers) {
    return refuse(
        "NodeQuotaForClusterExceeded",
        fmt::format("Cluster node quota exceeded.  Each cluster can have at most {} nodes "
                    "in this region.",
                    kMaxMembers));
  }
  if (auto fault = quota_exceeded(state, 1)) {
    return tl::unexpected(*fault);
  }
  const auto zones = usable_zones(state, *state.find<SubnetGroup>(group.settings.subnet_group));
  if (!zone->empty() && std::find(zones.begin(), zones.end(), *zone) == zones.end()) {
    return refuse("InvalidParameterValue",
                  fmt::format("{} is not a zone of cache subnet group {}.", zone->str(),
                              group.settings.subnet_group.str()));
  }
  Transition out;
  Tags tags = group.tags;
  for (const auto& [key, value] : command.tags) {
    tags[key] = value;
  }
  group.status = "modifying";
  CacheCluster replica = new_cluster(*id, group.settings, *zone, std::move(tags));
  replica.settings.snapshot_retention_days = 0;  // of one member alone, which is named
  add_member(std::move(replica), group, out);
  out.put(std::move(group));
  return out;
}

}  // namespace hikae::core
