#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "core/resource/ids.h"

namespace hikae::core {

// The region itself; exactly one, with the key `region`. Written at first start, then constant but
// for the counters.
struct Region {
  using Key = StrongId<struct RegionKeyTag>;
  static constexpr const char* kKind = "region";
  Key id{"region"};
  std::string name;           // `ap-northeast-1`
  std::string account_id;     // 12 digits
  std::string endpoint_hash;  // the six characters in every endpoint name
  std::string domain;         // `cache.hikae.internal`
  std::vector<ZoneName> zones;
  std::uint64_t next_event = 1;
  // By which a server knows that its data directory holds the region's secret; says nothing of it.
  std::string secret_check;
  const Key& key() const { return id; }
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("id", s.id);
    v("name", s.name);
    v("account_id", s.account_id);
    v("endpoint_hash", s.endpoint_hash);
    v("domain", s.domain);
    v("zones", s.zones);
    v("next_event", s.next_event);
    v("secret_check", s.secret_check);
  }
};

struct Event {
  using Key = StrongNumber<struct EventKeyTag>;
  static constexpr const char* kKind = "event";
  Key id;
  Instant at;
  std::string source_type;  // `cache-cluster`, `replication-group`, ... (DescribeEvents SourceType)
  std::string source;
  std::string message;
  Key key() const { return id; }
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("id", s.id);
    v("at", s.at);
    v("source_type", s.source_type);
    v("source", s.source);
    v("message", s.message);
  }
};

}  // namespace hikae::core
