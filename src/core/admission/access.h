#pragma once

#include <optional>
#include <string>

#include "core/admission/settings_rules.h"
#include "core/resource/cache_cluster.h"

namespace hikae::core {

// Encryption and AUTH tokens of caches. A token itself never comes here, but for check_auth_token:
// commands carry its SHA-256, hexadecimal.

// 16 to 128 printable characters; of the special ones only ! & # $ ^ < > - (AWS User Guide,
// "Authenticating with the AUTH command"). The refusal does not repeat the token.
Checked check_auth_token(const std::string& token);

// What CreateReplicationGroup asks for.
struct AccessRequest {
  std::optional<bool> transit_encryption;
  std::optional<std::string> transit_encryption_mode;
  std::optional<std::string> token;  // its digest
  std::optional<bool> at_rest_encryption;
  std::optional<std::string> kms_key;

  bool asked_for() const {
    return transit_encryption.value_or(false) || transit_encryption_mode || token ||
           at_rest_encryption.value_or(false) || kms_key;
  }
};

// Puts it into the settings, whose engine and version are there already. Refuses with AWS's codes:
// a token or a mode without encryption, a version that AWS does not encrypt.
Checked resolve_access(const AccessRequest& request, CacheSettings& settings);

// What ModifyReplicationGroup asks for: TransitEncryptionEnabled and TransitEncryptionMode.
struct EncryptionChange {
  std::optional<bool> enabled;
  std::optional<std::string> mode;
  bool asks_for_nothing() const { return !enabled && !mode; }
};

// Leads from how nodes run to how they are to: one step at a time between none, `preferred` and
// `required`, from Redis 7.0 and in Valkey, and never past AUTH tokens, which need `required` (AWS
// User Guide, "Enabling in-transit encryption"; the words are AWS's where they are known). What is
// so already changes nothing: tools send it again.
Checked change_encryption(const EncryptionChange& change, const CacheSettings& running,
                          CacheSettings& out);

// What ModifyReplicationGroup asks for: AuthToken and AuthTokenUpdateStrategy.
struct TokenChange {
  std::optional<std::string> token;  // its digest
  std::string strategy;              // ROTATE, SET, DELETE; empty means ROTATE, as on AWS
};

// ROTATE adds the token: the newest two count, and beside a first one clients without any are
// served still. SET leaves this one alone, which has to count already where any does. DELETE leaves
// none.
Checked change_tokens(const TokenChange& change, Access& access);

}  // namespace hikae::core
