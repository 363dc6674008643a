#pragma once

#include <optional>
#include <string>
#include <utility>

#include "api/fault.h"
#include "codec/text/digest.h"
#include "core/admission/access.h"

namespace hikae::api::elasticache {

// What becomes of an AUTH token: its digest. It goes no further itself.
inline core::Admitted<std::optional<std::string>> digest_of(
    const std::optional<std::string>& token) {
  if (!token) {
    return std::nullopt;
  }
  if (const auto checked = core::check_auth_token(*token); !checked) {
    return tl::unexpected(checked.error());
  }
  return codec::sha256_hex(*token);
}

// What ModifyReplicationGroup and ModifyCacheCluster ask for by the same names.
template <class Message>
core::Admitted<std::optional<core::TokenChange>> token_change_of(const Message& input) {
  auto digest = digest_of(input.auth_token);
  if (!digest) {
    return tl::unexpected(digest.error());
  }
  if (!*digest && !input.auth_token_update_strategy) {
    return std::nullopt;
  }
  return core::TokenChange{std::move(*digest), input.auth_token_update_strategy.value_or("")};
}

}  // namespace hikae::api::elasticache
