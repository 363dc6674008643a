#include "core/failover/fence.h"

#include <algorithm>

#include "core/failover/failover.h"
#include "core/resource/host.h"

namespace hikae::core {
namespace {

bool wants_failover(const ReplicationGroup& group) {
  return group.status != "deleting" &&
         (group.automatic_failover == "enabled" || group.automatic_failover == "enabling");
}

bool can_fence(const State& state, const Observed& observed, const CacheCluster& member) {
  const Node& node = member.nodes[0];
  if (node.host.empty()) {
    return true;  // nothing runs yet
  }
  const auto* host = state.find<Host>(node.host);
  const auto* seen = observed.find(member.id, node);
  return host != nullptr && host->fences && (seen == nullptr || !seen->ready || seen->has_fence);
}

bool are_of_one_kind(const State& state, const Observed& observed, const NodeGroup& node_group) {
  int kept = 0;
  int others = 0;
  for (const CacheClusterId& id : node_group.members) {
    const Member member = member_of(state, observed, id);
    if (member.seen != nullptr && member.seen->ready) {
      ++(member.seen->kept ? kept : others);
    }
  }
  return kept == 0 || others == 0;
}

// One that is being made holds no copy and may not lead; once it may, the primary's agent is told.
bool is_peer(const NodeGroup& node_group, const CacheCluster& member) {
  return member.id != node_group.primary && member.status != "creating" &&
         member.status != "deleting" && !member.nodes.empty() && !member.nodes[0].host.empty();
}

bool is_known_fenced(const State& state, const Observed& observed, const ReplicationGroup& group,
                     const NodeGroup& node_group, const CacheCluster& member) {
  const Node& node = member.nodes[0];
  const auto* seen = observed.find(member.id, node);
  if (seen == nullptr) {
    return node.fenced;
  }
  if (node_group.primary != member.id) {
    return node.fenced && !seen->dead() && seen->role == Role::kPrimary;
  }
  if (!wants_lease(state, observed, group, node_group)) {
    return false;
  }
  // A process that does not answer is the one that was seen before.
  return seen->ready ? seen->role == Role::kPrimary && seen->fenced : node.fenced && !seen->dead();
}

bool is_known_to_count(const State& state, const Observed& observed, const NodeGroup& node_group,
                       const CacheCluster& member) {
  const auto* primary = state.find<CacheCluster>(node_group.primary);
  const bool kept = primary != nullptr && !primary->nodes.empty() && primary->nodes[0].kept;
  if (!kept || !is_peer(node_group, member)) {
    return false;
  }
  const Node& node = member.nodes[0];
  const auto told = observed.counted.find(NodeKey{member.id, node.id});
  const bool now = told != observed.counted.end() && told->second.address == node.address &&
                   told->second.epoch == node_group.epoch;
  return now || node.counted_epoch == node_group.epoch;
}

}  // namespace

bool wants_lease(const State& state, const Observed& observed, const ReplicationGroup& group,
                 const NodeGroup& node_group) {
  const auto& members = node_group.members;
  return observed.grants_leases && members.size() > 1 && wants_failover(group) &&
         are_of_one_kind(state, observed, node_group) &&
         std::all_of(members.begin(), members.end(), [&](const CacheClusterId& id) {
           const auto* member = state.find<CacheCluster>(id);
           return member == nullptr || member->nodes.empty() || can_fence(state, observed, *member);
         });
}

std::vector<Ipv4> lease_peers(const State& state, const NodeGroup& node_group) {
  std::vector<Ipv4> out;
  for (const CacheClusterId& id : node_group.members) {
    const auto* member = state.find<CacheCluster>(id);
    if (member != nullptr && is_peer(node_group, *member)) {
      out.push_back(member->nodes[0].address);
    }
  }
  return out;
}

FenceNote fence_note(const Node& node) {
  return {node.fenced, node.kept, node.counted_epoch};
}

FenceNote known_fence(const State& state, const Observed& observed, const ReplicationGroup& group,
                      const NodeGroup& node_group, const CacheCluster& member) {
  const Node& node = member.nodes[0];
  const auto* seen = observed.find(member.id, node);
  FenceNote out;
  out.fenced = is_known_fenced(state, observed, group, node_group, member);
  out.kept = out.fenced && (seen != nullptr && seen->ready ? seen->kept : node.kept);
  if (is_known_to_count(state, observed, node_group, member)) {
    out.counted_epoch = node_group.epoch;
  }
  return out;
}

bool lease_is_over(const Observed& observed, const Node& node) {
  return node.fenced && !node.host.empty() && observed.silent.contains(node.host);
}

bool asks_replicas(const State& state, const Observed& observed, const NodeGroup& node_group) {
  const auto* primary = state.find<CacheCluster>(node_group.primary);
  if (primary == nullptr || primary->nodes.empty() || !lease_is_over(observed, primary->nodes[0])) {
    return false;
  }
  const auto& members = node_group.members;
  return observed.now - observed.silent.at(primary->nodes[0].host) < kNewsBound ||
         std::any_of(
             members.begin(), members.end(),
             [&](const CacheClusterId& id) {
               const auto* member = state.find<CacheCluster>(id);
               const auto* seen =
                   id == node_group.primary || member == nullptr || member->nodes.empty()
                       ? nullptr
                       : observed.find(id, member->nodes[0]);
               return seen != nullptr && !seen->dead() && seen->ready && !seen->promised;
             });
}

bool is_counted_on(const Member& member, const Member& primary, const NodeGroup& node_group) {
  if (!primary.cluster->nodes[0].kept) {
    return member.seen->counted_epoch == node_group.epoch;
  }
  return is_peer(node_group, *member.cluster) &&
         member.cluster->nodes[0].counted_epoch == node_group.epoch;
}

}  // namespace hikae::core
