#include "core/state/invariants.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/state/access.h"

namespace hikae::core {
namespace {

using Broken = std::optional<std::string>;

// One overload for each kind with rules of its own; the rest have none.
struct Rules {
  const State& state;

  template <class T>
  Broken operator()(const T&) const {
    return std::nullopt;
  }

  Broken operator()(const Subnet& subnet) const {
    const auto* vpc = state.find<Vpc>(subnet.vpc);
    if (vpc == nullptr || !vpc->cidr.contains(subnet.cidr)) {
      return fmt::format("subnet {} is not inside VPC {}", subnet.id.str(), subnet.vpc.str());
    }
    return std::nullopt;
  }

  Broken operator()(const SubnetGroup& group) const {
    for (const SubnetId& id : group.subnets) {
      const auto* subnet = state.find<Subnet>(id);
      if (subnet == nullptr || subnet->vpc != group.vpc) {
        return fmt::format("subnet group {} names {}, which is not in its VPC", group.name.str(),
                           id.str());
      }
    }
    return std::nullopt;
  }

  Broken operator()(const UserGroup& group) const {
    for (const UserId& id : group.users) {
      if (find_user(state, id) == nullptr) {
        return fmt::format("user group {} has user {}, which does not exist", group.id.str(),
                           id.str());
      }
    }
    return std::nullopt;
  }

  Broken operator()(const ReplicationGroup& group) const {
    for (const UserGroupId& id : group.user_groups) {
      if (state.find<UserGroup>(id) == nullptr) {
        return fmt::format("{} has user group {}, which does not exist", group.id.str(), id.str());
      }
    }
    for (const NodeGroup& node_group : group.node_groups) {
      const auto& members = node_group.members;
      if (std::find(members.begin(), members.end(), node_group.primary) == members.end()) {
        const bool last_ones_leave = group.status == "deleting";
        if (!last_ones_leave) {
          return fmt::format("primary {} is not a member of {}", node_group.primary.str(),
                             group.id.str());
        }
      }
      for (const CacheClusterId& id : members) {
        const auto* member = state.find<CacheCluster>(id);
        if (member == nullptr || member->replication_group != group.id) {
          return fmt::format("{} is a member of {} but does not know it", id.str(), group.id.str());
        }
      }
    }
    return std::nullopt;
  }

  Broken operator()(const CacheCluster& cluster) const {
    if (!cluster.replication_group.empty() &&
        state.find<ReplicationGroup>(cluster.replication_group) == nullptr) {
      return fmt::format("{} belongs to {}, which does not exist", cluster.id.str(),
                         cluster.replication_group.str());
    }
    if (state.find<SubnetGroup>(cluster.settings.subnet_group) == nullptr) {
      return fmt::format("{} is in subnet group {}, which does not exist", cluster.id.str(),
                         cluster.settings.subnet_group.str());
    }
    for (const Node& node : cluster.nodes) {
      if (node.host.empty()) {
        continue;
      }
      if (state.find<Host>(node.host) == nullptr || state.find<Subnet>(node.subnet) == nullptr) {
        return fmt::format("{}/{} is placed on a host or subnet that does not exist",
                           cluster.id.str(), node.id.str());
      }
    }
    return std::nullopt;
  }
};

struct RuleOfChange {
  Rules rules;
  template <class T>
  Broken operator()(const Put<T>& put) const {
    const T* current = rules.state.find<T>(put.value.key());
    return current == nullptr ? std::nullopt : rules(*current);
  }
  template <class T>
  Broken operator()(const Remove<T>&) const {
    return std::nullopt;
  }
  // Whatever leaves must not leave a reference behind.
  Broken operator()(const Remove<CacheCluster>& removed) const {
    for (const auto& [id, group] : rules.state.all<ReplicationGroup>()) {
      for (const NodeGroup& node_group : group.node_groups) {
        const auto& members = node_group.members;
        if (std::find(members.begin(), members.end(), removed.key) != members.end()) {
          return fmt::format("{} is gone but still a member of {}", removed.key.str(), id.str());
        }
      }
    }
    return std::nullopt;
  }
};

}  // namespace

Broken broken_invariant(const State& after, const Transition& transition) {
  RuleOfChange rule{{after}};
  for (const Change& change : transition.changes) {
    if (auto broken = std::visit(rule, change)) {
      return broken;
    }
  }
  return std::nullopt;
}

}  // namespace hikae::core
