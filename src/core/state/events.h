#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "core/state/state.h"

namespace hikae::core {

// Source types of DescribeEvents (AWS API reference, DescribeEvents).
inline constexpr std::string_view kSourceCacheCluster = "cache-cluster";
inline constexpr std::string_view kSourceReplicationGroup = "replication-group";
inline constexpr std::string_view kSourceParameterGroup = "cache-parameter-group";
inline constexpr std::string_view kSourceSubnetGroup = "cache-subnet-group";

// Adds events to a transition, numbered from the region's counter, and keeps the table within its
// limits (14 days, kMaxEvents) by removing the oldest. Call finish() once, last.
class EventWriter {
 public:
  static constexpr std::size_t kMaxEvents = 20'000;
  EventWriter(const State& state, Instant now) : state_(state), now_(now) {}
  void add(std::string_view source_type, std::string_view source, std::string message);
  // Appends the events to `transition`. Nothing is added when there were none.
  void finish(Transition& transition);

 private:
  const State& state_;
  Instant now_;
  std::vector<Event> events_;
};

}  // namespace hikae::core
