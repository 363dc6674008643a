#include "codec/sign/signing_key_cache.h"

#include <fmt/format.h>

#include "codec/text/digest.h"

namespace hikae::codec {

std::string derive_signing_key(std::string_view secret, std::string_view date,
                               std::string_view region, std::string_view service) {
  std::string key = "AWS4";
  key += secret;
  for (const std::string_view part : {date, region, service, std::string_view("aws4_request")}) {
    key = hmac_sha256(key, part);
  }
  return key;
}

const std::string& SigningKeyCache::get(std::string_view secret, std::string_view date,
                                        std::string_view region, std::string_view service) {
  // By the secret, not by its id: a replaced secret must not find the old key. The parts of a
  // scope have no slash, so two different quadruples never give the same text.
  std::string id = fmt::format("{}/{}/{}/{}", date, region, service, secret);
  if (const auto at = keys_.find(id); at != keys_.end()) {
    return at->second;
  }
  if (keys_.size() >= kMaxEntries) {
    keys_.clear();  // once a day per key in real use; a stream of invented scopes only costs time
  }
  std::string key = derive_signing_key(secret, date, region, service);
  return keys_.emplace(std::move(id), std::move(key)).first->second;
}

}  // namespace hikae::codec
