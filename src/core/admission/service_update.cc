#include "core/admission/service_update.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/admission/identifiers.h"
#include "core/admission/settings_rules.h"
#include "core/reconcile/roll.h"
#include "core/reconcile/update_steps.h"
#include "core/state/snapshots.h"
#include "core/state/updates.h"

namespace hikae::core {
namespace {

// The action of the update on the group or the cluster, if it may be `what` ("applied", "stopped").
Admitted<const UpdateAction*> find_action(const State& state, const ReplicationGroupId& group,
                                          const CacheClusterId& cluster,
                                          const ServiceUpdateName& update,
                                          bool (*may)(const UpdateAction&), std::string_view what) {
  const auto* action = state.find<UpdateAction>(update_action_id(group, cluster, update));
  if (action == nullptr) {
    return refuse("InvalidParameterValue",
                  fmt::format("Service update {} is not applicable to {}.", update.str(),
                              group.empty() ? cluster.str() : group.str()));
  }
  if (!may(*action)) {
    return refuse("InvalidParameterValue",
                  fmt::format("Service update {} has status {} and cannot be {}.",
                              action->update.str(), action->status, what));
  }
  return action;
}

Checked members_available(const State& state, const ReplicationGroup& group) {
  for (const NodeGroup& node_group : group.node_groups) {
    for (const CacheClusterId& id : node_group.members) {
      const auto* member = state.find<CacheCluster>(id);
      if (member == nullptr || member->status != "available") {
        return refuse("InvalidCacheClusterState",
                      fmt::format("Cache cluster {} is not in available state.", id.str()));
      }
    }
  }
  return {};
}

Admitted<const CacheCluster*> find_standalone(const State& state, const std::string& text) {
  const auto* cluster = state.find<CacheCluster>(lookup_id<CacheClusterId>(text));
  if (cluster == nullptr) {
    return tl::unexpected(cache_cluster_not_found(text));
  }
  if (!cluster->replication_group.empty()) {
    return refuse("InvalidParameterValue",
                  fmt::format("Cache cluster {} is a member of replication group {}. Name the "
                              "replication group.",
                              cluster->id.str(), cluster->replication_group.str()));
  }
  return cluster;
}

using Applied = Admitted<std::string>;  // the new status

Applied apply_to_group(const State& state, const std::string& text, const ServiceUpdateName& update,
                       AdmissionContext context, Transition& out) {
  const auto* found = state.find<ReplicationGroup>(lookup_id<ReplicationGroupId>(text));
  if (found == nullptr) {
    return tl::unexpected(replication_group_not_found(text));
  }
  const auto action = find_action(state, found->id, {}, update, may_apply, "applied");
  if (!action) {
    return tl::unexpected(action.error());
  }
  if (!is_free(state, *found)) {
    return refuse("InvalidReplicationGroupState",
                  fmt::format("Replication group {} is not in available state.", found->id.str()));
  }
  if (auto checked = members_available(state, *found); !checked) {
    return tl::unexpected(checked.error());
  }
  ReplicationGroup group = *found;
  begin_changes(state, group, renewal_of(state), out);
  group.pending = found->pending;  // goes on waiting for the maintenance window
  UpdateAction next = begun(**action, "customer", context.now);
  std::string status = next.status;
  out.put(std::move(group));
  out.put(std::move(next));
  return status;
}

Applied apply_to_cluster(const State& state, const std::string& text,
                         const ServiceUpdateName& update, AdmissionContext context,
                         Transition& out) {
  const auto found = find_standalone(state, text);
  if (!found) {
    return tl::unexpected(found.error());
  }
  const auto action = find_action(state, {}, (*found)->id, update, may_apply, "applied");
  if (!action) {
    return tl::unexpected(action.error());
  }
  if (!is_free(state, **found)) {
    return refuse("InvalidCacheClusterState",
                  fmt::format("Cache cluster {} is not in available state.", (*found)->id.str()));
  }
  CacheCluster cluster = **found;
  begin_changes(cluster, renewal_of(state));
  cluster.pending = (*found)->pending;
  UpdateAction next = begun(**action, "customer", context.now);
  std::string status = next.status;
  out.put(std::move(cluster));
  out.put(std::move(next));
  return status;
}

UpdateAction stopped(UpdateAction action, Instant now) {
  const bool busy =
      std::any_of(action.nodes.begin(), action.nodes.end(),
                  [](const NodeUpdate& node) { return node.status == "in-progress"; });
  action.status = busy ? "stopping" : "stopped";
  action.modified_at = now;
  return action;
}

Applied stop_on_group(const State& state, const std::string& text, const ServiceUpdateName& update,
                      AdmissionContext context, Transition& out) {
  const auto* found = state.find<ReplicationGroup>(lookup_id<ReplicationGroupId>(text));
  if (found == nullptr) {
    return tl::unexpected(replication_group_not_found(text));
  }
  const auto action = find_action(state, found->id, {}, update, may_stop, "stopped");
  if (!action) {
    return tl::unexpected(action.error());
  }
  ReplicationGroup group = *found;
  group.applying.renewal = {};
  UpdateAction next = stopped(**action, context.now);
  std::string status = next.status;
  out.put(std::move(group));
  out.put(std::move(next));
  return status;
}

Applied stop_on_cluster(const State& state, const std::string& text,
                        const ServiceUpdateName& update, AdmissionContext context,
                        Transition& out) {
  const auto found = find_standalone(state, text);
  if (!found) {
    return tl::unexpected(found.error());
  }
  const auto action = find_action(state, {}, (*found)->id, update, may_stop, "stopped");
  if (!action) {
    return tl::unexpected(action.error());
  }
  CacheCluster cluster = **found;
  cluster.applying.renewal = {};
  UpdateAction next = stopped(**action, context.now);
  std::string status = next.status;
  out.put(std::move(cluster));
  out.put(std::move(next));
  return status;
}

using Step = Applied (*)(const State&, const std::string&, const ServiceUpdateName&,
                         AdmissionContext, Transition&);

// Each id once, in the client's order; what fails for one leaves the others alone.
void run(const State& state, const std::vector<std::string>& ids, bool groups,
         const ServiceUpdateName& update, AdmissionContext context, Step step,
         UpdateOutcome& outcome) {
  std::vector<std::string> seen;
  for (const std::string& text : ids) {
    const std::string id = to_lower(text);
    if (std::find(seen.begin(), seen.end(), id) != seen.end()) {
      continue;
    }
    seen.push_back(id);
    const Applied status = step(state, text, update, context, outcome.transition);
    outcome.results.push_back({groups, id, status.value_or(""), status ? Fault() : status.error()});
  }
}

Admitted<UpdateOutcome> run_all(const State& state, const UpdateRequest& request,
                                AdmissionContext context, Step of_group, Step of_cluster) {
  const ServiceUpdateName update(to_lower(request.update));
  if (state.find<ServiceUpdate>(update) == nullptr) {
    return tl::unexpected(service_update_not_found(request.update));
  }
  if (request.groups.empty() && request.clusters.empty()) {
    return refuse("InvalidParameterValue",
                  "At least one of ReplicationGroupIds and CacheClusterIds must be given.");
  }
  UpdateOutcome outcome;
  run(state, request.groups, true, update, context, of_group, outcome);
  run(state, request.clusters, false, update, context, of_cluster, outcome);
  return outcome;
}

}  // namespace

Admitted<UpdateOutcome> apply_update(const State& state, const UpdateRequest& request,
                                     AdmissionContext context) {
  return run_all(state, request, context, apply_to_group, apply_to_cluster);
}

Admitted<UpdateOutcome> stop_update(const State& state, const UpdateRequest& request,
                                    AdmissionContext context) {
  return run_all(state, request, context, stop_on_group, stop_on_cluster);
}

Fault service_update_not_found(const std::string& name) {
  return Fault{"ServiceUpdateNotFoundFault", fmt::format("Service update {} not found.", name)};
}

}  // namespace hikae::core
