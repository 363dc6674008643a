#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/admission/admission.h"
#include "core/resource/tags.h"
#include "core/resource/user.h"

namespace hikae::core {

// ElastiCache's default quotas.
inline constexpr std::size_t kMaxUserGroups = 100;  // per region
inline constexpr std::size_t kMaxUsersPerGroup = 100;

// The group, where it may be used and changed. UserGroupNotFound, InvalidUserGroupState: it is
// being created, changed or deleted.
Admitted<const UserGroup*> find_active_user_group(const State& state, const UserGroupId& id);

// Users of a group have different names. One of engine redis has users of that engine alone, and
// one of the name `default` among them.
struct CreateUserGroup {
  std::string id;
  std::string engine;
  std::vector<std::string> users;
  Tags tags;  // checked, see tags.h
};
Admitted<Transition> admit(const State& state, const CreateUserGroup& command,
                           AdmissionContext context);

// The group is `modifying` until the nodes of every replication group that names it have taken the
// change.
struct ModifyUserGroup {
  std::string id;
  std::optional<std::string> engine;
  std::vector<std::string> users_to_add;
  std::vector<std::string> users_to_remove;
};
Admitted<Transition> admit(const State& state, const ModifyUserGroup& command,
                           AdmissionContext context);

// Refused while a replication group names it.
struct DeleteUserGroup {
  std::string id;
};
Admitted<Transition> admit(const State& state, const DeleteUserGroup& command,
                           AdmissionContext context);

}  // namespace hikae::core
