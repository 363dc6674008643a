#include "core/admission/group_changes.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "core/admission/identifiers.h"
#include "core/admission/windows.h"
#include "core/catalog/catalog.h"
#include "core/state/events.h"

namespace hikae::core {
namespace {

using Checked = Admitted<std::monostate>;

Checked change_failover(const ModifyReplicationGroup& command, ReplicationGroup& group,
                        EventWriter& events) {
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
    return refuse("InvalidParameterCombination",
                  "Automatic failover is not supported for T1 cache node types.");
  }
  if (multi_az && !on) {
    return refuse("InvalidParameterCombination",
                  "Multi-AZ can be enabled only when automatic failover is enabled.");
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
    return refuse("InvalidParameterValue",
                  fmt::format("Cache cluster {} is not a member of replication group {}.", id.str(),
                              group.id.str()));
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

Checked change_windows(const ModifyReplicationGroup& command, CacheSettings& settings) {
  if (command.maintenance_window) {
    const auto parsed = parse_maintenance_window(*command.maintenance_window);
    if (!parsed) {
      return refuse("InvalidParameterValue", fmt::format("Invalid maintenance window format: {}.",
                                                         *command.maintenance_window));
    }
    settings.maintenance_window = *parsed;
  }
  if (command.snapshot_window) {
    const auto parsed = parse_snapshot_window(*command.snapshot_window);
    if (!parsed) {
      return refuse("InvalidParameterValue",
                    fmt::format("Invalid snapshot window format: {}.", *command.snapshot_window));
    }
    settings.snapshot_window = *parsed;
  }
  if (windows_overlap(settings.maintenance_window, settings.snapshot_window)) {
    return refuse("InvalidParameterCombination",
                  "The snapshot window and the maintenance window must not overlap.");
  }
  return {};
}

void change_settings(const ModifyReplicationGroup& command, CacheSettings& settings) {
  settings.notification_topic_arn =
      command.notification_topic_arn.value_or(settings.notification_topic_arn);
  settings.auto_minor_version_upgrade =
      command.auto_minor_version_upgrade.value_or(settings.auto_minor_version_upgrade);
}

bool asks_for_nothing(const ModifyReplicationGroup& command) {
  return !command.description && !command.automatic_failover && !command.multi_az &&
         !command.primary_cluster && !command.maintenance_window && !command.snapshot_window &&
         !command.notification_topic_arn && !command.auto_minor_version_upgrade;
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

// Members show the group's windows and topic as their own.
void share_settings(const State& state, const ReplicationGroup& group, Transition& out) {
  for (const CacheClusterId& id : group.node_groups[0].members) {
    if (const auto* member = state.find<CacheCluster>(id)) {
      CacheCluster next = *member;
      next.settings.maintenance_window = group.settings.maintenance_window;
      next.settings.snapshot_window = group.settings.snapshot_window;
      next.settings.notification_topic_arn = group.settings.notification_topic_arn;
      next.settings.auto_minor_version_upgrade = group.settings.auto_minor_version_upgrade;
      out.put(std::move(next));
    }
  }
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
  if (found->status != "available") {
    return refuse("InvalidReplicationGroupState",
                  "Replication group must be in available state to modify.");
  }
  ReplicationGroup group = *found;
  group.description = command.description.value_or(group.description);
  EventWriter events(state, context.now);
  Checked checked = change_failover(command, group, events);
  if (checked) {
    checked = change_windows(command, group.settings);
  }
  if (checked && command.primary_cluster) {
    checked = change_primary(state, *command.primary_cluster, context.now, group);
  }
  if (!checked) {
    return tl::unexpected(checked.error());
  }
  change_settings(command, group.settings);
  Transition out;
  share_settings(state, group, out);
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
  if (found->status != "available") {
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
