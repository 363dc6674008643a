#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"

namespace hikae::core {

// One endpoint name and what it stands for: the border between the state (which names exist) and
// the DNS zone (how they are answered).
struct NameRecord {
  enum class Kind {
    kAddress,   // all of `addresses`, in an order that moves on with every answer
    kAlias,     // a CNAME to targets[0]
    kRotating,  // one of `targets` for each answer, in turn; without targets one of `addresses`
  };

  std::string name;  // fully qualified, lower case, without a trailing dot
  Kind kind = Kind::kAddress;
  std::vector<Ipv4> addresses;
  std::vector<std::string> targets;  // names in the form of `name`
  std::uint32_t ttl_seconds = 0;

  friend bool operator==(const NameRecord&, const NameRecord&) = default;
};

}  // namespace hikae::core
