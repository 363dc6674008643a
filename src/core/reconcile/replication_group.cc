#include <algorithm>

#include <fmt/format.h>

#include "core/admission/log_delivery.h"
#include "core/failover/confirmed_writes.h"
#include "core/failover/disk_leader.h"
#include "core/failover/failover.h"
#include "core/failover/fence.h"
#include "core/reconcile/cluster_steps.h"
#include "core/reconcile/group_view.h"
#include "core/reconcile/log_steps.h"
#include "core/reconcile/roll.h"
#include "core/reconcile/snapshot_steps.h"
#include "core/reconcile/update_steps.h"
#include "core/state/updates.h"

namespace hikae::core {
namespace {

using View = GroupView;

// A primary whose host was lost, and whose place another member can take. That comes first: placed
// elsewhere it would be a primary without data.
bool is_being_replaced(const View& view, const CacheCluster& member) {
  for (const NodeGroup& node_group : view.group.node_groups) {
    if (node_group.primary == member.id && member.created_at) {
      return can_be_replaced(view.state, view.observed, view.group, node_group);
    }
  }
  return false;
}

Plan place_members(const View& view) {
  PlacementRequest request{view.group.settings.subnet_group, view.group.id, {}};
  for (const CacheCluster* member : view.members) {
    if (is_being_replaced(view, *member)) {
      continue;
    }
    for (const Node& node : member->nodes) {
      if (node.host.empty()) {
        request.wishes.push_back(
            {NodeKey{member->id, node.id}, zone_wish(node), view.leads(member->id)});
      }
    }
  }
  Plan plan;
  if (request.wishes.empty()) {
    return plan;
  }
  const auto placed = place(view.state, request);
  if (!placed) {
    plan.reason = "cannot be placed: " + placed.error().message;
    return plan;
  }
  for (const PlacedNode& one : *placed) {
    CacheCluster next = *view.state.find<CacheCluster>(one.node.cluster);
    set_placement(next, one, view.context);
    plan.transition.put(std::move(next));
  }
  plan.reason = fmt::format("placed {} nodes", placed->size());
  return plan;
}

// It ended, and what it may have confirmed to clients is with enough others.
bool may_leave(const View& view, const CacheClusterId& member) {
  return std::all_of(
      view.group.node_groups.begin(), view.group.node_groups.end(), [&](const NodeGroup& one) {
        const bool is_member =
            std::find(one.members.begin(), one.members.end(), member) != one.members.end();
        return !is_member || may_release(view.state, view.observed, view.group, one);
      });
}

// Members that are gone leave the state; with the last of them the group.
Plan remove_released(const View& view) {
  Plan plan;
  EventWriter events(view.state, view.context.now);
  ReplicationGroup next = view.group;
  std::size_t left = 0;
  for (const CacheCluster* member : view.members) {
    if (member->status != "deleting" || !released(view.observed, *member) ||
        !may_leave(view, member->id)) {
      ++left;
      continue;
    }
    plan.transition.remove<CacheCluster>(member->id);
    events.add(kSourceCacheCluster, member->id.str(), "Cache cluster deleted");
    for (NodeGroup& node_group : next.node_groups) {
      std::erase(node_group.members, member->id);
    }
    if (next.snapshotting_cluster == member->id) {
      next.snapshotting_cluster = next.node_groups.front().primary;
    }
  }
  const std::size_t stay = view.group.retain_primary ? 1 : 0;
  const bool over = view.group.status == "deleting" && left == stay;
  if (plan.transition.empty() && !over) {
    return plan;
  }
  plan.reason = fmt::format("members gone, {} left", left);
  if (over) {
    for (const CacheCluster* member : view.members) {
      if (member->status != "deleting") {
        CacheCluster standalone = *member;
        standalone.replication_group = {};
        standalone.auth_token_modified_at = view.group.auth_token_modified_at;
        for (Node& node : standalone.nodes) {
          node.recovering = false;  // known of members only
        }
        plan.transition.put(std::move(standalone));
      }
    }
    drop_update_actions(view.state, view.group.id, {}, plan.transition);
    plan.transition.remove<ReplicationGroup>(view.group.id);
    events.add(kSourceReplicationGroup, view.group.id.str(),
               fmt::format("Replication group {} deleted", view.group.id.str()));
    plan.settled = true;
  } else if (!plan.transition.empty()) {
    plan.transition.put(std::move(next));
  }
  events.finish(plan.transition);
  return plan;
}

void finish_creation(const View& view, ReplicationGroup& group, EventWriter& events) {
  group.status = "available";
  for (NodeGroup& node_group : group.node_groups) {
    node_group.status = "available";
  }
  events.add(kSourceReplicationGroup, group.id.str(),
             fmt::format("Replication group {} created", group.id.str()));
  if (view.group.automatic_failover == "enabling") {
    group.automatic_failover = "enabled";
    events.add(kSourceReplicationGroup, group.id.str(),
               fmt::format("Automatic failover has been turned on for replication group {}",
                           group.id.str()));
  }
}

// A primary that is started in place has nothing, unless its engine keeps data on disk.
std::string describe_loss(const View& view, const CacheCluster& primary) {
  const NodeKey key{primary.id, primary.nodes[0].id};
  const auto* seen = view.observed.find(key);
  if (seen == nullptr || !seen->dead() || starts_from_disk(view.observed, key)) {
    return "";
  }
  const bool off = view.group.automatic_failover == "disabled" && view.members.size() > 1;
  return fmt::format("All data was lost: primary node {} ended, {}, and it comes back empty",
                     primary.id.str(),
                     off ? "automatic failover is off" : "no replica holds a copy");
}

// Of a primary in whose place nobody leads the owner is told what is lost with it, and that depends
// on what it leaves on disk.
bool is_lost(const NodeObservation& seen, Role role) {
  return role == Role::kPrimary ? seen.dead() && !seen.dying()
                                : seen.dead() || (seen.ready && !seen.synced);
}

// Members whose process was lost leave the shared names, and come back to them when in service.
Plan recover_members(const View& view) {
  Plan plan;
  EventWriter events(view.state, view.context.now);
  for (const CacheCluster* member : view.members) {
    const bool serves = member->status == "available" || member->status == "modifying";
    if (!serves || member->nodes.empty() || is_restarting(*member)) {
      continue;
    }
    const Role role = view.role_of(member->id);
    const auto* seen = view.observed.find(member->id, member->nodes[0]);
    const bool lost = seen != nullptr && is_lost(*seen, role);
    CacheCluster next = *member;
    if (lost && !member->nodes[0].recovering) {
      begin_recovery(next, events);
      plan.alarm = role == Role::kPrimary ? describe_loss(view, next) : plan.alarm;
    } else if (!lost && member->nodes[0].recovering && in_service(view.observed, *member, role)) {
      finish_recovery(next, events);
    } else {
      continue;
    }
    plan.transition.put(std::move(next));
    plan.reason = fmt::format("{} {}", member->id.str(), lost ? "was lost" : "is back");
  }
  if (!plan.alarm.empty()) {
    events.add(kSourceReplicationGroup, view.group.id.str(), plan.alarm);
  }
  events.finish(plan.transition);
  return plan;
}

// What a settled-looking group still waits for: a member that is being brought back.
std::string recovering(const View& view) {
  for (const CacheCluster* member : view.members) {
    if (!member->nodes.empty() && member->nodes[0].recovering) {
      return missing(view.observed, *member, view.role_of(member->id));
    }
  }
  return "";
}

std::string describe_fence(const CacheCluster& member, const FenceNote& now) {
  const bool same = now.fenced == member.nodes[0].fenced && now.kept == member.nodes[0].kept;
  if (same) {
    return fmt::format("{} is {} by its primary", member.id.str(),
                       now.counted_epoch == Epoch(0) ? "not counted on" : "counted on");
  }
  return fmt::format("{} takes writes {}", member.id.str(),
                     now.fenced ? "by a lease" : "without a lease");
}

// What is known of fences, for a leader that comes after a host fell silent.
Plan note_fences(const View& view) {
  Plan plan;
  for (const NodeGroup& node_group : view.group.node_groups) {
    for (const CacheClusterId& id : node_group.members) {
      const auto* member = view.state.find<CacheCluster>(id);
      if (member == nullptr || member->nodes.empty()) {
        continue;
      }
      const FenceNote now = known_fence(view.state, view.observed, view.group, node_group, *member);
      if (now != fence_note(member->nodes[0])) {
        plan.reason = describe_fence(*member, now);
        CacheCluster next = *member;
        next.nodes[0].fenced = now.fenced;
        next.nodes[0].kept = now.kept;
        next.nodes[0].counted_epoch = now.counted_epoch;
        plan.transition.put(std::move(next));
      }
    }
  }
  return plan;
}

// Nodes that have taken a changed parameter.
Plan settle_parameters_of(const View& view) {
  Plan plan;
  for (const CacheCluster* member : view.members) {
    CacheCluster next = *member;
    if (!is_in_hand(*member) && settle_parameters(view.observed, next)) {
      plan.transition.put(std::move(next));
      plan.reason = fmt::format("{} has taken its parameters", member->id.str());
    }
  }
  return plan;
}

// Members in service become available: all together while the group is created, one by one later.
Plan settle_members(const View& view) {
  Plan plan;
  EventWriter events(view.state, view.context.now);
  std::string lack;
  std::vector<CacheCluster> ready;
  bool all_settled = true;
  for (const CacheCluster* member : view.members) {
    if (member->status == "deleting") {
      all_settled = false;
      continue;
    }
    // One that came while the group was modified, or was rebooted, has its turn, too.
    if (view.group.status == "modifying" && is_yet_to_change(view.state, *member)) {
      all_settled = false;
    }
    const bool pending = member->status == "creating" || member->status == "modifying" ||
                         member->status == "rebooting cluster nodes";
    if (!pending || (member->status == "modifying" && is_yet_to_change(view.state, *member))) {
      continue;
    }
    const auto still = missing(view.observed, *member, view.role_of(member->id));
    if (still.empty()) {
      ready.push_back(*member);
    } else {
      all_settled = false;
      lack = lack.empty() ? still : lack;
    }
  }
  const bool creating = view.group.status == "creating";
  if (changes_user_groups(view.group)) {
    all_settled = false;
    lack = lack.empty() ? "the nodes to take their users" : lack;
  }
  if (!creating && is_changing(view.group.log_deliveries)) {
    all_settled = false;
    lack = lack.empty() ? "the nodes to deliver their logs" : lack;
  }
  if (ready.empty() || (creating && !all_settled)) {
    plan.reason = lack.empty() ? "available" : "waits for " + lack;
    plan.settled = lack.empty() && !creating;
  }
  if (!lack.empty() && (creating || ready.empty())) {
    return plan;
  }
  for (CacheCluster& member : ready) {
    make_available(view.observed, member, events, view.context.now);
    plan.transition.put(std::move(member));
  }
  const bool done = all_settled && !view.group.migration.under_way() &&
                    (creating || view.group.status == "modifying");
  if (done) {
    ReplicationGroup next = view.group;
    if (creating) {
      finish_creation(view, next, events);
      settle_logs(view.observed, view.members, next.log_deliveries);
    }
    next.status = "available";
    next.settings = with(next.settings, next.applying);
    tell_of_success(next.applying, kSourceReplicationGroup, next.id.str(), events);
    next.applying = {};
    plan.transition.put(std::move(next));
  }
  if (!plan.transition.empty()) {
    plan.reason = done ? "every member is in service" : "a member is in service";
    plan.settled = false;
  }
  events.finish(plan.transition);
  return plan;
}

Plan settle_logs_of(const View& view) {
  Plan plan;
  ReplicationGroup next = view.group;
  if (view.group.status != "creating" &&
      settle_logs(view.observed, view.members, next.log_deliveries)) {
    plan.reason = "the nodes have taken their log deliveries";
    plan.transition.put(std::move(next));
  }
  return plan;
}

// A member that takes in the data of a snapshot: how far it is, or that it cannot.
Plan restore_members(const View& view) {
  for (const CacheCluster* member : view.members) {
    Plan plan = plan_restore_failure(view.state, view.observed, *member, view.context);
    if (plan.transition.empty()) {
      plan = plan_restore_progress(view.state, view.observed, *member, view.context);
    }
    if (!plan.transition.empty()) {
      return plan;
    }
  }
  return {};
}

}  // namespace

Plan plan_replication_group(const State& state, const Observed& observed,
                            const ReplicationGroupId& id, AdmissionContext context) {
  const auto* group = state.find<ReplicationGroup>(id);
  if (group == nullptr) {
    return Plan{{}, "the group does not exist", true};
  }
  View view{state, observed, context, *group, {}};
  if (Plan plan = settle_users(view); !plan.transition.empty()) {
    return plan;
  }
  if (group->status == "create-failed") {
    return Plan{{}, "waits to be deleted", true};
  }
  bool deleting = group->status == "deleting";
  for (const NodeGroup& node_group : group->node_groups) {
    for (const CacheClusterId& member : node_group.members) {
      if (const auto* cluster = state.find<CacheCluster>(member)) {
        view.members.push_back(cluster);
        deleting = deleting || cluster->status == "deleting";
      }
    }
  }
  if (deleting) {
    if (Plan plan = remove_released(view); !plan.transition.empty()) {
      return plan;
    }
    if (group->status == "deleting") {
      return Plan{{}, "waits for the hosts to let the members go", false};
    }
  }
  const Plan placing = place_members(view);
  // A member that finds no place must not keep the others from going on without it.
  const bool waits = placing.transition.empty() && !placing.reason.empty();
  if (!placing.transition.empty() || (waits && group->status == "creating")) {
    return placing;
  }
  Plan failover = fail_over(view);
  if (!failover.transition.empty() || !failover.reason.empty()) {
    return failover;
  }
  if (Plan plan = note_takeover(view); !plan.transition.empty()) {
    return plan;
  }
  if (Plan plan = note_fences(view); !plan.transition.empty()) {
    return plan;
  }
  if (Plan plan = recover_members(view); !plan.transition.empty()) {
    return plan;
  }
  if (Plan plan = settle_parameters_of(view); !plan.transition.empty()) {
    return plan;
  }
  if (Plan plan = settle_logs_of(view); !plan.transition.empty()) {
    return plan;
  }
  if (Plan plan = restore_members(view); !plan.transition.empty()) {
    return plan;
  }
  const Plan moving = move_members(view);
  if (!moving.transition.empty()) {
    return moving;
  }
  if (group->status != "creating") {
    const UpdateUnit unit{group->id, {}, view.members, group->applying.updates()};
    if (Plan plan = follow_updates(state, observed, unit, context.now); !plan.transition.empty()) {
      return plan;
    }
  }
  Plan plan = settle_members(view);
  if (Plan snapshot =
          plan.transition.empty() ? plan_snapshot(state, observed, *group, context) : Plan();
      !snapshot.reason.empty()) {
    return snapshot;
  }
  if (Plan migration = plan.transition.empty() ? migrate(view) : Plan();
      !migration.reason.empty()) {
    return migration;
  }
  if (Plan roll = plan.transition.empty() ? roll_members(view) : Plan(); !roll.reason.empty()) {
    return roll;
  }
  plan.settled = plan.settled && !deleting;
  if (plan.transition.empty() && waits) {
    plan.settled = false;
    plan.reason = placing.reason;
  }
  if (const auto lack = recovering(view); plan.settled && !lack.empty()) {
    plan.settled = false;
    plan.reason = "waits for " + lack;
  }
  if (plan.settled && !moving.reason.empty()) {
    return moving;
  }
  if (Plan drain = plan.settled ? drain_members(view) : Plan(); !drain.reason.empty()) {
    return drain;
  }
  if (Plan maintenance = plan.settled ? maintain_group(view) : Plan();
      !maintenance.reason.empty()) {
    return maintenance;
  }
  return plan;
}

}  // namespace hikae::core
