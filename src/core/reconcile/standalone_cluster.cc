#include <fmt/format.h>

#include "core/reconcile/cluster_steps.h"
#include "core/reconcile/plan.h"

namespace hikae::core {
namespace {

Plan place_nodes(const State& state, const CacheCluster& cluster, AdmissionContext context) {
  PlacementRequest request{cluster.settings.subnet_group, {}, {}};
  for (const Node& node : cluster.nodes) {
    if (node.host.empty()) {
      request.wishes.push_back({NodeKey{cluster.id, node.id}, node.preferred_zone, true});
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
  plan.transition.remove<CacheCluster>(cluster.id);
  events.finish(plan.transition);
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
  if (cluster->status == "available") {
    return Plan{{}, "available", true};
  }
  if (const auto lack = missing(observed, *cluster, Role::kPrimary); !lack.empty()) {
    return Plan{{}, "waits for " + lack, false};
  }
  Plan plan;
  plan.reason = "every node is in service";
  CacheCluster next = *cluster;
  EventWriter events(state, context.now);
  make_available(observed, next, events, context.now);
  plan.transition.put(std::move(next));
  events.finish(plan.transition);
  return plan;
}

}  // namespace hikae::core
