#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/resp/value.h"

namespace hikae::codec::resp {

// The `key:value` lines of INFO, CLUSTER INFO and their like. Section titles (`# Replication`) and
// lines without a colon are left out; of a repeated key the last counts.
class Info {
 public:
  static Info parse(std::string_view text);

  // `ip=127.0.0.1,port=6379,state=online`: the form of values such as slave0 and db0.
  static Info parse_fields(std::string_view text);

  // nullopt when the key is absent. The view lives as long as this object.
  std::optional<std::string_view> text(std::string_view key) const;
  // nullopt also when the value is no whole decimal number.
  std::optional<std::int64_t> integer(std::string_view key) const;

  bool empty() const { return values_.empty(); }

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

// The reply of ROLE.
struct Role {
  enum class Kind { kPrimary, kReplica, kSentinel };

  struct Replica {
    std::string host;
    std::uint16_t port = 0;
    std::int64_t offset = 0;  // acknowledged
  };

  Kind kind = Kind::kPrimary;
  std::int64_t offset = 0;        // replication offset; 0 for a sentinel, -1 before the first sync
  std::vector<Replica> replicas;  // of a primary
  std::string primary_host;       // of a replica, as it was configured
  std::uint16_t primary_port = 0;
  std::string link;  // of a replica: `connect`, `connecting`, `handshake`, `sync`, `connected`
};

// nullopt when the value is no reply of ROLE.
std::optional<Role> parse_role(const Value& value);

}  // namespace hikae::codec::resp
