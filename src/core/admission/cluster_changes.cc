#include "core/admission/cluster_changes.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "core/admission/identifiers.h"
#include "core/reconcile/roll.h"
#include "core/state/snapshots.h"

namespace hikae::core {
namespace {

Checked check_member(const CacheCluster& cluster, const ModifyCacheCluster& command) {
  const SettingsChange& change = command.settings;
  const bool of_the_group = !command.logs.empty() || change.changes_nodes() ||
                            change.security_groups || change.snapshot_retention_days ||
                            change.snapshot_window;
  if (cluster.replication_group.empty() || !of_the_group) {
    return {};
  }
  return refuse("InvalidParameterCombination",
                fmt::format("Cache cluster {} is a member of replication group {}. Use "
                            "ModifyReplicationGroup for what its members have in common.",
                            cluster.id.str(), cluster.replication_group.str()));
}

// AWS User Guide, "How to upgrade from Redis OSS to Valkey": a single node goes through a group.
Checked check_engine(const CacheCluster& cluster, const SettingsChange& change) {
  if (!change.engine || to_lower(*change.engine) == cluster.settings.engine) {
    return {};
  }
  return refuse("InvalidParameterCombination",
                fmt::format("The engine of cache cluster {} cannot be modified. Create a "
                            "replication group with it as the primary cluster, and modify that.",
                            cluster.id.str()));
}

Checked change_logs(const std::vector<LogDeliveryRequest>& requests, CacheCluster& cluster) {
  const std::vector<LogDelivery> before = cluster.log_deliveries;
  const CacheSettings later = with(cluster.settings, cluster.applying);
  if (auto checked = change_log_deliveries(requests, later, cluster.log_deliveries); !checked) {
    return checked;
  }
  if (cluster.log_deliveries != before) {
    cluster.status = "modifying";
    for (Node& node : cluster.nodes) {
      ++node.edition;
    }
  }
  return {};
}

// Only replication groups have user groups to go over to.
Checked check_token(const SettingsChange& change) {
  if (!change.token || change.token->strategy != "DELETE") {
    return {};
  }
  return refuse("InvalidParameterCombination",
                "The AuthTokenUpdateStrategy DELETE is only allowed for replication groups that "
                "get a user group.");
}

}  // namespace

Admitted<Transition> admit(const State& state, const ModifyCacheCluster& command,
                           AdmissionContext context) {
  const auto* found = state.find<CacheCluster>(lookup_id<CacheClusterId>(command.id));
  if (found == nullptr) {
    return tl::unexpected(cache_cluster_not_found(command.id));
  }
  if (command.settings.asks_for_nothing() && !command.num_nodes && command.logs.empty()) {
    return refuse("InvalidParameterCombination", "No modifications were requested");
  }
  if (!is_free(state, *found)) {
    return refuse("InvalidCacheClusterState",
                  fmt::format("Cache cluster {} is not in available state.", found->id.str()));
  }
  if (command.num_nodes.value_or(1) != 1) {
    return refuse("InvalidParameterValue", "A Redis or Valkey cluster has exactly one cache node.");
  }
  CacheCluster cluster = *found;
  Checked checked = check_member(cluster, command);
  if (checked) {
    checked = check_engine(cluster, command.settings);
  }
  if (checked) {
    checked = check_token(command.settings);
  }
  if (checked) {
    checked = change_at_once(state, command.settings, cluster.settings);
  }
  if (!checked) {
    return tl::unexpected(checked.error());
  }
  const auto changes = change_nodes(state, command.settings, cluster.settings, cluster.pending);
  if (!changes) {
    return tl::unexpected(changes.error());
  }
  if (command.settings.token) {
    cluster.auth_token_modified_at = context.now;
  }
  if (command.settings.apply_immediately) {
    begin_changes(cluster, *changes);
  } else {
    cluster.pending = *changes;
  }
  if (auto logs = change_logs(command.logs, cluster); !logs) {
    return tl::unexpected(logs.error());
  }
  Transition out;
  out.put(std::move(cluster));
  return out;
}

}  // namespace hikae::core
