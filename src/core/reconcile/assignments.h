#pragma once

#include <optional>
#include <vector>

#include "core/reconcile/assignment.h"
#include "core/reconcile/directive_table.h"
#include "core/reconcile/observed.h"
#include "core/state/state.h"

namespace hikae::core {

// What one host should run now: a projection of the state and of what was observed, with no memory.
// Nodes that are not placed, or that are being deleted, are not in it.
Assignment assignment_for(const State& state, const Observed& observed, const HostId& host);

// The part of it for one node; nullopt when the host should not have the node. `known` only saves
// time, for whoever asks often.
std::optional<NodeAssignment> node_assignment(const State& state, const Observed& observed,
                                              const CacheCluster& cluster, const Node& node,
                                              DirectiveTable& known);
std::optional<NodeAssignment> node_assignment(const State& state, const Observed& observed,
                                              const CacheCluster& cluster, const Node& node);

// The same for the host that the node moves to: a replica of the node's group, or of the node
// itself where that has no replica. nullopt: the node does not move.
std::optional<NodeAssignment> arrival_assignment(const State& state, const Observed& observed,
                                                 const CacheCluster& cluster, const Node& node,
                                                 DirectiveTable& known);

}  // namespace hikae::core
