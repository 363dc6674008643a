#include "core/failover/confirmed_writes.h"

#include <algorithm>
#include <charconv>

#include "core/reconcile/cluster_steps.h"

namespace hikae::core {
namespace {

constexpr const char* kParameters[] = {"min-replicas-to-write", "min-slaves-to-write"};

bool wants_failover(const ReplicationGroup& group) {
  return group.status != "deleting" && group.automatic_failover == "enabled";
}

// It was asked, and has told that it has no copy. One that has no place has none.
bool holds_nothing(const State& state, const Observed& observed, const CacheCluster& member) {
  if (member.nodes.empty() || member.nodes[0].host.empty()) {
    return true;
  }
  const auto* seen = answer_of(state, observed, member.id);
  return seen != nullptr && (seen->dead() || (seen->ready && !seen->synced));
}

template <class Matches>
int count_replicas(const State& state, const NodeGroup& node_group, Matches matches) {
  return int(std::count_if(
      node_group.members.begin(), node_group.members.end(), [&](const CacheClusterId& id) {
        const auto* member = state.find<CacheCluster>(id);
        return id != node_group.primary && member != nullptr && matches(*member);
      }));
}

bool some_member_has_ended(const State& state, const Observed& observed,
                           const NodeGroup& node_group) {
  return count_replicas(state, node_group, [&](const CacheCluster& member) {
           return member.status == "deleting" && released(observed, member);
         }) > 0;
}

// What the primary has told since that end; nullptr: nothing yet.
const NodeObservation* primary_since(const State& state, const Observed& observed,
                                     const NodeGroup& node_group) {
  const auto* seen = answer_of(state, observed, node_group.primary);
  const bool serves = seen != nullptr && seen->surveyed && seen->role == Role::kPrimary;
  return serves ? seen : nullptr;
}

bool has_come_as_far(const NodeObservation& replica, const NodeObservation& primary) {
  return replica.surveyed && replica.role == Role::kReplica && replica.synced &&
         replica.stream == primary.stream &&
         replica.replication_offset >= primary.replication_offset;
}

}  // namespace

int confirmations_of(const State& state, const ParameterGroupName& parameter_group) {
  const auto* group = state.find<ParameterGroup>(parameter_group);
  if (group == nullptr) {
    return 0;  // the groups of the families promise nothing
  }
  for (const char* name : kParameters) {
    const auto it = group->overrides.find(name);
    if (it != group->overrides.end()) {
      int value = 0;
      std::from_chars(it->second.data(), it->second.data() + it->second.size(), value);
      return value;
    }
  }
  return 0;
}

int confirmations_of(const State& state, const NodeGroup& node_group) {
  const auto* primary = state.find<CacheCluster>(node_group.primary);
  if (primary == nullptr) {
    return 0;
  }
  const auto& next = primary->upgrade.parameter_group;
  return confirmations_of(state, next.empty() ? primary->settings.parameter_group : next);
}

const NodeObservation* answer_of(const State& state, const Observed& observed,
                                 const CacheClusterId& member) {
  const auto* cluster = state.find<CacheCluster>(member);
  if (cluster == nullptr || cluster->nodes.empty()) {
    return nullptr;
  }
  const Node& node = cluster->nodes[0];
  const NodeKey key{member, node.id};
  const bool heard = !observed.unheard.contains(key) && !observed.silent.contains(node.host);
  return heard ? observed.find(key) : nullptr;
}

int possible_holders(const State& state, const Observed& observed, const NodeGroup& node_group) {
  return count_replicas(state, node_group, [&](const CacheCluster& member) {
    return member.status != "creating" || !holds_nothing(state, observed, member);
  });
}

bool may_be_held(const State& state, const Observed& observed, const NodeGroup& node_group) {
  return count_replicas(state, node_group, [&](const CacheCluster& member) {
           return !holds_nothing(state, observed, member);
         }) > 0;
}

// A write that was confirmed is with the primary and as many replicas as had to confirm it. The
// primary is gone; so if one fewer than those replicas may be missing, one of them is among the
// rest.
int witnesses_needed(const State& state, const Observed& observed, const NodeGroup& node_group) {
  const int holders = possible_holders(state, observed, node_group);
  return std::max(1, holders - confirmations_of(state, node_group) + 1);
}

bool asks_witnesses(const State& state, const Observed& observed, const NodeGroup& node_group) {
  const auto* primary = state.find<CacheCluster>(node_group.primary);
  if (primary == nullptr || primary->nodes.empty()) {
    return false;
  }
  const Node& node = primary->nodes[0];
  const auto* seen = observed.find(primary->id, node);
  const bool silent = node.fenced && observed.silent.contains(node.host);
  if (confirmations_of(state, node_group) == 0) {
    return silent && node.kept;
  }
  const bool empty = seen != nullptr && seen->ready && seen->role == Role::kReplica &&
                     !seen->synced && !seen->promoting;
  return silent || (seen != nullptr && (seen->dead() || empty));
}

bool asks_before_release(const State& state, const Observed& observed,
                         const ReplicationGroup& group, const NodeGroup& node_group,
                         const CacheClusterId& member) {
  if (confirmations_of(state, node_group) == 0 || !wants_failover(group) ||
      !some_member_has_ended(state, observed, node_group)) {
    return false;
  }
  if (member == node_group.primary) {
    return true;
  }
  const auto* primary = primary_since(state, observed, node_group);
  const auto* seen = answer_of(state, observed, member);
  // One that was not as far is no longer asked, and so asked anew once it knows that.
  const bool behind =
      primary != nullptr && seen != nullptr && seen->surveyed && !has_come_as_far(*seen, *primary);
  return primary != nullptr && !behind;
}

bool may_release(const State& state, const Observed& observed, const ReplicationGroup& group,
                 const NodeGroup& node_group) {
  const int wanted = confirmations_of(state, node_group);
  const auto stays = [](const CacheCluster& member) {
    return member.status != "deleting" && member.status != "creating";
  };
  if (wanted == 0 || !wants_failover(group) || count_replicas(state, node_group, stays) < wanted) {
    return true;
  }
  const auto* primary = primary_since(state, observed, node_group);
  const int have = count_replicas(state, node_group, [&](const CacheCluster& member) {
    const auto* seen = answer_of(state, observed, member.id);
    return primary != nullptr && stays(member) && seen != nullptr &&
           has_come_as_far(*seen, *primary);
  });
  return have >= wanted;
}

}  // namespace hikae::core
