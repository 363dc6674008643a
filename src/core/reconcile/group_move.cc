#include <algorithm>

#include <fmt/format.h>

#include "core/admission/group_changes.h"
#include "core/placement/moving.h"
#include "core/reconcile/cluster_steps.h"
#include "core/reconcile/group_view.h"
#include "core/reconcile/move_steps.h"
#include "core/reconcile/roll.h"

namespace hikae::core {
namespace {

bool is_to_leave(const GroupView& view, const CacheCluster& member) {
  return !member.nodes.empty() && is_to_leave(view.state, member.nodes[0], view.context.now);
}

// Another member that stays and has all of the data; nullptr: none.
const CacheCluster* heir_of(const GroupView& view, const NodeGroup& node_group) {
  for (const CacheClusterId& id : node_group.members) {
    const auto* member = view.state.find<CacheCluster>(id);
    if (id != node_group.primary && member != nullptr && !is_to_leave(view, *member) &&
        in_service(view.observed, *member, Role::kReplica)) {
      return member;
    }
  }
  return nullptr;
}

// A primary that is to leave gives the lead to a member that stays. An empty plan: there is none
// such primary, or nobody can take over yet.
Plan give_up_lead(const GroupView& view) {
  Plan plan;
  for (const NodeGroup& node_group : view.group.node_groups) {
    const auto* primary = view.state.find<CacheCluster>(node_group.primary);
    const CacheCluster* heir =
        primary != nullptr && is_to_leave(view, *primary) ? heir_of(view, node_group) : nullptr;
    if (heir == nullptr) {
      continue;
    }
    const Instant from = node_group.switchover_deadline == Instant()
                             ? Instant()
                             : node_group.switchover_deadline + kSwitchoverPause;
    if (view.context.now < from) {
      plan.reason = fmt::format("waits before it tries again to put {} in the place of {}",
                                heir->id.str(), primary->id.str());
      plan.recheck_after = from - view.context.now;
      return plan;
    }
    ReplicationGroup next = view.group;
    for (NodeGroup& one : next.node_groups) {
      if (one.id == node_group.id) {
        one.switchover_target = heir->id;
        one.switchover_deadline = view.context.now + kSwitchoverBound;
      }
    }
    plan.transition.put(std::move(next));
    plan.reason = fmt::format("{} takes the place of {}, whose host is drained", heir->id.str(),
                              primary->id.str());
    return plan;
  }
  return plan;
}

// Replicas before primaries: where a member leads that stays, a primary has become one.
Plan set_out_members(const GroupView& view) {
  Plan plan;
  for (const CacheCluster* member : view.members) {
    const bool leads = view.leads(member->id);
    if (!is_to_leave(view, *member) || (leads && view.members.size() > 1)) {
      continue;
    }
    CacheCluster next = *member;
    const Departure departure = set_out(view.state, next, view.context.now);
    plan.reason = plan.reason.empty() ? departure.reason : plan.reason;
    plan.recheck_after = departure.recheck_after;
    if (departure.begun) {
      plan.reason = departure.reason;
      plan.recheck_after = {};
      plan.transition.put(std::move(next));
      return plan;
    }
  }
  return plan;
}

}  // namespace

Plan move_members(const GroupView& view) {
  Plan plan;
  for (const CacheCluster* member : view.members) {
    if (member->nodes.empty() || !member->nodes[0].move.under_way()) {
      continue;
    }
    const bool leads = view.leads(member->id);
    const MoveStep step = next_move_step(view.state, view.observed, *member, leads,
                                         leads && view.members.size() == 1, view.context.now);
    plan.reason = step.reason;
    plan.recheck_after = step.recheck_after;
    if (step.kind != MoveStepKind::kWait) {
      CacheCluster next = *member;
      take_move_step(view.state, step, next, view.context.now);
      plan.transition.put(std::move(next));
      return plan;
    }
  }
  return plan;
}

Plan drain_members(const GroupView& view) {
  const bool leaves = std::any_of(view.members.begin(), view.members.end(),
                                  [&](const auto* member) { return is_to_leave(view, *member); });
  if (!leaves || view.group.status != "available") {
    return {};
  }
  Plan lead = give_up_lead(view);
  return lead.reason.empty() ? set_out_members(view) : lead;
}

}  // namespace hikae::core
