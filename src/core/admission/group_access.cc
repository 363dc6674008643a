#include "core/admission/group_access.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/admission/access_change.h"
#include "core/admission/identifiers.h"
#include "core/admission/user_group.h"
#include "core/catalog/catalog.h"
#include "core/state/access.h"

namespace hikae::core {
namespace {

constexpr bool kUsersNeedEncryption = false;
constexpr std::string_view kFirstVersion = "6.0";  // whose engine has users

tl::unexpected<Fault> combination(std::string message) {
  return refuse("InvalidParameterCombination", std::move(message));
}

Checked check_user_group(const State& state, const UserGroupId& id, const CacheSettings& settings) {
  const auto group = find_active_user_group(state, id);
  if (!group) {
    return tl::unexpected(group.error());
  }
  if (settings.engine == "redis" && compare_versions(settings.engine_version, kFirstVersion) < 0) {
    return combination("User groups need Redis 6.0 or later.");
  }
  if ((*group)->engine == "valkey" && settings.engine != "valkey") {
    return combination(fmt::format(
        "User group {} of engine valkey cannot be used with a replication group of engine {}.",
        id.str(), settings.engine));
  }
  return {};
}

Checked check_user_groups(const State& state, const std::vector<UserGroupId>& ids,
                          const CacheSettings& settings) {
  if (ids.size() > 1) {
    return combination("A replication group can have at most one user group.");
  }
  Checked checked;
  for (const UserGroupId& id : ids) {
    checked = check_user_group(state, id, settings);
  }
  return checked;
}

// In the client's order, each once.
std::vector<UserGroupId> read_ids(const std::vector<std::string>& texts) {
  std::vector<UserGroupId> out;
  for (const std::string& text : texts) {
    const auto id = lookup_id<UserGroupId>(text);
    if (std::find(out.begin(), out.end(), id) == out.end()) {
      out.push_back(id);
    }
  }
  return out;
}

Checked remove_user_groups(const UserGroupsChange& change, ReplicationGroup& group) {
  auto& has = group.user_groups;
  const auto leaving = change.remove_all ? has : read_ids(change.to_remove);
  for (const UserGroupId& id : leaving) {
    const auto it = std::find(has.begin(), has.end(), id);
    if (it == has.end()) {
      return refuse("InvalidParameterValue",
                    fmt::format("User group {} is not associated with replication group {}.",
                                id.str(), group.id.str()));
    }
    has.erase(it);
    group.removing_user_groups.push_back(id);
  }
  return {};
}

}  // namespace

Admitted<std::vector<UserGroupId>> resolve_user_groups(const State& state,
                                                       const std::vector<std::string>& ids,
                                                       const CacheSettings& settings) {
  std::vector<UserGroupId> out = read_ids(ids);
  if (auto checked = check_user_groups(state, out, settings); !checked) {
    return tl::unexpected(checked.error());
  }
  return out;
}

std::optional<Fault> lacks_encryption(bool transit_encryption) {
  if (!kUsersNeedEncryption || transit_encryption) {
    return std::nullopt;
  }
  return Fault{"InvalidParameterCombination",
               "User group based access control requires encryption-in-transit to be enabled on "
               "the replication group."};
}

std::optional<Fault> has_both_accesses(const ReplicationGroup& group) {
  const CacheSettings later = with(with(group.settings, group.applying), group.pending);
  if (group.user_groups.empty() || later.access.tokens.empty()) {
    return std::nullopt;
  }
  return Fault{"InvalidParameterCombination",
               "A replication group cannot have both an AUTH token and a user group."};
}

Checked keep_to_one_access(const UserGroupsChange& change, const TokenChange* token,
                           const ReplicationGroup& group) {
  if (token == nullptr && change.asks_for_nothing()) {
    return {};
  }
  if (token != nullptr && token->strategy == "DELETE" && change.to_add.empty()) {
    return combination(
        "The AuthTokenUpdateStrategy DELETE is only allowed together with UserGroupIdsToAdd.");
  }
  if (!has_both_accesses(group)) {
    return {};
  }
  return change.to_add.empty()
             ? combination(
                   "An AUTH token cannot be set while the replication group has a user "
                   "group. Use RemoveUserGroups in the same request.")
             : combination(
                   "A user group cannot be added while the replication group has an AUTH "
                   "token. Use the AuthTokenUpdateStrategy DELETE in the same request.");
}

Checked change_user_groups(const State& state, const UserGroupsChange& change,
                           ReplicationGroup& group, Transition& transition) {
  if (change.asks_for_nothing()) {
    return {};
  }
  if (change.remove_all && !change.to_remove.empty()) {
    return combination("RemoveUserGroups and UserGroupIdsToRemove cannot be used together.");
  }
  if (auto removed = remove_user_groups(change, group); !removed) {
    return removed;
  }
  for (const UserGroupId& id : read_ids(change.to_add)) {
    auto& has = group.user_groups;
    if (std::find(has.begin(), has.end(), id) == has.end()) {  // tools send what is there already
      has.push_back(id);
      group.adding_user_groups.push_back(id);
    }
  }
  if (group.adding_user_groups.empty() && group.removing_user_groups.empty()) {
    return {};
  }
  if (!group.adding_user_groups.empty()) {
    if (auto fault = lacks_encryption(group.settings.access.encrypted())) {
      return tl::unexpected(*fault);
    }
    if (auto checked = check_user_groups(state, group.user_groups, group.settings); !checked) {
      return checked;
    }
  }
  tell_nodes(state, {group.id}, transition);
  group.status = "modifying";
  return {};
}

}  // namespace hikae::core
