#include "core/admission/user.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/admission/access_change.h"
#include "core/admission/access_string.h"
#include "core/admission/identifiers.h"
#include "core/admission/settings_rules.h"
#include "core/state/access.h"

namespace hikae::core {
namespace {

using Hashes = std::vector<std::string>;

tl::unexpected<Fault> combination(std::string message) {
  return refuse("InvalidParameterCombination", std::move(message));
}

Checked check_name(const std::string& name) {
  const bool printable = std::all_of(name.begin(), name.end(), [](char c) {
    return std::uint8_t(c) > 0x20 && std::uint8_t(c) != 0x7F;
  });
  if (name.empty() || name.size() > kMaxUserName || !printable) {
    return refuse("InvalidParameterValue",
                  fmt::format("The parameter UserName must have 1 to {} characters without blanks.",
                              kMaxUserName));
  }
  if (name.starts_with(kReservedUserPrefix)) {
    return refuse("InvalidParameterValue", fmt::format("The user name {} is reserved.", name));
  }
  return {};
}

Admitted<Hashes> check_passwords(const std::vector<NewPassword>& passwords) {
  if (passwords.empty() || passwords.size() > kMaxPasswords) {
    return refuse("InvalidParameterValue",
                  fmt::format("A user must have 1 to {} passwords.", kMaxPasswords));
  }
  Hashes out;
  for (const NewPassword& one : passwords) {
    if (one.length < kShortestPassword || one.length > kLongestPassword || !one.printable) {
      return refuse("InvalidParameterValue",
                    fmt::format("Passwords must have {} to {} printable characters.",
                                kShortestPassword, kLongestPassword));
    }
    if (std::find(out.begin(), out.end(), one.sha256) != out.end()) {
      return refuse("InvalidParameterValue", "The passwords of a user must be different.");
    }
    out.push_back(one.sha256);
  }
  return out;
}

Admitted<Hashes> by_mode(const AuthenticationRequest& request, const User& user) {
  if (request.no_password_required.value_or(false) || request.passwords) {
    return combination(
        "AuthenticationMode cannot be used together with Passwords or NoPasswordRequired.");
  }
  const std::string mode = request.mode.value_or("");
  if (mode == "iam") {
    return user.id.str() != user.name
               ? combination("User Id and User name must be same for authentication type: iam")
               : combination(
                     "Hikae does not implement the authentication type iam: the engines "
                     "cannot ask whose a token is. Use password.");
  }
  if (mode == "password") {
    return check_passwords(request.mode_passwords.value_or(std::vector<NewPassword>()));
  }
  if (mode != "no-password-required") {
    return refuse("InvalidParameterValue", "The parameter AuthenticationMode needs a type.");
  }
  if (request.mode_passwords) {
    return combination("Passwords cannot be given for authentication type: no-password-required");
  }
  return Hashes();
}

// Hashes of the passwords; none: no password is needed.
Admitted<Hashes> resolve(const AuthenticationRequest& request, const User& user) {
  if (request.mode || request.mode_passwords) {
    return by_mode(request, user);
  }
  const bool none = request.no_password_required.value_or(false);
  if (none && request.passwords) {
    return combination("Passwords and NoPasswordRequired cannot be used together.");
  }
  if (!none && !request.passwords) {
    return combination("Either Passwords, NoPasswordRequired or AuthenticationMode is required.");
  }
  return none ? Hashes() : check_passwords(*request.passwords);
}

// What must hold of a user as it is going to be.
Checked check_user(const User& user) {
  if (auto fault = invalid_access_string(user.access_string, user.engine)) {
    return tl::unexpected(*fault);
  }
  if (user.engine == "valkey" && user.hashes.empty()) {
    return combination("A user of engine valkey needs a password.");
  }
  return {};
}

Admitted<User> find_changeable(const State& state, const std::string& text, std::string_view verb) {
  const auto id = lookup_id<UserId>(text);
  if (id == default_user().id) {
    return refuse("InvalidParameterValue", fmt::format("The default user cannot be {}.", verb));
  }
  const auto* user = state.find<User>(id);
  if (user == nullptr) {
    return tl::unexpected(user_not_found(id.str()));
  }
  if (user->status != "active") {
    return refuse("InvalidUserState", fmt::format("User {} is not in active state.", id.str()));
  }
  return *user;
}

Checked change_engine(const State& state, const std::string& text, User& user) {
  const auto engine = parse_access_engine(text);
  if (!engine) {
    return tl::unexpected(engine.error());
  }
  if (*engine == user.engine) {
    return {};
  }
  if (*engine == "redis") {
    return combination("The engine of a user cannot be changed from valkey to redis.");
  }
  for (const UserGroupId& id : groups_of_user(state, user.id)) {
    const auto* group = state.find<UserGroup>(id);
    if (group != nullptr && group->engine == "redis") {
      return combination(fmt::format("User {} belongs to user group {} of engine redis.",
                                     user.id.str(), id.str()));
    }
  }
  user.engine = *engine;
  return {};
}

Checked change_access(const ModifyUser& command, User& user) {
  if (command.access_string && command.append_access_string) {
    return combination("AccessString and AppendAccessString cannot be used together.");
  }
  if (command.access_string) {
    user.access_string = *command.access_string;
  } else if (command.append_access_string) {
    user.access_string += " " + *command.append_access_string;
  }
  if (!command.authentication.empty()) {
    const auto hashes = resolve(command.authentication, user);
    if (!hashes) {
      return tl::unexpected(hashes.error());
    }
    user.hashes = *hashes;
  }
  return check_user(user);
}

bool asks_for_nothing(const ModifyUser& command) {
  return !command.engine && !command.access_string && !command.append_access_string &&
         command.authentication.empty();
}

}  // namespace

Admitted<std::string> parse_access_engine(std::string_view text) {
  std::string engine = to_lower(text);
  if (engine != "redis" && engine != "valkey") {
    return refuse("InvalidParameterValue",
                  fmt::format("Invalid engine: {}. Valid values are redis and valkey.", text));
  }
  return engine;
}

Admitted<Transition> admit(const State& state, const CreateUser& command, AdmissionContext) {
  const auto id = parse_user_id(command.id);
  const auto engine = parse_access_engine(command.engine);
  if (!id || !engine) {
    return tl::unexpected(id ? engine.error() : id.error());
  }
  if (find_user(state, *id) != nullptr) {
    return refuse("UserAlreadyExists", fmt::format("User {} already exists.", id->str()));
  }
  if (state.all<User>().size() >= kMaxUsers) {
    return refuse("UserQuotaExceeded", "The quota of users has been exceeded.");
  }
  if (auto named = check_name(command.name); !named) {
    return tl::unexpected(named.error());
  }
  User user;
  user.id = *id;
  user.name = command.name;
  user.engine = *engine;
  user.access_string = command.access_string;
  user.tags = command.tags;
  auto hashes = resolve(command.authentication, user);
  if (!hashes) {
    return tl::unexpected(hashes.error());
  }
  user.hashes = std::move(*hashes);
  if (auto checked = check_user(user); !checked) {
    return tl::unexpected(checked.error());
  }
  Transition out;
  out.put(std::move(user));
  return out;
}

Admitted<Transition> admit(const State& state, const ModifyUser& command, AdmissionContext) {
  auto user = find_changeable(state, command.id, "modified");
  if (!user) {
    return tl::unexpected(user.error());
  }
  if (asks_for_nothing(command)) {
    return combination("No modifications were requested");
  }
  Checked checked = command.engine ? change_engine(state, *command.engine, *user) : Checked();
  if (checked) {
    checked = change_access(command, *user);
  }
  if (!checked) {
    return tl::unexpected(checked.error());
  }
  Transition out;
  if (tell_nodes(state, replication_groups_of(state, user->id), out)) {
    user->status = "modifying";
  }
  out.put(std::move(*user));
  return out;
}

Admitted<Transition> admit(const State& state, const DeleteUser& command, AdmissionContext) {
  auto user = find_changeable(state, command.id, "deleted");
  if (!user) {
    return tl::unexpected(user.error());
  }
  for (const UserGroupId& id : groups_of_user(state, user->id)) {
    const auto* group = state.find<UserGroup>(id);
    if (user->name == kDefaultUser && group != nullptr && group->engine == "redis") {
      return refuse(
          "DefaultUserAssociatedToUserGroup",
          fmt::format("User {} is the default user of user group {}.", user->id.str(), id.str()));
    }
  }
  Transition out;
  if (tell_nodes(state, replication_groups_of(state, user->id), out)) {
    user->status = "deleting";
    out.put(std::move(*user));
  } else {
    forget_user(state, user->id, out);
  }
  return out;
}

void forget_user(const State& state, const UserId& user, Transition& transition) {
  for (const UserGroupId& id : groups_of_user(state, user)) {
    UserGroup group = *find_after<UserGroup>(state, transition, id);
    for (auto* users : {&group.users, &group.adding, &group.removing}) {
      std::erase(*users, user);
    }
    transition.put(std::move(group));
  }
  transition.remove<User>(user);
}

}  // namespace hikae::core
