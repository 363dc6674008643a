#include "core/reconcile/lost_host.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/failover/confirmed_writes.h"
#include "core/placement/moving.h"
#include "core/reconcile/cluster_steps.h"

namespace hikae::core {
namespace {

bool is_in_reach(const State& state, const CacheCluster& cluster) {
  const auto* host = cluster.nodes.empty() ? nullptr : state.find<Host>(cluster.nodes[0].host);
  return host != nullptr && host->absent_since == Instant();
}

// The member takes writes, or can take over.
bool carries_on(const State& state, const Observed& observed, const CacheCluster& member) {
  const auto* seen = seen_of(state, observed, member.id);
  return is_in_reach(state, member) && member.status != "deleting" && seen != nullptr &&
         !seen->dead() && !seen->hung && seen->ready && seen->synced;
}

// Why the nodes of this member of a group have to stay where they are; empty: they need not.
std::string objection(const State& state, const Observed& observed, const ReplicationGroup& group,
                      const NodeGroup& node_group, const CacheCluster& lost) {
  bool others = false;
  bool others_carry_on = false;
  for (const CacheClusterId& id : node_group.members) {
    const auto* member = state.find<CacheCluster>(id);
    if (member != nullptr && id != lost.id) {
      others = true;
      others_carry_on = others_carry_on || carries_on(state, observed, *member);
    }
  }
  if (!others) {
    return "";
  }
  if (!others_carry_on) {
    return "no other member in reach holds a copy of the data";
  }
  const bool leads = node_group.primary == lost.id;
  const auto* primary = state.find<CacheCluster>(node_group.primary);
  if (confirmations_of(state, node_group) > 0 && group.automatic_failover == "enabled" &&
      (leads || primary == nullptr || !carries_on(state, observed, *primary))) {
    return "the group has no primary, and writes that clients had confirmed may be there";
  }
  return leads && group.automatic_failover != "enabled"
             ? "it is the primary, and automatic failover is off"
             : "";
}

const NodeGroup* node_group_of(const ReplicationGroup& group, const CacheClusterId& id) {
  for (const NodeGroup& node_group : group.node_groups) {
    const auto& members = node_group.members;
    if (std::find(members.begin(), members.end(), id) != members.end()) {
      return &node_group;
    }
  }
  return nullptr;
}

std::string objection(const State& state, const Observed& observed, const CacheCluster& lost) {
  const auto* group = state.find<ReplicationGroup>(lost.replication_group);
  const NodeGroup* node_group = group == nullptr ? nullptr : node_group_of(*group, lost.id);
  return node_group == nullptr ? "" : objection(state, observed, *group, *node_group, lost);
}

bool is_alone(const State& state, const CacheCluster& cluster) {
  const auto* group = state.find<ReplicationGroup>(cluster.replication_group);
  const NodeGroup* node_group = group == nullptr ? nullptr : node_group_of(*group, cluster.id);
  return node_group == nullptr || node_group->members.size() < 2;
}

// Of a node whose data nobody else has.
std::string describe_loss(const State& state, const CacheCluster& cluster, const HostId& host) {
  if (!is_alone(state, cluster)) {
    return "";
  }
  return fmt::format(
      "All data was lost: host {} of {} is dead, no other node holds a copy, and it "
      "comes back empty",
      host.str(), cluster.id.str());
}

// Why no host can be taken for dead now; empty: one can.
std::string doubt(const State& state) {
  int absent = 0;
  int all = 0;
  for (const auto& [id, host] : state.all<Host>()) {
    all += !host.is_stand_in();
    absent += !host.is_stand_in() && host.absent_since != Instant();
  }
  return absent * 2 > all ? fmt::format(
                                "{} of {} hosts are out of reach, so it may be this server "
                                "that is cut off",
                                absent, all)
                          : "";
}

// A host that was only cut off would still have the data of a node that is alone. It is not given
// up for nothing.
std::string lack_of_room(const State& state, const CacheCluster& cluster, const HostId& host) {
  if (!is_alone(state, cluster) || cluster.nodes[0].host != host || cluster.nodes[0].move.left()) {
    return "";
  }
  const auto place = place_anew(state, cluster, cluster.nodes[0]);
  return place ? "" : place.error().message;
}

}  // namespace

bool displace(const State& state, const HostId& host, CacheCluster& cluster, EventWriter& events) {
  bool displaced = false;
  bool called_off = false;
  for (Node& node : cluster.nodes) {
    if (node.move.host == host) {
      node.move = {};
      called_off = true;
    }
    if (node.host != host) {
      continue;
    }
    if (!node.move.left() && is_alone(state, cluster)) {
      node.move = {};  // nothing of it has got there
    }
    const Ipv4 last = node.address;
    arrive(state, node);
    if (node.host.empty()) {
      node.address = last;  // its name keeps an answer until it has a new one
    }
    node.placement_reason = fmt::format("its host {} was lost", host.str());
    displaced = true;
  }
  if (displaced && !cluster.replication_group.empty() && cluster.status == "available") {
    begin_recovery(cluster, events);
  }
  return displaced || called_off;
}

std::string sign_of_life(const State& state, const Observed& observed, const HostId& host) {
  for (const auto& [id, group] : state.all<ReplicationGroup>()) {
    for (const NodeGroup& node_group : group.node_groups) {
      const auto* primary = state.find<CacheCluster>(node_group.primary);
      if (primary == nullptr || primary->nodes.empty() || primary->nodes[0].host != host) {
        continue;
      }
      for (const CacheClusterId& member_id : node_group.members) {
        const auto* member = state.find<CacheCluster>(member_id);
        const auto* seen = seen_of(state, observed, member_id);
        if (member != nullptr && member_id != node_group.primary && is_in_reach(state, *member) &&
            seen != nullptr && !seen->dead() && seen->role == Role::kReplica && seen->link_up) {
          return fmt::format("{} follows {} there", member_id.str(), primary->id.str());
        }
      }
    }
  }
  return "";
}

Rebuild plan_rebuild(const State& state, const Observed& observed, const HostId& host,
                     Instant now) {
  Rebuild out;
  if (auto why = doubt(state); !why.empty()) {
    out.waits.push_back(std::move(why));
    return out;
  }
  EventWriter events(state, now);
  for (const auto& [id, nodes] : state.occupancy().on(host).clusters) {
    const CacheCluster& cluster = *state.find<CacheCluster>(id);
    if (cluster.status == "deleting") {
      continue;
    }
    if (auto why = objection(state, observed, cluster); !why.empty()) {
      out.waits.push_back(fmt::format("{} waits for host {}: {}", id.str(), host.str(), why));
      continue;
    }
    if (auto lack = lack_of_room(state, cluster, host); !lack.empty()) {
      out.waits.push_back(std::move(lack));
      continue;
    }
    CacheCluster next = cluster;
    const auto loss = describe_loss(state, cluster, host);
    if (!displace(state, host, next, events)) {
      continue;
    }
    if (!loss.empty() && next.nodes[0].host.empty()) {
      const bool member = !cluster.replication_group.empty();
      events.add(member ? kSourceReplicationGroup : kSourceCacheCluster,
                 member ? cluster.replication_group.str() : id.str(), loss);
      out.alarms.push_back(loss);
    }
    out.transition.put(std::move(next));
  }
  events.finish(out.transition);
  return out;
}

}  // namespace hikae::core
