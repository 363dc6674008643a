#include "core/reconcile/waiting.h"

#include <map>

#include "core/placement/placement.h"
#include "core/reconcile/cluster_steps.h"

namespace hikae::core {

std::vector<std::string> nodes_without_place(const State& state) {
  std::map<std::string, PlacementRequest> requests;  // by what they belong to
  for (const auto& [id, cluster] : state.all<CacheCluster>()) {
    const ReplicationGroupId& group = cluster.replication_group;
    for (const Node& node : cluster.nodes) {
      if (node.host.empty() && cluster.status != "deleting") {
        auto& request = requests[group.empty() ? id.str() : group.str()];
        request.subnet_group = cluster.settings.subnet_group;
        request.group = group;
        request.wishes.push_back({NodeKey{id, node.id}, zone_wish(node), group.empty()});
      }
    }
  }
  std::vector<std::string> out;
  for (const auto& [name, request] : requests) {
    // Those that do find one are placed in a moment.
    if (const auto placed = place(state, request); !placed) {
      out.push_back(placed.error().message);
    }
  }
  return out;
}

}  // namespace hikae::core
