#include "core/admission/user_group.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/admission/access_change.h"
#include "core/admission/identifiers.h"
#include "core/admission/settings_rules.h"
#include "core/admission/user.h"
#include "core/state/access.h"

namespace hikae::core {
namespace {

Admitted<UserId> find_member(const State& state, const std::string& text) {
  const auto id = lookup_id<UserId>(text);
  const auto* user = find_user(state, id);
  if (user == nullptr || user->status == "deleting") {
    return tl::unexpected(user_not_found(id.str()));
  }
  return id;
}

// What must hold of a group as it is going to be.
Checked check_users(const State& state, const UserGroup& group) {
  if (group.users.size() > kMaxUsersPerGroup) {
    return refuse("UserGroupQuotaExceeded", "The number of users exceeds the user group limit.");
  }
  std::set<std::string> names;
  for (const UserId& id : group.users) {
    const auto* user = find_user(state, id);
    if (user == nullptr || user->status == "deleting") {
      continue;
    }
    if (group.engine == "redis" && user->engine != "redis") {
      return refuse("InvalidParameterValue",
                    fmt::format("User {} of engine {} cannot be in a user group of engine redis.",
                                id.str(), user->engine));
    }
    if (!names.insert(user->name).second) {
      return refuse(
          "DuplicateUserName",
          fmt::format("More than one user of the user group has the user name {}.", user->name));
    }
  }
  if (group.engine == "redis" && !names.contains(std::string(kDefaultUser))) {
    return refuse("DefaultUserRequired",
                  "User group needs to contain a user with the user name default.");
  }
  return {};
}

Checked change_engine(const State& state, const std::string& text, UserGroup& group) {
  const auto engine = parse_access_engine(text);
  if (!engine) {
    return tl::unexpected(engine.error());
  }
  if (*engine == group.engine) {
    return {};
  }
  if (*engine == "redis") {
    return refuse("InvalidParameterCombination",
                  "The engine of a user group cannot be changed from valkey to redis.");
  }
  for (const ReplicationGroupId& id : replication_groups_of(state, group.id)) {
    if (state.find<ReplicationGroup>(id)->settings.engine != "valkey") {
      return refuse(
          "InvalidParameterCombination",
          fmt::format("Replication group {} of engine redis has this user group.", id.str()));
    }
  }
  group.engine = *engine;
  return {};
}

Checked change_users(const State& state, const ModifyUserGroup& command, UserGroup& group) {
  for (const std::string& text : command.users_to_remove) {
    const auto id = lookup_id<UserId>(text);
    const auto it = std::find(group.users.begin(), group.users.end(), id);
    if (it == group.users.end()) {
      return tl::unexpected(user_not_found(id.str()));
    }
    group.users.erase(it);
    group.removing.push_back(id);
  }
  for (const std::string& text : command.users_to_add) {
    const auto id = find_member(state, text);
    if (!id) {
      return tl::unexpected(id.error());
    }
    group.users.push_back(*id);
    group.adding.push_back(*id);
  }
  return check_users(state, group);
}

std::set<ReplicationGroupId> named_by(const State& state, const UserGroupId& group) {
  const auto ids = replication_groups_of(state, group);
  return {ids.begin(), ids.end()};
}

}  // namespace

Admitted<const UserGroup*> find_active_user_group(const State& state, const UserGroupId& id) {
  const auto* group = state.find<UserGroup>(id);
  if (group == nullptr) {
    return tl::unexpected(user_group_not_found(id.str()));
  }
  if (group->status != "active") {
    return refuse("InvalidUserGroupState",
                  fmt::format("User group {} is not in active state.", id.str()));
  }
  return group;
}

Admitted<Transition> admit(const State& state, const CreateUserGroup& command, AdmissionContext) {
  const auto id = parse_user_group_id(command.id);
  const auto engine = parse_access_engine(command.engine);
  if (!id || !engine) {
    return tl::unexpected(id ? engine.error() : id.error());
  }
  if (state.find<UserGroup>(*id) != nullptr) {
    return refuse("UserGroupAlreadyExists",
                  fmt::format("User group {} already exists.", id->str()));
  }
  if (state.all<UserGroup>().size() >= kMaxUserGroups) {
    return refuse("UserGroupQuotaExceeded", "The quota of user groups has been exceeded.");
  }
  UserGroup group;
  group.id = *id;
  group.engine = *engine;
  group.tags = command.tags;
  for (const std::string& text : command.users) {
    const auto user = find_member(state, text);
    if (!user) {
      return tl::unexpected(user.error());
    }
    group.users.push_back(*user);
  }
  if (auto checked = check_users(state, group); !checked) {
    return tl::unexpected(checked.error());
  }
  Transition out;
  out.put(std::move(group));
  return out;
}

Admitted<Transition> admit(const State& state, const ModifyUserGroup& command, AdmissionContext) {
  const auto found = find_active_user_group(state, lookup_id<UserGroupId>(command.id));
  if (!found) {
    return tl::unexpected(found.error());
  }
  UserGroup group = **found;
  if (!command.engine && command.users_to_add.empty() && command.users_to_remove.empty()) {
    return refuse("InvalidParameterCombination", "No modifications were requested");
  }
  Checked checked = command.engine ? change_engine(state, *command.engine, group) : Checked();
  if (checked) {
    checked = change_users(state, command, group);
  }
  if (!checked) {
    return tl::unexpected(checked.error());
  }
  Transition out;
  if (tell_nodes(state, named_by(state, group.id), out)) {
    group.status = "modifying";
  } else {
    group.adding.clear();
    group.removing.clear();
  }
  out.put(std::move(group));
  return out;
}

Admitted<Transition> admit(const State& state, const DeleteUserGroup& command, AdmissionContext) {
  const auto found = find_active_user_group(state, lookup_id<UserGroupId>(command.id));
  if (!found) {
    return tl::unexpected(found.error());
  }
  const UserGroupId& id = (*found)->id;
  const auto named = replication_groups_of(state, id);
  if (!named.empty()) {
    return refuse("InvalidUserGroupState",
                  fmt::format("User group {} is associated with replication group {}.", id.str(),
                              named.front().str()));
  }
  Transition out;
  out.remove<UserGroup>(id);
  return out;
}

}  // namespace hikae::core
