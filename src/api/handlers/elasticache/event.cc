#include <algorithm>
#include <limits>

#include "api/generated/elasticache_handlers.h"
#include "api/handlers/elasticache/common.h"
#include "base/strings.h"
#include "core/state/events.h"

namespace hikae::api::elasticache::handlers {
namespace {

constexpr std::int32_t kDefaultMinutes = 60;
constexpr std::int32_t kMostMinutes = 14 * 24 * 60;  // as long as events are kept

struct Period {
  Instant start;
  Instant end;
};

// The hour before now, unless the request says otherwise. StartTime and Duration without EndTime
// mean the period that begins at StartTime.
ApiResult<Period> period_of(const DescribeEventsMessage& input, Instant now) {
  if (input.duration && (*input.duration < 1 || *input.duration > kMostMinutes)) {
    return api::refuse("InvalidParameterValue",
                       "The parameter Duration must be between 1 and 20160 minutes.");
  }
  const Duration length = std::chrono::minutes(input.duration.value_or(kDefaultMinutes));
  Period period;
  if (input.start_time) {
    const Instant open_end = input.duration ? *input.start_time + length : now;
    period = {*input.start_time, input.end_time.value_or(open_end)};
  } else {
    period.end = input.end_time.value_or(now);
    period.start = period.end - length;
  }
  if (period.start > period.end) {
    return api::refuse("InvalidParameterCombination", "The start time is after the end time.");
  }
  // Older ones leave the state with the next event; until then nobody sees them.
  period.start = std::max(period.start, now - Duration(std::chrono::minutes(kMostMinutes)));
  return period;
}

bool is_asked_for(const core::Event& event, const DescribeEventsMessage& input,
                  const Period& period) {
  return event.at >= period.start && event.at <= period.end &&
         (!input.source_type || *input.source_type == event.source_type) &&
         (!input.source_identifier || to_lower(*input.source_identifier) == event.source);
}

Event to_shape(const core::Event& event) {
  Event shape;
  shape.source_identifier = event.source;
  shape.source_type = event.source_type;
  shape.message = event.message;
  shape.date = event.at;
  return shape;
}

}  // namespace

AsyncResult<EventsMessage> describe_events(HandlerContext& context, DescribeEventsMessage input) {
  if (input.source_identifier && !input.source_type) {
    co_return api::refuse("InvalidParameterCombination",
                          "SourceIdentifier requires SourceType to be given too.");
  }
  auto pager = Pager::open("DescribeEvents", input.max_records, input.marker);
  if (!pager) {
    co_return tl::unexpected(pager.error());
  }
  control::Frontend& frontend = context.frontend();
  const ApiResult<Period> period = period_of(input, frontend.now());
  if (!period) {
    co_return tl::unexpected(period.error());
  }
  EventsMessage answer;
  auto& events = answer.events.emplace();
  const auto& table = frontend.state().all<core::Event>();
  for (auto it = table.rbegin(); it != table.rend() && !pager->done(); ++it) {
    // Newest first, so keys that rise while ids fall.
    const std::uint64_t key = std::numeric_limits<std::uint64_t>::max() - it->first.value();
    if (is_asked_for(it->second, input, *period) && pager->take(pager_key(key))) {
      events.push_back(to_shape(it->second));
    }
  }
  answer.marker = pager->marker();
  co_return answer;
}

}  // namespace hikae::api::elasticache::handlers
