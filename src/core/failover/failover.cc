#include "core/failover/failover.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/failover/choice.h"
#include "core/failover/disk_leader.h"
#include "core/failover/member.h"
#include "core/reconcile/cluster_steps.h"

namespace hikae::core {
namespace {

// A primary that holds back writes still sends its replicas a ping now and then.
constexpr std::uint64_t kLongestSilentStream = 1024;

// That it is lost belongs into the state before it comes back, maybe empty: afterwards nobody sees.
bool is_loss_unnoted(const Member& primary) {
  return primary.cluster != nullptr && primary.cluster->status == "available" &&
         !primary.cluster->nodes[0].recovering;
}

FailoverDecision switch_over(const State& state, const Observed& observed,
                             const NodeGroup& node_group, const Member& primary, Instant now) {
  FailoverDecision out;
  const Member target = member_of(state, observed, node_group.switchover_target);
  if (now >= node_group.switchover_deadline || !can_lead(target) || is_to_restart(target)) {
    out.stage = FailoverStage::kGivenUp;
    out.reason = fmt::format("{} did not catch up in time; nothing was changed",
                             node_group.switchover_target.str());
    return out;
  }
  // Offsets mean the same only within one stream: a link that is down, or an offset far beyond the
  // primary's, is one of a stream before. And what the target said before it was asked may be from
  // before it, or the primary, was restarted.
  const bool answered = target.seen->surveyed && !observed.unheard.contains(target.key) &&
                        target.seen->stream == primary.seen->stream;
  const std::uint64_t wrote = primary.seen->replication_offset;
  const std::uint64_t has = target.seen->replication_offset;
  if (!primary.seen->writes_paused || !answered || !target.seen->link_up || has < wrote ||
      has - wrote > kLongestSilentStream) {
    out.stage = FailoverStage::kSwitching;
    out.reason = fmt::format("waits for {} to have all that {} wrote",
                             node_group.switchover_target.str(), node_group.primary.str());
    out.recheck_after = node_group.switchover_deadline - now;
    return out;
  }
  out.stage = FailoverStage::kDecided;
  out.planned = true;
  out.new_primary = node_group.switchover_target;
  out.reason = fmt::format("{} holds back writes and {} has them all", node_group.primary.str(),
                           out.new_primary.str());
  return out;
}

}  // namespace

FailoverDecision decide_failover(const State& state, const Observed& observed,
                                 const ReplicationGroup& group, const NodeGroup& node_group,
                                 Instant now) {
  FailoverDecision out;
  const Member primary = member_of(state, observed, node_group.primary);
  if (is_cut_off(observed, primary) && failover_is_on(group, node_group)) {
    return choose_in_silence(state, observed, node_group, primary);
  }
  if (primary.cluster == nullptr || primary.seen == nullptr || is_restarting(*primary.cluster)) {
    out.reason = "the primary was not observed yet, or is being restarted";
    return out;
  }
  const bool dead = primary.seen->dead();
  if (!node_group.switchover_target.empty() && !dead) {
    return switch_over(state, observed, node_group, primary, now);
  }
  if (!failover_is_on(group, node_group)) {
    // A planned switchover whose primary died has nobody to wait for.
    out.stage =
        node_group.switchover_target.empty() ? FailoverStage::kHealthy : FailoverStage::kGivenUp;
    out.reason = "automatic failover is off";
    return out;
  }
  const bool replaceable = can_be_replaced(state, observed, group, node_group);
  if (dead && observed.may_start_again.contains(primary.key)) {
    // Its agent was once told that it may start it, and has not yet told what it made of that.
    out.stage = replaceable ? FailoverStage::kSuspect : FailoverStage::kHealthy;
    out.reason =
        fmt::format("{} was dead; asks its agent to leave it so", node_group.primary.str());
    return out;
  }
  const bool waited_for = replaceable || keeps_confirmed(state, observed, node_group);
  const bool empty = waited_for && came_back_empty(*primary.seen);
  if (empty && observed.may_be_promoted.contains(primary.key)) {
    out.stage = FailoverStage::kSuspect;
    out.reason =
        fmt::format("{} came back empty; asks its agent to leave it a replica", primary.key.str());
    return out;
  }
  if (dead || empty) {
    return choose(state, observed, node_group, primary);
  }
  if (primary.seen->hung && replaceable) {
    out.stage = FailoverStage::kSuspect;
    out.reason = fmt::format("{} hangs and is killed first", node_group.primary.str());
    return out;
  }
  if (primary.seen->role == Role::kReplica) {
    out.stage = FailoverStage::kPromoting;
    out.reason = fmt::format("{} is being promoted", node_group.primary.str());
    return out;
  }
  out.reason = "the primary serves";
  return out;
}

Monotonic fault_of(const Observed& observed, const NodeKey& primary, const HostId& host) {
  const auto* seen = observed.find(primary);
  if (seen != nullptr && seen->dead()) {
    return seen->fault_seen;
  }
  const auto silent = observed.silent.find(host);
  return silent == observed.silent.end() ? observed.now : silent->second;
}

bool holds_dead_primary(const State& state, const Observed& observed, const ReplicationGroup& group,
                        const NodeGroup& node_group) {
  const Member primary = member_of(state, observed, node_group.primary);
  if (!wants_failover(group, node_group) ||
      (primary.cluster != nullptr && is_restarting(*primary.cluster))) {
    return false;
  }
  const bool alive = primary.seen != nullptr && !primary.seen->dead();
  return alive || (failover_is_on(group, node_group) &&
                   (awaits_replica(state, observed, node_group) ||
                    keeps_confirmed(state, observed, node_group) ||
                    disk_leader(state, observed, node_group) || is_loss_unnoted(primary)));
}

std::uint64_t start_limit(const ReplicationGroup& group, const NodeGroup& node_group,
                          const NodeObservation* primary) {
  if (!wants_failover(group, node_group)) {
    return 0;
  }
  if (primary == nullptr) {
    return 1;
  }
  return primary->starts + (primary->dead() ? 1 : 0);
}

bool can_be_replaced(const State& state, const Observed& observed, const ReplicationGroup& group,
                     const NodeGroup& node_group) {
  return failover_is_on(group, node_group) && !candidates(state, observed, node_group).empty();
}

bool is_fenced(const State& state, const Observed& observed, const NodeGroup& node_group,
               const CacheClusterId& member) {
  for (const CacheClusterId& id : node_group.members) {
    const Member other = member_of(state, observed, id);
    if (id == member || other.cluster == nullptr) {
      continue;
    }
    const bool replica = other.seen != nullptr && !other.seen->dead() &&
                         other.seen->role == Role::kReplica && !other.seen->promoting &&
                         !observed.may_be_promoted.contains(other.key);
    // Dead, and nobody starts it again as a primary before we say so.
    const bool stays_dead = other.seen != nullptr && other.seen->dead() &&
                            !observed.may_start_again.contains(other.key);
    const bool closed = is_cut_off(observed, other);
    const bool removed = other.cluster->status == "deleting" && released(observed, *other.cluster);
    if (!replica && !stays_dead && !closed && !removed) {
      return false;
    }
  }
  return true;
}

bool may_promote_primary(const State& state, const Observed& observed,
                         const ReplicationGroup& group, const NodeGroup& node_group) {
  const Member primary = member_of(state, observed, node_group.primary);
  const bool to_be_replaced =
      primary.seen != nullptr && may_be_empty(*primary.seen) && failover_is_on(group, node_group) &&
      (can_be_replaced(state, observed, group, node_group) ||
       keeps_confirmed(state, observed, node_group) || awaits_replica(state, observed, node_group));
  return !to_be_replaced && !observed.deciding.contains(group.id) &&
         is_fenced(state, observed, node_group, node_group.primary);
}

bool is_to_end(const State& state, const Observed& observed, const ReplicationGroup& group,
               const NodeGroup& node_group) {
  const Member primary = member_of(state, observed, node_group.primary);
  return primary.seen != nullptr && may_be_empty(*primary.seen) &&
         !observed.may_be_promoted.contains(primary.key) && !is_restarting(*primary.cluster) &&
         failover_is_on(group, node_group) &&
         !can_be_replaced(state, observed, group, node_group) &&
         !keeps_confirmed(state, observed, node_group) &&
         awaits_replica(state, observed, node_group);
}

}  // namespace hikae::core
