#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/state/state.h"

namespace hikae::core {

// What is told to whoever subscribes to a cache's topic (NotificationTopicArn).
struct Notification {
  Event event;
  std::string topic_arn;
};

// The name under which AWS sends the event to a topic (User Guide, "Event notifications"), without
// the `ElastiCache:` before it; empty: it sends none.
std::string_view notification_name(const Event& event);

// Which caches have an active topic. Beside the state, because the last events of a cache are
// written when it leaves the state.
class NotificationTopics {
 public:
  NotificationTopics() = default;
  explicit NotificationTopics(const State& state);

  // Takes over the changes, and answers the events among them that are to be told.
  std::vector<Notification> follow(const Transition& transition);

 private:
  void take(std::string_view source_type, const std::string& source, const CacheSettings& settings);

  std::map<std::pair<std::string, std::string>, std::string> topics_;  // by source type and source
};

}  // namespace hikae::core
