#include <algorithm>

#include <fmt/format.h>

#include "core/failover/failover.h"
#include "core/reconcile/cluster_steps.h"
#include "core/reconcile/group_view.h"
#include "core/reconcile/roll.h"

namespace hikae::core {
namespace {

// Reports are kept within moments. When that fails for so many failovers, the oldest are not
// reported: the state has its limits.
constexpr std::size_t kMostUnreported = 32;

// What a report needs of it, for a leader that has not seen it.
FailoverNote note_of(const GroupView& view, const NodeGroup& old,
                     const FailoverDecision& decision) {
  FailoverNote out;
  out.epoch = old.epoch.next();
  out.from = old.primary;
  out.to = decision.new_primary;
  out.at = view.context.now;
  out.planned = decision.planned;
  out.reason = decision.reason;
  out.bytes_at_risk = decision.bytes_at_risk;
  const auto* lost = view.state.find<CacheCluster>(old.primary);
  if (decision.planned || lost == nullptr || lost->nodes.empty()) {
    return out;
  }
  const Observed& observed = view.observed;
  const NodeKey key{old.primary, lost->nodes[0].id};
  const Monotonic fault = fault_of(observed, key, lost->nodes[0].host);
  const auto dead = observed.dead_since.find(key);
  out.confirmed_us = dead == observed.dead_since.end() ? 0 : (dead->second - fault).count();
  out.decided_us = (observed.now - fault).count();
  out.last_heard_us = decision.offset_read == Monotonic()
                          ? -1
                          : std::max(Duration(), fault - decision.offset_read).count();
  return out;
}

void add_note(NodeGroup& node_group, FailoverNote note) {
  auto& notes = node_group.unreported;
  if (notes.size() >= kMostUnreported) {
    notes.erase(notes.begin());
  }
  notes.push_back(std::move(note));
}

// The node group in a copy of its group.
NodeGroup& same_in(ReplicationGroup& group, const NodeGroup& node_group) {
  return *std::find_if(group.node_groups.begin(), group.node_groups.end(),
                       [&](const NodeGroup& one) { return one.id == node_group.id; });
}

// What changes of the member itself with the commit that makes it the primary.
void lead(const GroupView& view, const CacheClusterId& id, Plan& plan) {
  const CacheCluster& before = *view.state.find<CacheCluster>(id);
  const auto* seen = seen_of(view.state, view.observed, id);
  const bool restarting = is_restarting(before) && seen != nullptr && !seen->dead();
  if (!before.nodes[0].fenced && !restarting) {
    return;
  }
  CacheCluster leader = before;
  // Until its agent tells that it is, as a primary.
  leader.nodes[0].fenced = leader.nodes[0].kept = false;
  if (restarting) {
    call_off_restart(leader, *seen);
  }
  plan.transition.put(std::move(leader));
}

// The commit of a failover: epoch + 1, the new primary, and in the same transition the names that
// follow from it and the events of AWS in their order.
Plan promote(const GroupView& view, const NodeGroup& old, const FailoverDecision& decision) {
  Plan plan;
  EventWriter events(view.state, view.context.now);
  ReplicationGroup next = view.group;
  NodeGroup& node_group = same_in(next, old);
  node_group.primary = decision.new_primary;
  node_group.epoch = old.epoch.next();
  add_note(node_group, note_of(view, old, decision));
  node_group.switchover_target = {};
  node_group.switchover_deadline = {};
  node_group.taking_over = decision.planned && view.group.automatic_failover != "enabled";
  const std::string text = fmt::format("Failover from primary node {} to replica node {} completed",
                                       old.primary.str(), decision.new_primary.str());
  events.add(kSourceCacheCluster, old.primary.str(), text);
  events.add(kSourceReplicationGroup, view.group.id.str(), text);
  lead(view, decision.new_primary, plan);
  if (!decision.planned) {
    CacheCluster lost = *view.state.find<CacheCluster>(old.primary);
    begin_recovery(lost, events);
    plan.transition.put(std::move(lost));
  }
  plan.transition.put(std::move(next));
  events.finish(plan.transition);
  plan.reason = decision.reason;
  plan.failover = Plan::Failover{old, decision};
  return plan;
}

Plan give_up_switchover(const GroupView& view, const NodeGroup& old,
                        const FailoverDecision& decision) {
  Plan plan;
  EventWriter events(view.state, view.context.now);
  ReplicationGroup next = view.group;
  same_in(next, old).switchover_target = {};
  // A modification under way goes on, and tries again after a while.
  const bool goes_on =
      !next.applying.empty() ||
      std::any_of(view.members.begin(), view.members.end(), [&](const CacheCluster* member) {
        return member->status != "deleting" && is_yet_to_change(view.state, *member);
      });
  next.status = goes_on ? next.status : "available";
  events.add(kSourceReplicationGroup, view.group.id.str(),
             fmt::format("Failed to promote {}: {}", old.switchover_target.str(), decision.reason));
  plan.transition.put(std::move(next));
  events.finish(plan.transition);
  plan.reason = decision.reason;
  return plan;
}

// A test that killed its primary when nobody could take over any more is done with that: the
// primary comes back in place and is not killed again.
Plan forget_test(const GroupView& view, const NodeGroup& tested) {
  Plan plan;
  ReplicationGroup next = view.group;
  same_in(next, tested).kill_epoch = Epoch(0);
  plan.reason =
      fmt::format("{} was killed by a test, but no replica can take over", tested.primary.str());
  plan.transition.put(std::move(next));
  return plan;
}

// Once in an epoch: its owner has to know that it waits, for what, and how to end that.
Plan tell_wait(const GroupView& view, const NodeGroup& waiting, const FailoverDecision& decision) {
  Plan plan;
  EventWriter events(view.state, view.context.now);
  ReplicationGroup next = view.group;
  same_in(next, waiting).wait_told = waiting.epoch;
  plan.reason = decision.reason;
  plan.alarm = fmt::format(
      "Node group {} has no primary: {}. Setting min-replicas-to-write to 0 gives those writes up",
      waiting.id.str(), decision.reason);
  events.add(kSourceReplicationGroup, view.group.id.str(), plan.alarm);
  plan.transition.put(std::move(next));
  events.finish(plan.transition);
  return plan;
}

bool is_dead(const GroupView& view, const CacheClusterId& id) {
  const auto* seen = seen_of(view.state, view.observed, id);
  return seen != nullptr && seen->dead();
}

}  // namespace

Plan fail_over(const GroupView& view) {
  Plan plan;
  for (const NodeGroup& node_group : view.group.node_groups) {
    const auto decision =
        decide_failover(view.state, view.observed, view.group, node_group, view.context.now);
    switch (decision.stage) {
      case FailoverStage::kDecided:
        return promote(view, node_group, decision);
      case FailoverStage::kGivenUp:
        return give_up_switchover(view, node_group, decision);
      case FailoverStage::kHealthy:
        if (node_group.kill_epoch == node_group.epoch && is_dead(view, node_group.primary)) {
          return forget_test(view, node_group);
        }
        break;
      default:
        if (decision.awaits_confirmed && node_group.wait_told != node_group.epoch) {
          return tell_wait(view, node_group, decision);
        }
        plan.reason = decision.reason;
        plan.recheck_after = decision.recheck_after;
    }
  }
  return plan;
}

Plan note_takeover(const GroupView& view) {
  for (const NodeGroup& node_group : view.group.node_groups) {
    const auto* seen = seen_of(view.state, view.observed, node_group.primary);
    const bool leads = seen != nullptr && !seen->dead() && seen->role == Role::kPrimary;
    if (node_group.taking_over && leads) {
      Plan plan;
      ReplicationGroup next = view.group;
      same_in(next, node_group).taking_over = false;
      plan.transition.put(std::move(next));
      plan.reason = fmt::format("{} has taken over", node_group.primary.str());
      return plan;
    }
  }
  return {};
}

}  // namespace hikae::core
