#include "control/node_places.h"

#include <utility>
#include <variant>

namespace hikae::control {

NodePlaces::Place NodePlaces::place_of(const core::State& state, const core::HostId& host,
                                       const core::NodeKey& key) {
  const auto* cluster = state.find<core::CacheCluster>(key.cluster);
  if (cluster == nullptr) {
    return Place::kHere;
  }
  for (const core::Node& node : cluster->nodes) {
    if (node.id == key.node) {
      return node.host == host        ? Place::kHere
             : node.move.host == host ? Place::kArriving
                                      : Place::kElsewhere;
    }
  }
  return Place::kHere;
}

void NodePlaces::told(const core::HostId& host, const core::NodeKey& key, Place place) {
  auto& table = place == Place::kArriving ? arriving_ : here_;
  table.insert_or_assign(key, host);
}

bool NodePlaces::follow(const core::Transition& transition, core::Observed& observed) {
  bool moved = false;
  for (const core::Change& change : transition.changes) {
    if (const auto* put = std::get_if<core::Put<core::CacheCluster>>(&change)) {
      moved = follow(put->value, observed) || moved;
    } else if (const auto* gone = std::get_if<core::Remove<core::CacheCluster>>(&change)) {
      std::erase_if(here_, [&](const auto& entry) { return entry.first.cluster == gone->key; });
      std::erase_if(arriving_, [&](const auto& entry) { return entry.first.cluster == gone->key; });
      moved = true;
    }
  }
  return moved;
}

bool NodePlaces::follow(const core::CacheCluster& cluster, core::Observed& observed) {
  bool moved = false;
  for (const core::Node& node : cluster.nodes) {
    const core::NodeKey key{cluster.id, node.id};
    const auto here = here_.find(key);
    const auto arriving = arriving_.find(key);
    const bool known = here != here_.end() && here->second == node.host;
    const bool arrival_known =
        arriving == arriving_.end() ? node.move.host.empty() : arriving->second == node.move.host;
    moved = moved || !known || !arrival_known;
    if (here != here_.end() && !known) {
      observed.nodes.erase(key);
      observed.dead_since.erase(key);
      here_.erase(here);
    }
    if (arriving == arriving_.end() || arrival_known) {
      continue;
    }
    const auto seen = observed.arrivals.find(key);
    if (arriving->second == node.host && seen != observed.arrivals.end()) {
      observed.nodes.insert_or_assign(key, std::move(seen->second));
      here_.insert_or_assign(key, node.host);
    }
    observed.arrivals.erase(key);
    arriving_.erase(arriving);
  }
  return moved;
}

}  // namespace hikae::control
