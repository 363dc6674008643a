#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/admission/user.h"
#include "core/reconcile/group_view.h"
#include "core/state/access.h"

// What becomes of changed users, user groups and their use once the nodes have taken them.

namespace hikae::core {
namespace {

// Every node that runs has the users it should have. One that is dead will be started with them.
bool nodes_have(const GroupView& view, const ReplicationGroup& group) {
  for (const NodeGroup& node_group : group.node_groups) {
    for (const CacheClusterId& id : node_group.members) {
      const auto* member = view.state.find<CacheCluster>(id);
      for (const Node& node : member == nullptr ? std::vector<Node>() : member->nodes) {
        const auto* seen = view.observed.find(id, node);
        const bool has = seen != nullptr && (seen->dead() || seen->edition == node.edition);
        if (!has && member->status != "deleting") {
          return false;
        }
      }
    }
  }
  return true;
}

template <class Ids>
bool nodes_of_all_have(const GroupView& view, const Ids& groups) {
  return std::all_of(groups.begin(), groups.end(), [&](const ReplicationGroupId& id) {
    const auto* group = view.state.find<ReplicationGroup>(id);
    return group == nullptr || !keeps_access(*group) || nodes_have(view, *group);
  });
}

void settle_user(const GroupView& view, const UserId& id, Transition& out) {
  const auto* user = find_after<User>(view.state, out, id);
  const bool changes = user != nullptr && user->status != "active";
  if (!changes || !nodes_of_all_have(view, replication_groups_of(view.state, id))) {
    return;
  }
  if (user->status == "deleting") {
    forget_user(view.state, id, out);
    return;
  }
  User next = *user;
  next.status = "active";
  out.put(std::move(next));
}

void settle_user_group(const GroupView& view, const UserGroupId& id, Transition& out) {
  const auto* group = find_after<UserGroup>(view.state, out, id);
  const bool changes = group != nullptr && group->status == "modifying";
  if (!changes || !nodes_of_all_have(view, replication_groups_of(view.state, id))) {
    return;
  }
  UserGroup next = *group;
  next.status = "active";
  next.adding.clear();
  next.removing.clear();
  out.put(std::move(next));
}

}  // namespace

Plan settle_users(const GroupView& view) {
  Plan plan;
  std::set<UserGroupId> groups(view.group.user_groups.begin(), view.group.user_groups.end());
  groups.insert(view.group.removing_user_groups.begin(), view.group.removing_user_groups.end());
  std::set<UserId> users;
  for (const UserGroupId& id : groups) {
    if (const auto* group = view.state.find<UserGroup>(id)) {
      users.insert(group->users.begin(), group->users.end());
      users.insert(group->removing.begin(), group->removing.end());
    }
    settle_user_group(view, id, plan.transition);
  }
  for (const UserId& id : users) {
    settle_user(view, id, plan.transition);
  }
  if (changes_user_groups(view.group) && nodes_of_all_have(view, std::set{view.group.id})) {
    ReplicationGroup next = view.group;
    next.adding_user_groups.clear();
    next.removing_user_groups.clear();
    plan.transition.put(std::move(next));
  }
  if (!plan.transition.empty()) {
    plan.reason = "the nodes have taken their users";
  }
  return plan;
}

bool changes_user_groups(const ReplicationGroup& group) {
  return !group.adding_user_groups.empty() || !group.removing_user_groups.empty();
}

}  // namespace hikae::core
