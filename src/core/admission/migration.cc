#include "core/admission/migration.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/admission/identifiers.h"
#include "core/admission/settings_rules.h"
#include "core/state/events.h"
#include "core/state/snapshots.h"

namespace hikae::core {
namespace {

// AWS User Guide, "Preparing your source and target nodes for migration".
constexpr std::string_view kOldestTarget = "5.0.6";

Checked check_sources(const std::vector<CustomerEndpoint>& sources) {
  if (sources.size() != 1) {
    return refuse("InvalidParameterValue",
                  "CustomerNodeEndpointList must have exactly one endpoint.");
  }
  const CustomerEndpoint& source = sources.front();
  if (!is_host_name(source.address)) {
    return refuse(
        "InvalidParameterValue",
        "The address of a customer node endpoint must be a host name or an IPv4 address.");
  }
  if (source.port < 1 || source.port > 65535) {
    return refuse("InvalidParameterValue",
                  "The port of a customer node endpoint must be within 1 and 65535.");
  }
  return {};
}

Fault unfit(const ReplicationGroup& group, std::string_view why) {
  return Fault{"InvalidReplicationGroupState",
               fmt::format("Replication group {} cannot be the target of a migration: {}",
                           group.id.str(), why)};
}

Checked check_members(const State& state, const ReplicationGroup& group) {
  for (const CacheClusterId& id : group.node_groups[0].members) {
    const auto* member = state.find<CacheCluster>(id);
    const bool stays = member != nullptr && member->status == "available" &&
                       !member->nodes[0].recovering && !member->nodes[0].move.under_way();
    if (!stays) {
      return refuse("InvalidReplicationGroupState",
                    fmt::format("Cache cluster {} is not in available state.", id.str()));
    }
  }
  return {};
}

Checked check_target(const State& state, const ReplicationGroup& group) {
  if (group.migration.under_way()) {
    return refuse("ReplicationGroupAlreadyUnderMigrationFault",
                  fmt::format("Replication group {} is already under migration.", group.id.str()));
  }
  if (!is_free(state, group)) {
    return refuse("InvalidReplicationGroupState",
                  fmt::format("Replication group {} is not in available state.", group.id.str()));
  }
  if (group.settings.access.encrypted()) {
    return tl::unexpected(unfit(group, "encryption in transit must be disabled."));
  }
  if (!group.multi_az || group.automatic_failover != "enabled") {
    return tl::unexpected(unfit(group, "Multi-AZ and automatic failover must be enabled."));
  }
  if (compare_versions(group.settings.engine_version, kOldestTarget) < 0) {
    return tl::unexpected(unfit(group, "its engine version must be 5.0.6 or higher."));
  }
  return check_members(state, group);
}

Admitted<const ReplicationGroup*> find_group(const State& state, const std::string& id) {
  const auto* found = state.find<ReplicationGroup>(lookup_id<ReplicationGroupId>(id));
  if (found == nullptr) {
    return tl::unexpected(replication_group_not_found(id));
  }
  return found;
}

}  // namespace

Admitted<Transition> admit(const State& state, const StartMigration& command,
                           AdmissionContext context) {
  const auto found = find_group(state, command.group);
  if (!found) {
    return tl::unexpected(found.error());
  }
  Checked checked = check_sources(command.sources);
  if (checked) {
    checked = check_target(state, **found);
  }
  if (!checked) {
    return tl::unexpected(checked.error());
  }
  ReplicationGroup group = **found;
  group.status = "modifying";
  group.migration = {};
  group.migration.host = command.sources.front().address;
  group.migration.port = std::uint16_t(command.sources.front().port);
  group.migration.stage = command.test ? "testing" : "starting";
  group.migration.deadline = context.now + kSourceCheckBound;
  Transition out;
  out.put(std::move(group));
  return out;
}

Admitted<Transition> admit(const State& state, const CompleteMigration& command,
                           AdmissionContext context) {
  const auto found = find_group(state, command.group);
  if (!found) {
    return tl::unexpected(found.error());
  }
  ReplicationGroup group = **found;
  Migration& migration = group.migration;
  if (!migration.under_way() || migration.stage == "testing") {
    return refuse("ReplicationGroupNotUnderMigrationFault",
                  fmt::format("Replication group {} is not under migration.", group.id.str()));
  }
  Transition out;
  EventWriter events(state, context.now);
  if (command.force) {
    events.add(kSourceReplicationGroup, group.id.str(),
               fmt::format("Migration from {}:{} to replication group {} was ended by force",
                           migration.host, migration.port, group.id.str()));
    migration = {};
  } else if (migration.stage != "following" || !migration.in_sync) {
    return refuse("InvalidReplicationGroupState",
                  fmt::format("Replication group {} is not in sync with {}:{} yet. Wait for its "
                              "event, or use Force to end the migration as it is.",
                              group.id.str(), migration.host, migration.port));
  } else {
    migration.stage = "completing";
    migration.deadline = context.now + kCutOverBound;
  }
  out.put(std::move(group));
  events.finish(out);
  return out;
}

}  // namespace hikae::core
