#include <fmt/format.h>

#include "core/placement/moving.h"
#include "core/reconcile/cluster_steps.h"
#include "core/reconcile/log_steps.h"
#include "core/reconcile/move_steps.h"
#include "core/reconcile/plan.h"
#include "core/reconcile/roll.h"
#include "core/reconcile/snapshot_steps.h"
#include "core/reconcile/update_steps.h"
#include "core/state/updates.h"

namespace hikae::core {
namespace {

Plan place_nodes(const State& state, const CacheCluster& cluster, AdmissionContext context) {
  PlacementRequest request{cluster.settings.subnet_group, {}, {}};
  for (const Node& node : cluster.nodes) {
    if (node.host.empty()) {
      request.wishes.push_back({NodeKey{cluster.id, node.id}, zone_wish(node), true});
    }
  }
  const auto placed = place(state, request);
  if (!placed) {
    return Plan{{}, "cannot be placed: " + placed.error().message, false};
  }
  CacheCluster next = cluster;
  for (const PlacedNode& one : *placed) {
    set_placement(next, one, context);
  }
  Plan plan;
  plan.reason = "placed: " + placed->front().reason;
  plan.transition.put(std::move(next));
  return plan;
}

bool placed(const CacheCluster& cluster) {
  for (const Node& node : cluster.nodes) {
    if (node.host.empty()) {
      return false;
    }
  }
  return true;
}

Plan remove_when_released(const State& state, const Observed& observed, const CacheCluster& cluster,
                          AdmissionContext context) {
  Plan plan;
  if (!released(observed, cluster)) {
    plan.reason = "waits for the host to let the node go";
    return plan;
  }
  plan.reason = "every node is gone";
  plan.settled = true;
  EventWriter events(state, context.now);
  events.add(kSourceCacheCluster, cluster.id.str(), "Cache cluster deleted");
  drop_update_actions(state, {}, cluster.id, plan.transition);
  plan.transition.remove<CacheCluster>(cluster.id);
  events.finish(plan.transition);
  return plan;
}

// A modification of the only node: what is replaced is restarted in place, with its data.
Plan modify(const State& state, const Observed& observed, const CacheCluster& cluster,
            AdmissionContext context) {
  Plan plan;
  const CacheSettings target = target_of(state, cluster);
  const Roll roll{{&cluster}, cluster.id, cluster.settings, target, room_of(state, target), {}};
  const RollStep step = next_roll_step(observed, roll, context.now);
  plan.reason = step.reason;
  plan.recheck_after = step.recheck_after;
  CacheCluster next = cluster;
  EventWriter events(state, context.now);
  switch (step.kind) {
    case RollStepKind::kTell:
      tell(state, next, target, context.now);
      break;
    case RollStepKind::kRestart:
      begin_restart(next, true, events, context.now);
      break;
    case RollStepKind::kFinish:
      finish_upgrade(observed, next, events, context.now);
      tell_of_success(next.applying, kSourceCacheCluster, next.id.str(), events);
      next.applying = {};
      break;
    case RollStepKind::kGiveUp:
      tell_of_failure(next.applying, kSourceCacheCluster, next.id.str(), step, events);
      take_back(next, context.now);
      next.applying = {};
      break;
    default:
      return plan;
  }
  plan.transition.put(std::move(next));
  events.finish(plan.transition);
  return plan;
}

// An available cluster: its parameters, and what waits for the maintenance window.
Plan keep(const State& state, const Observed& observed, const CacheCluster& cluster, Instant now) {
  Plan plan{{}, "available", true};
  CacheCluster next = cluster;
  const auto* update = automatic_update(state, {}, cluster.id, cluster.settings);
  if (settle_parameters(observed, next)) {
    plan.reason = "the parameters are in effect";
  } else if (next.pending.empty() && update == nullptr) {
    return plan;
  } else if (is_maintenance_time(next.settings, now, plan.recheck_after)) {
    plan.reason = "the maintenance window is open";
    NodeChanges changes = cluster.pending;
    if (update != nullptr) {
      changes.renewal = renewal_of(state).renewal;
      plan.transition.put(begun(*update, "system", now));
    }
    begin_changes(next, changes);
  } else {
    plan.reason = "changes wait for the maintenance window";
    return plan;
  }
  plan.settled = false;
  plan.transition.put(std::move(next));
  return plan;
}

Plan deliver_logs(const Observed& observed, const CacheCluster& cluster) {
  Plan plan;
  CacheCluster next = cluster;
  if (cluster.status != "creating" && settle_logs(observed, {&cluster}, next.log_deliveries)) {
    plan.reason = "the node has taken its log deliveries";
    plan.transition.put(std::move(next));
  }
  return plan;
}

// Its host is being drained, or it is on its way already. An empty plan: neither.
Plan move(const State& state, const Observed& observed, const CacheCluster& cluster, Instant now) {
  Plan plan;
  if (cluster.nodes.size() != 1) {
    return plan;
  }
  CacheCluster next = cluster;
  const MoveStep step = next_move_step(state, observed, cluster, true, true, now);
  plan.reason = step.reason;
  plan.recheck_after = step.recheck_after;
  if (step.kind == MoveStepKind::kWait) {
    return plan;
  }
  if (step.kind != MoveStepKind::kNone) {
    take_move_step(state, step, next, now);
  } else if (is_to_leave(state, cluster.nodes[0], now) && cluster.status == "available") {
    const Departure departure = set_out(state, next, now);
    plan.reason = departure.reason;
    plan.recheck_after = departure.begun ? Duration() : departure.recheck_after;
    if (!departure.begun) {
      return plan;
    }
  } else {
    return plan;
  }
  plan.transition.put(std::move(next));
  return plan;
}

}  // namespace

Plan plan_standalone_cluster(const State& state, const Observed& observed, const CacheClusterId& id,
                             AdmissionContext context) {
  const auto* cluster = state.find<CacheCluster>(id);
  if (cluster == nullptr || !cluster->replication_group.empty()) {
    return Plan{{}, "not a standalone cluster", true};
  }
  if (cluster->status == "deleting") {
    return remove_when_released(state, observed, *cluster, context);
  }
  if (!placed(*cluster)) {
    return place_nodes(state, *cluster, context);
  }
  if (Plan plan = plan_restore_failure(state, observed, *cluster, context);
      !plan.transition.empty()) {
    return plan;
  }
  if (cluster->status == "restore-failed") {
    return Plan{{}, "waits to be deleted", true};
  }
  if (Plan plan = plan_restore_progress(state, observed, *cluster, context);
      !plan.transition.empty()) {
    return plan;
  }
  const Plan moving = move(state, observed, *cluster, context.now);
  if (!moving.transition.empty()) {
    return moving;
  }
  if (cluster->status != "creating") {
    const UpdateUnit unit{{}, cluster->id, {cluster}, cluster->applying.updates()};
    if (Plan plan = follow_updates(state, observed, unit, context.now); !plan.transition.empty()) {
      return plan;
    }
  }
  if (Plan plan = deliver_logs(observed, *cluster); !plan.transition.empty()) {
    return plan;
  }
  if (cluster->status == "available") {
    if (Plan plan = plan_snapshot(state, observed, *cluster, context); !plan.reason.empty()) {
      return plan;
    }
    if (!moving.reason.empty()) {
      return moving;
    }
    return keep(state, observed, *cluster, context.now);
  }
  if (cluster->status == "modifying") {
    if (Plan plan = modify(state, observed, *cluster, context); !plan.reason.empty()) {
      return plan;
    }
  }
  if (const auto lack = missing(observed, *cluster, Role::kPrimary); !lack.empty()) {
    return Plan{{}, "waits for " + lack, false};
  }
  Plan plan;
  plan.reason = "every node is in service";
  CacheCluster next = *cluster;
  EventWriter events(state, context.now);
  make_available(observed, next, events, context.now);
  settle_logs(observed, {cluster}, next.log_deliveries);
  plan.transition.put(std::move(next));
  events.finish(plan.transition);
  return plan;
}

}  // namespace hikae::core
