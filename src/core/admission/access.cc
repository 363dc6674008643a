#include "core/admission/access.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "core/catalog/catalog.h"

namespace hikae::core {
namespace {

constexpr std::size_t kShortestToken = 16;
constexpr std::size_t kLongestToken = 128;
constexpr std::string_view kSpecialCharacters = "!&#$^<>-";
constexpr std::size_t kMostTokens = 2;

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

tl::unexpected<Fault> token_without_encryption() {
  return refuse("InvalidParameterValue",
                "The AUTH token is only supported when encryption-in-transit is enabled");
}

// Of Redis 3.2.6 and from 4.0.10 on (AWS User Guide, "In-transit encryption").
bool can_be_encrypted(const CacheSettings& settings) {
  return settings.engine != "redis" || settings.engine_version == "3.2.6" ||
         compare_versions(settings.engine_version, "4.0.10") >= 0;
}

// Of a running cache: from Redis 7.0 on.
bool can_change_encryption(const CacheSettings& settings) {
  return settings.engine != "redis" || compare_versions(settings.engine_version, "7.0") >= 0;
}

tl::unexpected<Fault> combination(std::string message) {
  return refuse("InvalidParameterCombination", std::move(message));
}

tl::unexpected<Fault> token_while_preferred() {
  return combination("Transit encryption preferred is not supported with redis access control.");
}

// The mode that is asked for; empty: none. `planned`: with what waits for the maintenance window.
Admitted<std::string> wanted_mode(const EncryptionChange& change, const std::string& running,
                                  const std::string& planned) {
  const bool on = change.enabled.value_or(!running.empty());
  if (change.mode && !on) {
    return combination("To modify transit encryption mode, set encryption-in-transit as enabled.");
  }
  const std::string mode = on ? change.mode.value_or(planned.empty() ? running : planned) : "";
  if (running.empty() && on && mode != "preferred") {
    return combination(
        "To enable encryption-in-transit for an existing replication group, TransitEncryptionMode "
        "must be set to preferred first.");
  }
  if (running == "required" && !on) {
    return combination(
        "To disable encryption-in-transit, TransitEncryptionMode must be set to preferred first.");
  }
  return mode;
}

bool is_held(const Access& access, const std::string& token) {
  return std::find(access.tokens.begin(), access.tokens.end(), token) != access.tokens.end();
}

void rotate(const std::string& token, Access& access) {
  if (is_held(access, token)) {
    return;
  }
  access.token_optional = access.tokens.empty();
  access.tokens.push_back(token);
  if (access.tokens.size() > kMostTokens) {
    access.tokens.erase(access.tokens.begin());
  }
}

Checked set(const std::string& token, Access& access) {
  if (!access.tokens.empty() && !is_held(access, token)) {
    return refuse("InvalidParameterCombination",
                  "The strategy SET is only for an AUTH token that was added with the strategy "
                  "ROTATE before.");
  }
  access.tokens = {token};
  access.token_optional = false;
  return {};
}

}  // namespace

Checked check_auth_token(const std::string& token) {
  const bool good =
      token.size() >= kShortestToken && token.size() <= kLongestToken &&
      std::all_of(token.begin(), token.end(), [](char c) {
        return is_alphanumeric(c) || kSpecialCharacters.find(c) != std::string_view::npos;
      });
  if (!good) {
    return refuse("InvalidParameterValue", "Invalid AuthToken provided.");
  }
  return {};
}

Checked resolve_access(const AccessRequest& request, CacheSettings& settings) {
  const bool encrypted = request.transit_encryption.value_or(false);
  if (request.transit_encryption_mode && !encrypted) {
    return refuse("InvalidParameterCombination",
                  "TransitEncryptionMode is only supported when encryption-in-transit is enabled");
  }
  if (request.token && !encrypted) {
    return token_without_encryption();
  }
  const bool at_rest = request.at_rest_encryption.value_or(false);
  if (request.kms_key && !at_rest) {
    return refuse("InvalidParameterCombination",
                  "KmsKeyId is only supported when encryption-at-rest is enabled");
  }
  if ((encrypted || at_rest) && !can_be_encrypted(settings)) {
    return refuse("InvalidParameterCombination",
                  fmt::format("Encryption features are not supported for engine version {}.",
                              settings.engine_version));
  }
  const std::string mode = request.transit_encryption_mode.value_or("required");
  if (encrypted && mode == "preferred" && request.token) {
    return token_while_preferred();
  }
  if (encrypted && mode == "preferred" && !can_change_encryption(settings)) {
    return combination(
        fmt::format("Transit encryption mode preferred is not supported for engine version {}.",
                    settings.engine_version));
  }
  settings.access.transit_encryption = encrypted ? mode : "";
  if (request.token) {
    settings.access.tokens = {*request.token};
  }
  settings.at_rest_encryption = at_rest;
  settings.kms_key = request.kms_key.value_or("");
  return {};
}

Checked change_encryption(const EncryptionChange& change, const CacheSettings& running,
                          CacheSettings& out) {
  if (change.asks_for_nothing()) {
    return {};
  }
  const auto mode =
      wanted_mode(change, running.access.transit_encryption, out.access.transit_encryption);
  if (!mode) {
    return tl::unexpected(mode.error());
  }
  out.access.transit_encryption = *mode;
  if (*mode == running.access.transit_encryption) {
    return {};
  }
  if (!running.access.tokens.empty() || !out.access.tokens.empty()) {
    return combination(
        "Modification of transit encryption is not supported for access control enabled clusters.");
  }
  if (!can_change_encryption(running)) {
    return combination(
        fmt::format("Modification of transit encryption is not supported for engine version {}.",
                    running.engine_version));
  }
  return {};
}

Checked change_tokens(const TokenChange& change, Access& access) {
  if (!access.encrypted()) {
    return token_without_encryption();
  }
  if (access.takes_both()) {
    return token_while_preferred();
  }
  if (change.strategy == "DELETE") {
    if (change.token) {
      return refuse("InvalidParameterCombination",
                    "AuthToken must not be used together with the strategy DELETE.");
    }
    access.tokens.clear();
    access.token_optional = false;
    return {};
  }
  if (!change.token) {
    return refuse("InvalidParameterCombination",
                  "AuthTokenUpdateStrategy must be used together with AuthToken.");
  }
  if (change.strategy == "SET") {
    return set(*change.token, access);
  }
  rotate(*change.token, access);
  return {};
}

}  // namespace hikae::core
