#include "core/admission/group_changes.h"

#include <algorithm>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "core/admission/access_change.h"
#include "core/admission/host.h"
#include "core/admission/identifiers.h"
#include "core/catalog/catalog.h"
#include "core/reconcile/roll.h"
#include "core/state/events.h"
#include "core/state/snapshots.h"

namespace hikae::core {
namespace {

Fault not_a_member(const State& state, const CacheClusterId& id, const ReplicationGroup& group) {
  if (state.find<CacheCluster>(id) == nullptr) {
    return cache_cluster_not_found(id.str());
  }
  return Fault{"InvalidParameterValue",
               fmt::format("Cache cluster {} is not a member of replication group {}.", id.str(),
                           group.id.str())};
}

Fault no_failover_of_type() {
  return Fault{"InvalidParameterCombination",
               "Automatic failover is not supported for T1 cache node types."};
}

bool spans_zones(const State& state, const NodeGroup& node_group) {
  std::set<ZoneName> zones;
  for (const CacheClusterId& id : node_group.members) {
    if (const auto* member = state.find<CacheCluster>(id)) {
      zones.insert(member->nodes[0].zone);
    }
  }
  return zones.size() > 1;
}

Checked change_failover(const State& state, const ModifyReplicationGroup& command,
                        ReplicationGroup& group, EventWriter& events) {
  const bool was_on = group.automatic_failover == "enabled";
  const bool on = command.automatic_failover.value_or(was_on);
  const bool multi_az = command.multi_az.value_or(group.multi_az && on);
  if (on && group.node_groups[0].members.size() < 2) {
    return refuse("InvalidParameterCombination",
                  "When using automatic failover, there must be at least 2 cache clusters in the "
                  "replication group.");
  }
  const auto* type = find_node_type(group.settings.node_type);
  if (on && type != nullptr && !type->multi_az_allowed) {
    return tl::unexpected(no_failover_of_type());
  }
  if (multi_az && !on) {
    return refuse("InvalidParameterCombination",
                  "Multi-AZ can be enabled only when automatic failover is enabled.");
  }
  if (multi_az && !group.multi_az && !spans_zones(state, group.node_groups[0])) {
    return refuse("InvalidParameterCombination",
                  "Multi-AZ needs a replica in another availability zone than the primary.");
  }
  group.automatic_failover = on ? "enabled" : "disabled";
  group.multi_az = multi_az;
  if (on != was_on) {
    events.add(kSourceReplicationGroup, group.id.str(),
               fmt::format("Automatic failover has been turned {} for replication group {}",
                           on ? "on" : "off", group.id.str()));
  }
  return {};
}

Checked change_primary(const State& state, const std::string& wanted, Instant now,
                       ReplicationGroup& group) {
  const auto id = lookup_id<CacheClusterId>(wanted);
  NodeGroup& node_group = group.node_groups[0];
  const auto& members = node_group.members;
  if (std::find(members.begin(), members.end(), id) == members.end()) {
    return tl::unexpected(not_a_member(state, id, group));
  }
  if (id == node_group.primary) {
    return {};
  }
  const auto* target = state.find<CacheCluster>(id);
  if (target == nullptr || target->status != "available" || target->nodes[0].recovering) {
    return refuse("InvalidCacheClusterState",
                  fmt::format("Cache cluster {} is not in available state.", id.str()));
  }
  node_group.switchover_target = id;
  node_group.switchover_deadline = now + kSwitchoverBound;
  group.status = "modifying";
  return {};
}

// Snapshots are taken of one member, so turning them on needs both (AWS API reference).
Checked change_snapshots(const State& state, const ModifyReplicationGroup& command,
                         ReplicationGroup& group) {
  if (command.snapshotting_cluster) {
    const auto id = lookup_id<CacheClusterId>(*command.snapshotting_cluster);
    const auto& members = group.node_groups[0].members;
    if (std::find(members.begin(), members.end(), id) == members.end()) {
      return tl::unexpected(not_a_member(state, id, group));
    }
    group.snapshotting_cluster = id;
  }
  const bool on = group.settings.snapshot_retention_days > 0;
  if (on ? group.snapshotting_cluster.empty() : command.snapshotting_cluster.has_value()) {
    return refuse("InvalidParameterCombination",
                  "Must specify both SnapshotRetentionLimit and SnapshottingClusterId to turn on "
                  "snapshots");
  }
  if (!on) {
    group.snapshotting_cluster = {};
  }
  return {};
}

constexpr std::string_view kTestFailoverEvent = "Test Failover API called for node group ";
constexpr Duration kQuotaPeriod = std::chrono::hours(24);

std::size_t test_failovers_since(const State& state, Instant since) {
  const auto& events = state.all<Event>();
  return std::size_t(std::count_if(events.begin(), events.end(), [&](const auto& item) {
    const Event& event = item.second;
    return event.at > since && event.source_type == kSourceReplicationGroup &&
           event.message.starts_with(kTestFailoverEvent);
  }));
}

// Members show what the group has, but for the snapshots: those are taken of one of them.
void share_settings(const State& state, const ReplicationGroup& group, Transition& out) {
  for (const CacheClusterId& id : group.node_groups[0].members) {
    if (const auto* member = state.find<CacheCluster>(id)) {
      CacheCluster next = *member;
      next.settings = with(group.settings, changes_between(group.settings, member->settings));
      if (id != group.snapshotting_cluster) {
        next.settings.snapshot_retention_days = 0;
      }
      out.put(std::move(next));
    }
  }
}

// Nothing is rolled while one of the members is not there.
Checked members_available(const State& state, const ReplicationGroup& group) {
  for (const CacheClusterId& id : group.node_groups[0].members) {
    const auto* member = state.find<CacheCluster>(id);
    if (member == nullptr || member->status != "available") {
      return refuse("InvalidCacheClusterState",
                    fmt::format("Cache cluster {} is not in available state.", id.str()));
    }
  }
  return {};
}

// Every host of a member has the module that takes both kinds of clients.
Checked check_fronts(const State& state, const ReplicationGroup& group) {
  for (const CacheClusterId& id : group.node_groups[0].members) {
    const auto* member = state.find<CacheCluster>(id);
    const Host* host = member == nullptr ? nullptr : state.find<Host>(member->nodes[0].host);
    if (host != nullptr && !host->fronts) {
      return tl::unexpected(no_front(*host));
    }
  }
  return {};
}

Checked change_what_nodes_run(const State& state, const SettingsChange& change,
                              ReplicationGroup& group, Transition& out) {
  const auto changes = change_nodes(state, change, group.settings, group.pending);
  if (!changes) {
    return tl::unexpected(changes.error());
  }
  const auto* type = find_node_type(with(group.settings, *changes).node_type);
  if (group.automatic_failover == "enabled" && type != nullptr && !type->multi_az_allowed) {
    return tl::unexpected(no_failover_of_type());
  }
  if (changes->transit_encryption == "preferred") {
    if (auto checked = check_fronts(state, group); !checked) {
      return checked;
    }
  }
  if (!change.apply_immediately) {
    group.pending = *changes;
    return {};
  }
  if (!changes->empty()) {
    if (auto checked = members_available(state, group); !checked) {
      return checked;
    }
  }
  begin_changes(state, group, *changes, out);
  return {};
}

Checked change_logs(const State& state, const std::vector<LogDeliveryRequest>& requests,
                    ReplicationGroup& group, Transition& out) {
  const std::vector<LogDelivery> before = group.log_deliveries;
  const CacheSettings later = with(group.settings, group.applying);
  if (auto checked = change_log_deliveries(requests, later, group.log_deliveries); !checked) {
    return checked;
  }
  if (group.log_deliveries != before) {
    tell_nodes(state, {group.id}, out);
    group.status = "modifying";
  }
  return {};
}

bool asks_for_nothing(const ModifyReplicationGroup& command) {
  return !command.description && !command.automatic_failover && !command.multi_az &&
         !command.primary_cluster && !command.snapshotting_cluster &&
         command.user_groups.asks_for_nothing() && command.logs.empty() &&
         command.settings.asks_for_nothing();
}

}  // namespace

Admitted<Transition> admit(const State& state, const ModifyReplicationGroup& command,
                           AdmissionContext context) {
  const auto* found = state.find<ReplicationGroup>(lookup_id<ReplicationGroupId>(command.id));
  if (found == nullptr) {
    return tl::unexpected(replication_group_not_found(command.id));
  }
  if (asks_for_nothing(command)) {
    return refuse("InvalidParameterCombination", "No modifications were requested");
  }
  if (!is_free(state, *found)) {
    return refuse("InvalidReplicationGroupState",
                  "Replication group must be in available state to modify.");
  }
  ReplicationGroup group = *found;
  group.description = command.description.value_or(group.description);
  if (command.settings.token) {
    group.auth_token_modified_at = context.now;
  }
  EventWriter events(state, context.now);
  Checked checked = change_failover(state, command, group, events);
  if (checked) {
    checked = change_at_once(state, command.settings, group.settings);
  }
  if (checked) {
    checked = change_snapshots(state, command, group);
  }
  if (checked && command.primary_cluster) {
    checked = change_primary(state, *command.primary_cluster, context.now, group);
  }
  Transition out;
  if (checked) {
    share_settings(state, group, out);
    checked = change_what_nodes_run(state, command.settings, group, out);
  }
  if (checked) {
    checked = change_user_groups(state, command.user_groups, group, out);
  }
  if (checked) {
    checked = change_logs(state, command.logs, group, out);
  }
  if (checked) {
    const auto& token = command.settings.token;
    checked = keep_to_one_access(command.user_groups, token ? &*token : nullptr, group);
  }
  if (!checked) {
    return tl::unexpected(checked.error());
  }
  out.put(std::move(group));
  events.finish(out);
  return out;
}

Admitted<Transition> admit(const State& state, const TestFailover& command,
                           AdmissionContext context) {
  const auto* found = state.find<ReplicationGroup>(lookup_id<ReplicationGroupId>(command.group));
  if (found == nullptr) {
    return tl::unexpected(replication_group_not_found(command.group));
  }
  if (!is_free(state, *found)) {
    return refuse("InvalidReplicationGroupState",
                  fmt::format("Replication group {} is not in available state.", found->id.str()));
  }
  if (found->automatic_failover != "enabled") {
    return refuse("InvalidReplicationGroupState",
                  fmt::format("Automatic failover is not enabled for replication group {}.",
                              found->id.str()));
  }
  ReplicationGroup group = *found;
  const auto node_group =
      std::find_if(group.node_groups.begin(), group.node_groups.end(),
                   [&](const NodeGroup& one) { return one.id.str() == command.node_group; });
  if (node_group == group.node_groups.end()) {
    return refuse("NodeGroupNotFoundFault",
                  fmt::format("Node group {} not found in replication group {}.",
                              command.node_group, group.id.str()));
  }
  for (const CacheClusterId& id : node_group->members) {
    const auto* member = state.find<CacheCluster>(id);
    if (member == nullptr || member->status != "available" || member->nodes[0].recovering) {
      return refuse("InvalidCacheClusterState",
                    fmt::format("Cache cluster {} is not in available state.", id.str()));
    }
  }
  if (command.quota != 0 &&
      test_failovers_since(state, context.now - kQuotaPeriod) >= command.quota) {
    return refuse("APICallRateForCustomerExceeded",
                  fmt::format("The limit of {} node groups on which TestFailover can be called in "
                              "24 hours has been reached.",
                              command.quota));
  }
  node_group->kill_epoch = node_group->epoch;
  EventWriter events(state, context.now);
  events.add(kSourceReplicationGroup, group.id.str(),
             fmt::format("{}{}", kTestFailoverEvent, command.node_group));
  Transition out;
  out.put(std::move(group));
  events.finish(out);
  return out;
}

}  // namespace hikae::core
