#pragma once

#include <optional>
#include <string>

#include "api/generated/elasticache_shapes.h"
#include "core/state/state.h"

namespace hikae::api::elasticache {

// A cache cluster as every action answers it. Nodes are listed only when asked for, and only once
// the cluster is out of `creating` (AWS leaves them out of creation's answer).
CacheCluster describe(const core::State& state, const core::CacheCluster& cluster, bool with_nodes);

// A replication group as every action answers it: node groups are left out while it is being
// created or deleted, members too while it is being deleted.
ReplicationGroup describe(const core::State& state, const core::ReplicationGroup& group);

// The group of that name as it is now, for the answer of an action that has changed it.
std::optional<ReplicationGroup> describe_group(const core::State& state, const std::string& id);

// A snapshot as every action answers it.
Snapshot describe(const core::State& state, const core::Snapshot& snapshot,
                  bool with_configuration);

}  // namespace hikae::api::elasticache
