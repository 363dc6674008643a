#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/state/state.h"

namespace hikae::core {

// What follows from the tables of service updates and update actions.

// `valkey 8.0.2`, as agents tell it, and the update that brings it.
ServiceUpdateName update_name(std::string_view program);

// The key of an update's action on a group, or where that is empty on a cluster.
UpdateActionId update_action_id(const ReplicationGroupId& group, const CacheClusterId& cluster,
                                const ServiceUpdateName& update);

// All actions of the group, or where that is empty of the cluster.
std::vector<const UpdateAction*> update_actions_of(const State& state,
                                                   const ReplicationGroupId& group,
                                                   const CacheClusterId& cluster);

// They go with what they are of.
void drop_update_actions(const State& state, const ReplicationGroupId& group,
                         const CacheClusterId& cluster, Transition& transition);

// ServiceUpdateStatus: available, or expired once a newer update of the engine is there.
std::string shown_status(const State& state, const ServiceUpdate& update);

// The customer may have it applied.
bool may_apply(const UpdateAction& action);
bool may_stop(const UpdateAction& action);

}  // namespace hikae::core
