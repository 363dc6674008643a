#include "core/state/events.h"

#include <chrono>
#include <iterator>

namespace hikae::core {
namespace {

// AWS keeps events for 14 days.
constexpr Duration kKept = std::chrono::hours(24 * 14);
// Old events leave with new ones, a few at a time, so that no transition becomes large.
constexpr std::size_t kRemovedAtOnce = 16;

}  // namespace

void EventWriter::add(std::string_view source_type, std::string_view source, std::string message) {
  Event event;
  event.at = now_;
  event.source_type = source_type;
  event.source = source;
  event.message = std::move(message);
  events_.push_back(std::move(event));
}

void EventWriter::finish(Transition& transition) {
  if (events_.empty()) {
    return;
  }
  Region region = state_.region();
  for (Event& event : events_) {
    event.id = Event::Key(region.next_event++);
    transition.put(std::move(event));
  }
  transition.put(std::move(region));
  const auto& table = state_.all<Event>();
  std::size_t removed = 0;
  for (auto it = table.begin(); it != table.end() && removed < kRemovedAtOnce; ++it, ++removed) {
    const bool expired = it->second.at < now_ - kKept;
    const bool too_many = table.size() - removed > kMaxEvents;
    if (!expired && !too_many) {
      break;
    }
    transition.remove<Event>(it->first);
  }
  events_.clear();
}

}  // namespace hikae::core
