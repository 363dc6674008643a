#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "codec/sign/signature.h"

namespace hikae::api {

// An access key and the account it speaks for.
struct KnownCredential {
  codec::Credential credential;
  std::string account_id;  // 12 digits
};

// The access keys that this region accepts. Filled before the first request is served.
class Credentials {
 public:
  // Replaces a credential with the same access key id.
  void add(KnownCredential known) {
    std::string id = known.credential.access_key_id;
    by_id_.insert_or_assign(std::move(id), std::move(known));
  }

  // nullptr for an unknown key. Valid until the next add().
  const KnownCredential* find(std::string_view access_key_id) const {
    const auto found = by_id_.find(access_key_id);
    return found != by_id_.end() ? &found->second : nullptr;
  }

 private:
  std::map<std::string, KnownCredential, std::less<>> by_id_;
};

}  // namespace hikae::api
