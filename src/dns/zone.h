#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "codec/dns/name.h"
#include "core/naming/name_record.h"

namespace hikae::dns {

// The part of a zone that does not follow the state.
struct ZoneConfig {
  std::string apex;  // `cache.hikae.internal`
  // Where the zone is served; answered for `ns.<apex>`. May be empty.
  std::vector<Ipv4> name_server_addresses;
  std::uint32_t serial = 1;
  std::uint32_t ttl_seconds = 60;  // of SOA, NS and the name server's address
  // How long a resolver may remember that a name does not exist. Short, because names appear as
  // soon as their cluster is available, and are often asked for a moment before.
  std::uint32_t negative_ttl_seconds = 1;
  std::uint32_t refresh_seconds = 60;
  std::uint32_t retry_seconds = 10;
  std::uint32_t expire_seconds = 600;
};

// Leaves room for every name of an endpoint below it.
inline constexpr std::size_t kMaxApexSize = 128;

// What a name answers, ready for the wire.
struct RecordSet {
  core::NameRecord::Kind kind = core::NameRecord::Kind::kAddress;
  std::vector<Ipv4> addresses;
  std::vector<codec::dns::Name> targets;  // lower case
  std::uint32_t ttl_seconds = 0;
};

// A name that exists. Without records it is an empty non-terminal: only names below it have some.
struct ZoneNode {
  std::shared_ptr<const RecordSet> records;
  std::uint32_t names_below = 0;  // names with records below this one
};

// All names of one zone at one serial: an immutable value. The answering thread keeps a
// shared_ptr<const Zone>; a change makes a new Zone, which shares everything that did not change:
// names are spread over 256 maps by their hash, and only the maps of changed names are copied.
class Zone {
 public:
  // An empty zone. kInvalid when the apex is no name or longer than kMaxApexSize.
  static Result<Zone> create(const ZoneConfig& config);

  // The zone with `removed_names` taken out and then `upserts` put in (replacing the records of
  // their name). Removing an absent name is no error. Records that cannot be served are left out
  // and listed by rejected(): no name, not below the apex, or an alias at the apex or without
  // a valid target.
  Zone with_changes(const std::vector<core::NameRecord>& upserts,
                    const std::vector<std::string>& removed_names, std::uint32_t serial) const;

  // Names that the last with_changes refused; for the log.
  const std::vector<std::string>& rejected() const { return rejected_; }

  // `wire` is a lower-case name in wire form. nullptr when it does not exist; the apex always
  // exists. The pointer lives as long as the zone.
  const ZoneNode* find(std::string_view wire) const;
  bool contains(std::string_view wire) const;  // at or below the apex
  bool is_apex(std::string_view wire) const { return wire == apex_.wire(); }

  const codec::dns::Name& apex() const { return apex_; }
  const codec::dns::Name& name_server() const { return name_server_; }
  const codec::dns::Name& mailbox() const { return mailbox_; }
  const ZoneConfig& config() const { return config_; }
  std::uint32_t serial() const { return config_.serial; }
  std::size_t name_count() const { return name_count_; }  // names with records

 private:
  static constexpr std::size_t kShards = 256;

  struct WireHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view wire) const {
      return std::hash<std::string_view>{}(wire);
    }
  };
  using Shard = std::unordered_map<std::string, ZoneNode, WireHash, std::equal_to<>>;
  class Editor;

  Zone() = default;

  static std::size_t shard_of(std::string_view wire) {
    return WireHash{}(wire) >> (sizeof(std::size_t) * 8 - 8);
  }

  ZoneConfig config_;
  codec::dns::Name apex_;
  codec::dns::Name name_server_;
  codec::dns::Name mailbox_;
  std::array<std::shared_ptr<const Shard>, kShards> shards_;  // never null
  std::size_t name_count_ = 0;
  std::vector<std::string> rejected_;
};

}  // namespace hikae::dns
