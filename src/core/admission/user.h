#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/admission/admission.h"
#include "core/resource/tags.h"

namespace hikae::core {

inline constexpr std::size_t kMaxUsers = 1000;  // per region (ElastiCache's default quota)
inline constexpr std::size_t kMaxPasswords = 2;
inline constexpr std::size_t kShortestPassword = 16;
inline constexpr std::size_t kLongestPassword = 128;
inline constexpr std::size_t kMaxUserName = 128;
// Names of users that the service itself has on every node begin with it.
inline constexpr std::string_view kReservedUserPrefix = "hikae-";

// All that is known of a password here. The password itself stays with whoever read the request.
struct NewPassword {
  std::size_t length = 0;
  bool printable = true;  // characters of ASCII alone, without blanks
  std::string sha256;     // hexadecimal
};

// How a user logs in, from whichever of the two ways the client used.
struct AuthenticationRequest {
  std::optional<bool> no_password_required;
  std::optional<std::vector<NewPassword>> passwords;
  std::optional<std::string> mode;  // AuthenticationMode.Type
  std::optional<std::vector<NewPassword>> mode_passwords;

  // NoPasswordRequired=false asks for nothing by itself.
  bool empty() const {
    return !no_password_required.value_or(false) && !passwords && !mode && !mode_passwords;
  }
};

struct CreateUser {
  std::string id;
  std::string name;
  std::string engine;
  std::string access_string;
  AuthenticationRequest authentication;
  Tags tags;  // checked, see tags.h
};
Admitted<Transition> admit(const State& state, const CreateUser& command, AdmissionContext context);

// Replaces what is given. The user is `modifying` until every node on which it may log in has
// taken the change.
struct ModifyUser {
  std::string id;
  std::optional<std::string> engine;
  std::optional<std::string> access_string;
  std::optional<std::string> append_access_string;
  AuthenticationRequest authentication;
};
Admitted<Transition> admit(const State& state, const ModifyUser& command, AdmissionContext context);

// Takes the user out of its groups. It is `deleting` until no node lets it log in any more.
struct DeleteUser {
  std::string id;
};
Admitted<Transition> admit(const State& state, const DeleteUser& command, AdmissionContext context);

// Removes it from the state and from its groups.
void forget_user(const State& state, const UserId& user, Transition& transition);

// `redis` or `valkey`, in lower case.
Admitted<std::string> parse_access_engine(std::string_view text);

}  // namespace hikae::core
