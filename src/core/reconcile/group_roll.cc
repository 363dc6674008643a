#include <fmt/format.h>

#include "core/admission/group_changes.h"
#include "core/reconcile/cluster_steps.h"
#include "core/reconcile/group_view.h"
#include "core/reconcile/roll.h"
#include "core/reconcile/update_steps.h"

namespace hikae::core {
namespace {

Roll roll_of(const GroupView& view) {
  Roll roll;
  for (const CacheCluster* member : view.members) {
    if (member->status != "deleting" && !member->nodes.empty()) {
      roll.members.push_back(member);
    }
  }
  const NodeGroup& node_group = view.group.node_groups.front();
  roll.primary = node_group.primary;
  roll.before = view.group.settings;
  roll.target = with(view.group.settings, view.group.applying);
  roll.room = room_of(view.state, roll.target);
  // Of one that succeeded nothing is left; see the commit of a failover.
  if (node_group.switchover_deadline != Instant()) {
    roll.switchover_from = node_group.switchover_deadline + kSwitchoverPause;
  }
  return roll;
}

void switch_over(const GroupView& view, const CacheClusterId& heir, Plan& plan) {
  ReplicationGroup next = view.group;
  NodeGroup& node_group = next.node_groups.front();
  node_group.switchover_target = heir;
  node_group.switchover_deadline = view.context.now + kSwitchoverBound;
  plan.transition.put(std::move(next));
}

// Members that run the new settings already are then rolled back, one by one like before.
void give_up(const GroupView& view, const RollStep& step, EventWriter& events, Plan& plan) {
  tell_of_failure(view.group.applying, kSourceReplicationGroup, view.group.id.str(), step, events);
  ReplicationGroup next = view.group;
  next.applying = {};
  plan.transition.put(std::move(next));
  for (const CacheCluster* member : view.members) {
    if (is_in_hand(*member)) {
      CacheCluster back = *member;
      take_back(back, view.context.now);
      plan.transition.put(std::move(back));
    }
  }
}

}  // namespace

Plan roll_members(const GroupView& view) {
  Plan plan;
  if (view.group.status != "modifying") {
    return plan;
  }
  const Roll roll = roll_of(view);
  const RollStep step = next_roll_step(view.observed, roll, view.context.now);
  plan.reason = step.reason;
  plan.recheck_after = step.recheck_after;
  if (step.kind == RollStepKind::kDone || step.kind == RollStepKind::kWait) {
    return plan;
  }
  EventWriter events(view.state, view.context.now);
  if (step.kind == RollStepKind::kSwitchOver) {
    switch_over(view, step.member, plan);
    return plan;
  }
  if (step.kind == RollStepKind::kGiveUp) {
    give_up(view, step, events, plan);
    events.finish(plan.transition);
    return plan;
  }
  CacheCluster member = *view.state.find<CacheCluster>(step.member);
  if (step.kind == RollStepKind::kTell) {
    tell(view.state, member, roll.target, view.context.now);
  } else if (step.kind == RollStepKind::kRestart) {
    begin_restart(member, roll.members.size() == 1, events, view.context.now);
  } else {
    finish_upgrade(view.observed, member, events, view.context.now);
  }
  plan.transition.put(std::move(member));
  events.finish(plan.transition);
  return plan;
}

Plan maintain_group(const GroupView& view) {
  Plan plan;
  plan.settled = true;
  const auto* update = automatic_update(view.state, view.group.id, {}, view.group.settings);
  if ((view.group.pending.empty() && update == nullptr) || view.group.status != "available") {
    return plan;
  }
  if (!is_maintenance_time(view.group.settings, view.context.now, plan.recheck_after)) {
    plan.reason = "changes wait for the maintenance window";
    return plan;
  }
  for (const CacheCluster* member : view.members) {
    if (member->status != "available") {
      plan.reason = fmt::format("the maintenance waits for {}", member->id.str());
      return plan;
    }
  }
  ReplicationGroup next = view.group;
  NodeChanges changes = view.group.pending;
  if (update != nullptr) {
    changes.renewal = renewal_of(view.state).renewal;
    plan.transition.put(begun(*update, "system", view.context.now));
  }
  begin_changes(view.state, next, changes, plan.transition);
  plan.transition.put(std::move(next));
  plan.reason = "the maintenance window is open";
  plan.settled = false;
  return plan;
}

}  // namespace hikae::core
