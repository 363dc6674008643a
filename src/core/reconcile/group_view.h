#pragma once

#include <algorithm>
#include <vector>

#include "core/reconcile/plan.h"

namespace hikae::core {

// The group and its members as they are now. Members are looked up once a step.
struct GroupView {
  const State& state;
  const Observed& observed;
  AdmissionContext context;
  const ReplicationGroup& group;
  std::vector<const CacheCluster*> members;

  bool leads(const CacheClusterId& id) const {
    return std::any_of(group.node_groups.begin(), group.node_groups.end(),
                       [&](const NodeGroup& one) { return one.primary == id; });
  }
  // What its engine should be: a primary whose data is taken over from outside is a replica too.
  Role role_of(const CacheClusterId& id) const {
    return leads(id) && !group.migration.follows() ? Role::kPrimary : Role::kReplica;
  }
};

// The commit that a failover, a planned switchover or a test of the failover needs now. Otherwise
// an empty plan, with a reason while something is waited for.
Plan fail_over(const GroupView& view);

// Notes that the primary which a switchover made was seen to lead; else an empty plan.
Plan note_takeover(const GroupView& view);

// The next step of a migration from a server outside; an empty plan when there is none.
Plan migrate(const GroupView& view);

// The next step of the modification that is being rolled through the members; an empty plan when
// there is none.
Plan roll_members(const GroupView& view);

// The next step of a member that is on its way to another host; an empty plan when there is none,
// or only a reason while it is waited for.
Plan move_members(const GroupView& view);

// Has members leave hosts that are being drained: a primary gives up the lead first, then one node
// after the other sets out. Otherwise an empty plan.
Plan drain_members(const GroupView& view);

// Begins what has waited for the maintenance window. Otherwise an empty plan, which says when to
// look again.
Plan maintain_group(const GroupView& view);

// Users, user groups and the group's own use of them that were changed are settled once the nodes
// have taken them; else an empty plan.
Plan settle_users(const GroupView& view);
// The group has got or lost a user group, and some node may not have taken that yet.
bool changes_user_groups(const ReplicationGroup& group);

}  // namespace hikae::core
