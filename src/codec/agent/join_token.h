#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hikae::codec::agent {

// What an operator carries from a server to a new host: `hikae-join.<id>.<secret>.<fingerprint>`.
// The secret proves the host to the server, the fingerprint of the region's CA proves the server to
// the host. A secret altogether: never log it.
struct JoinTokenText {
  std::string id;              // 8 hexadecimal digits; may be told
  std::string secret;          // 64
  std::string ca_fingerprint;  // 64: SHA-256 of the CA's certificate (DER)

  // Strict, but for white space around it.
  static std::optional<JoinTokenText> parse(std::string_view text);
  std::string str() const;
  friend bool operator==(const JoinTokenText&, const JoinTokenText&) = default;
};

inline constexpr std::size_t kTokenIdLength = 8;
inline constexpr std::size_t kTokenSecretLength = 64;
inline constexpr std::size_t kFingerprintLength = 64;

}  // namespace hikae::codec::agent
