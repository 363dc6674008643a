#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

namespace hikae::codec {

// The key that signs all requests of one credential, day, region and service costs four HMACs to
// derive. This keeps the last few. One thread at a time; the caller owns it.
class SigningKeyCache {
 public:
  static constexpr std::size_t kMaxEntries = 64;

  // Derives the key on the first call. The reference is valid until the next call.
  const std::string& get(std::string_view secret, std::string_view date, std::string_view region,
                         std::string_view service);

  std::size_t size() const { return keys_.size(); }

 private:
  std::unordered_map<std::string, std::string> keys_;
};

// HMAC chain "AWS4"+secret -> date (yyyymmdd) -> region -> service -> "aws4_request".
std::string derive_signing_key(std::string_view secret, std::string_view date,
                               std::string_view region, std::string_view service);

}  // namespace hikae::codec
