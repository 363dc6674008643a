#include "core/admission/access_change.h"

#include "core/state/access.h"

namespace hikae::core {

bool tell_nodes(const State& state, const std::set<ReplicationGroupId>& groups,
                Transition& transition) {
  bool told = false;
  for (const ReplicationGroupId& id : groups) {
    const auto* group = state.find<ReplicationGroup>(id);
    if (group == nullptr || !keeps_access(*group)) {
      continue;
    }
    for (const NodeGroup& node_group : group->node_groups) {
      for (const CacheClusterId& member : node_group.members) {
        CacheCluster cluster = *find_after<CacheCluster>(state, transition, member);
        for (Node& node : cluster.nodes) {
          ++node.edition;
          told = true;
        }
        transition.put(std::move(cluster));
      }
    }
  }
  return told;
}

}  // namespace hikae::core
