#pragma once

#include <vector>

#include "core/reconcile/plan.h"
#include "core/state/state.h"

namespace hikae::core {

// Service updates (docs/adr/0039-a-service-update-is-a-newer-installed-program.md): programs of
// engines that were installed while nodes ran older ones. Applied they are a modification like any
// other, rolled through the members (roll.h); here they are noticed, and how far they have come is
// written down.

// A replication group with its members, or a cluster that belongs to none.
struct UpdateUnit {
  ReplicationGroupId group;
  CacheClusterId cluster;
  std::vector<const CacheCluster*> members;
  bool under_way = false;  // an update is being rolled through the members
};

// Brings service updates and the unit's actions in line with what is seen of its nodes. An empty
// plan: they are.
Plan follow_updates(const State& state, const Observed& observed, const UpdateUnit& unit,
                    Instant now);

// An update that its maintenance window may begin: of a version with the same major and minor
// number, where the customer allows it (AutoMinorVersionUpgrade). nullptr: none.
const UpdateAction* automatic_update(const State& state, const ReplicationGroupId& group,
                                     const CacheClusterId& cluster, const CacheSettings& settings);

// Notes in the action that it begins, by the wish of `initiated_by` (customer, system).
UpdateAction begun(UpdateAction action, const std::string& initiated_by, Instant now);

// The change that makes nodes run the newest program; it differs from every earlier one.
NodeChanges renewal_of(const State& state);

}  // namespace hikae::core
