#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/shared_map.h"
#include "core/state/state.h"

namespace hikae::core {

// Who may log in where: what follows from users, user groups and the replication groups that name
// them.

// Its user id and its user name. It exists in every region from the start and never changes.
inline constexpr std::string_view kDefaultUser = "default";
const User& default_user();

// Also the region's `default`. nullptr: there is none.
const User* find_user(const State& state, const UserId& id);

// The user groups that have the user, and those that name the user group, in the order of ids.
std::vector<UserGroupId> groups_of_user(const State& state, const UserId& user);
std::vector<ReplicationGroupId> replication_groups_of(const State& state, const UserGroupId& group);

// Replication groups on whose nodes the user may log in.
std::set<ReplicationGroupId> replication_groups_of(const State& state, const UserId& user);

// Its nodes follow changes of their users: it is not on its way out.
bool keeps_access(const ReplicationGroup& group);

// NodeAssignment::users of the group's nodes. Users that are being deleted are no longer in it.
SharedMap access_of(const State& state, const ReplicationGroup& group);

// What a resource has for as long as the nodes may not have taken what was changed: without what is
// being added, with what is being removed.
template <class Id>
std::vector<Id> before_changes(const std::vector<Id>& now, const std::vector<Id>& adding,
                               const std::vector<Id>& removing) {
  std::vector<Id> out;
  for (const Id& id : now) {
    if (std::find(adding.begin(), adding.end(), id) == adding.end()) {
      out.push_back(id);
    }
  }
  out.insert(out.end(), removing.begin(), removing.end());
  return out;
}

}  // namespace hikae::core
