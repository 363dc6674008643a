#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/admission/access.h"
#include "core/admission/admission.h"
#include "core/admission/settings_rules.h"
#include "core/resource/replication_group.h"

namespace hikae::core {

// What replication groups ask for of user groups.

// The user groups of a new group with these settings: at most one, which exists, is active and is
// of an engine that serves it.
Admitted<std::vector<UserGroupId>> resolve_user_groups(const State& state,
                                                       const std::vector<std::string>& ids,
                                                       const CacheSettings& settings);

// AWS lets users log in over encrypted connections alone. Here that may be left to the customer
// (docs/adr/0031-users-may-log-in-without-encryption.md).
std::optional<Fault> lacks_encryption(bool transit_encryption);

// What ModifyReplicationGroup asks for.
struct UserGroupsChange {
  std::vector<std::string> to_add;
  std::vector<std::string> to_remove;
  bool remove_all = false;
  bool asks_for_nothing() const { return to_add.empty() && to_remove.empty() && !remove_all; }
};

// A group has users or AUTH tokens, never both (AWS User Guide, "Migrating from AUTH to RBAC"): one
// change takes the tokens away (strategy DELETE) and adds the user group, or takes the user groups
// away and sets a token. `group`: as it is to be.
Checked keep_to_one_access(const UserGroupsChange& change, const TokenChange* token,
                           const ReplicationGroup& group);
// The same for a new group.
std::optional<Fault> has_both_accesses(const ReplicationGroup& group);

// Puts it into the group, which is `modifying` then, and into the members' nodes.
Checked change_user_groups(const State& state, const UserGroupsChange& change,
                           ReplicationGroup& group, Transition& transition);

}  // namespace hikae::core
