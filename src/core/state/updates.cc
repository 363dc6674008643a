#include "core/state/updates.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "core/catalog/catalog.h"

namespace hikae::core {
namespace {

std::string prefix_of(const ReplicationGroupId& group, const CacheClusterId& cluster) {
  return group.empty() ? fmt::format("cache-cluster/{}/", cluster.str())
                       : fmt::format("replication-group/{}/", group.str());
}

}  // namespace

ServiceUpdateName update_name(std::string_view program) {
  std::string name(program);
  std::replace(name.begin(), name.end(), ' ', '-');
  return ServiceUpdateName(to_lower(name));
}

UpdateActionId update_action_id(const ReplicationGroupId& group, const CacheClusterId& cluster,
                                const ServiceUpdateName& update) {
  return UpdateActionId(prefix_of(group, cluster) + update.str());
}

std::vector<const UpdateAction*> update_actions_of(const State& state,
                                                   const ReplicationGroupId& group,
                                                   const CacheClusterId& cluster) {
  std::vector<const UpdateAction*> out;
  const std::string prefix = prefix_of(group, cluster);
  const auto& table = state.all<UpdateAction>();
  for (auto it = table.lower_bound(UpdateActionId(prefix));
       it != table.end() && it->first.str().starts_with(prefix); ++it) {
    out.push_back(&it->second);
  }
  return out;
}

void drop_update_actions(const State& state, const ReplicationGroupId& group,
                         const CacheClusterId& cluster, Transition& transition) {
  for (const UpdateAction* action : update_actions_of(state, group, cluster)) {
    transition.remove<UpdateAction>(action->id);
  }
}

std::string shown_status(const State& state, const ServiceUpdate& update) {
  const auto& all = state.all<ServiceUpdate>();
  const bool replaced = std::any_of(all.begin(), all.end(), [&](const auto& item) {
    const ServiceUpdate& other = item.second;
    return other.engine == update.engine && compare_versions(other.version, update.version) > 0;
  });
  return replaced ? "expired" : "available";
}

bool may_apply(const UpdateAction& action) {
  return action.status == "not-applied" || action.status == "stopped";
}

bool may_stop(const UpdateAction& action) {
  return action.status == "waiting-to-start" || action.status == "in-progress";
}

}  // namespace hikae::core
