#include "core/failover/member.h"

#include <algorithm>

#include "core/failover/confirmed_writes.h"
#include "core/failover/failover.h"
#include "core/failover/fence.h"

namespace hikae::core {
namespace {

bool is_in_service(const Member& member) {
  return member.cluster != nullptr && member.cluster->status != "deleting" &&
         member.cluster->status != "creating";
}

// Whoever may hold a copy, now or once it answers. Only certainty rules a replica out; one that was
// seen dead or without a copy may have got it since (`unheard`: its agent did not tell anything
// since; `in_time`: there is time to wait for news).
bool may_lead_yet(const Member& member, bool unheard, bool in_time) {
  if (!is_in_service(member)) {
    return false;
  }
  if (member.seen == nullptr) {
    return true;
  }
  const bool old_news = unheard || (!member.seen->dead() && !member.seen->surveyed);
  if (in_time && old_news) {
    return true;
  }
  return !member.seen->dead() && (member.seen->synced || !member.seen->ready);
}

bool has_copy(const Member& member) {
  return member.seen != nullptr && !member.seen->dead() && !member.seen->hung &&
         member.seen->ready && member.seen->role == Role::kReplica && member.seen->synced;
}

// One that is being restarted on purpose comes back; that is no reason for a failover.
bool is_gone(const Observed& observed, const Member& primary) {
  if (primary.cluster == nullptr || is_restarting(*primary.cluster)) {
    return false;
  }
  return primary.seen == nullptr || primary.seen->dead() || may_be_empty(*primary.seen) ||
         is_cut_off(observed, primary);
}

}  // namespace

Member member_of(const State& state, const Observed& observed, const CacheClusterId& id) {
  Member member;
  member.cluster = state.find<CacheCluster>(id);
  if (member.cluster != nullptr && !member.cluster->nodes.empty()) {
    member.key = NodeKey{id, member.cluster->nodes[0].id};
    member.seen = observed.find(id, member.cluster->nodes[0]);
  }
  return member;
}

bool may_be_empty(const NodeObservation& primary) {
  return !primary.dead() && primary.role == Role::kReplica && !primary.synced && !primary.promoting;
}

bool came_back_empty(const NodeObservation& primary) {
  return may_be_empty(primary) && primary.ready;
}

bool is_cut_off(const Observed& observed, const Member& primary) {
  return primary.cluster != nullptr && !primary.cluster->nodes.empty() &&
         (primary.seen == nullptr || !primary.seen->dead()) &&
         lease_is_over(observed, primary.cluster->nodes[0]);
}

// While it follows a server outside, its primary has nothing that is not there: it is brought back
// where it was and takes it over again.
bool wants_failover(const ReplicationGroup& group, const NodeGroup& node_group) {
  return group.status != "deleting" && !group.migration.follows() &&
         (group.automatic_failover == "enabled" || group.automatic_failover == "enabling" ||
          node_group.taking_over);
}

bool failover_is_on(const ReplicationGroup& group, const NodeGroup& node_group) {
  return group.status != "creating" && wants_failover(group, node_group);
}

bool can_lead(const Member& member) {
  return is_in_service(member) && has_copy(member);
}

bool has_copy_early(const Member& member) {
  return member.cluster != nullptr && member.cluster->status == "creating" && has_copy(member);
}

bool is_to_restart(const Member& member) {
  return member.cluster != nullptr && is_restarting(*member.cluster) &&
         (member.seen == nullptr || member.seen->generation < member.cluster->nodes[0].generation);
}

bool restart_waits(const State& state, const Observed& observed, const ReplicationGroup& group,
                   const NodeGroup& node_group, const CacheClusterId& member) {
  return failover_is_on(group, node_group) && member != node_group.primary &&
         is_to_restart(member_of(state, observed, member)) &&
         is_gone(observed, member_of(state, observed, node_group.primary));
}

std::vector<Member> candidates(const State& state, const Observed& observed,
                               const NodeGroup& node_group) {
  std::vector<Member> out;
  std::vector<Member> to_restart;
  for (const CacheClusterId& id : node_group.members) {
    const Member member = member_of(state, observed, id);
    if (id != node_group.primary && can_lead(member)) {
      (is_to_restart(member) ? to_restart : out).push_back(member);
    }
  }
  const bool gone = is_gone(observed, member_of(state, observed, node_group.primary));
  return out.empty() && gone ? to_restart : out;
}

bool has_answered(const Observed& observed, const Member& member) {
  return member.seen->surveyed && !observed.unheard.contains(member.key);
}

bool awaits_replica(const State& state, const Observed& observed, const NodeGroup& node_group) {
  const Member primary = member_of(state, observed, node_group.primary);
  const Duration waited = observed.dead_for(primary.key);
  return std::any_of(node_group.members.begin(), node_group.members.end(),
                     [&](const CacheClusterId& id) {
                       const Member member = member_of(state, observed, id);
                       const bool unheard = observed.unheard.contains(member.key);
                       const bool in_time = waited < (unheard ? kSilenceBound : kNewsBound);
                       return id != node_group.primary && may_lead_yet(member, unheard, in_time);
                     });
}

bool keeps_confirmed(const State& state, const Observed& observed, const NodeGroup& node_group) {
  return confirmations_of(state, node_group) > 0 && may_be_held(state, observed, node_group);
}

}  // namespace hikae::core
