#include "core/state/access.h"

#include <algorithm>

#include "base/strings.h"

namespace hikae::core {
namespace {

template <class Id>
bool contains(const std::vector<Id>& ids, const Id& id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

// An engine whose new users may use all channels takes a pattern only behind this.
bool names_channels(const std::vector<std::string>& words) {
  return std::any_of(words.begin(), words.end(), [](const std::string& word) {
    return word.starts_with("&") || equals_ignoring_case(word, "allchannels");
  });
}

std::string rules_of(const User& user) {
  std::vector<std::string> rules;
  for (const std::string& hash : user.hashes) {
    rules.push_back("#" + hash);
  }
  if (user.hashes.empty()) {
    rules.emplace_back("nopass");
  }
  std::vector<std::string> words = split(user.access_string, ' ');
  std::erase(words, "");
  if (names_channels(words)) {
    rules.emplace_back("resetchannels");
  }
  rules.insert(rules.end(), words.begin(), words.end());
  return join(rules, " ");
}

User make_default_user() {
  User user;
  user.id = UserId(std::string(kDefaultUser));
  user.name = kDefaultUser;
  user.engine = "redis";
  user.access_string = "on ~* +@all";
  return user;
}

}  // namespace

const User& default_user() {
  static const User kUser = make_default_user();
  return kUser;
}

const User* find_user(const State& state, const UserId& id) {
  return id == default_user().id ? &default_user() : state.find<User>(id);
}

std::vector<UserGroupId> groups_of_user(const State& state, const UserId& user) {
  std::vector<UserGroupId> out;
  for (const auto& [id, group] : state.all<UserGroup>()) {
    if (contains(group.users, user)) {
      out.push_back(id);
    }
  }
  return out;
}

std::vector<ReplicationGroupId> replication_groups_of(const State& state,
                                                      const UserGroupId& group) {
  std::vector<ReplicationGroupId> out;
  for (const auto& [id, one] : state.all<ReplicationGroup>()) {
    if (contains(one.user_groups, group)) {
      out.push_back(id);
    }
  }
  return out;
}

std::set<ReplicationGroupId> replication_groups_of(const State& state, const UserId& user) {
  std::set<ReplicationGroupId> out;
  for (const UserGroupId& group : groups_of_user(state, user)) {
    for (ReplicationGroupId& id : replication_groups_of(state, group)) {
      out.insert(std::move(id));
    }
  }
  return out;
}

bool keeps_access(const ReplicationGroup& group) {
  return group.status != "deleting" && group.status != "create-failed";
}

SharedMap access_of(const State& state, const ReplicationGroup& group) {
  SharedMap::Map out;
  for (const UserGroupId& id : group.user_groups) {
    // Where nobody of that name is among the users, clients that give no name may do nothing.
    out.try_emplace(std::string(kDefaultUser), "off");
    const auto* users = state.find<UserGroup>(id);
    for (const UserId& user_id : users == nullptr ? std::vector<UserId>() : users->users) {
      const auto* user = find_user(state, user_id);
      if (user != nullptr && user->status != "deleting") {
        out.insert_or_assign(user->name, rules_of(*user));
      }
    }
  }
  return out.empty() ? SharedMap() : SharedMap(std::move(out));
}

}  // namespace hikae::core
