#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/generated/elasticache_shapes.h"
#include "api/handler_context.h"
#include "control/frontend.h"
#include "core/admission/arn.h"
#include "core/admission/identifiers.h"
#include "core/admission/tags.h"
#include "core/state/state.h"

// What the ElastiCache handlers share.
namespace hikae::api::elasticache {

inline constexpr std::int32_t kLeastRecords = 20;
inline constexpr std::int32_t kMostRecords = 100;  // and the default

// A refusal of the core as the answer of any handler.
inline tl::unexpected<ApiFault> refused(core::Fault fault) {
  return tl::unexpected<ApiFault>(ApiFault(std::move(fault)));
}

using control::decision_on;

// Commits what the command asks for.
template <class Command>
AsyncResult<core::Revision> submit(HandlerContext& context, Command command) {
  auto decision = decision_on(std::move(command));
  const auto committed = co_await context.frontend().submit(std::move(decision));
  if (!committed) {
    co_return refused(committed.error());
  }
  co_return *committed;
}

// Cuts one page out of a listing. The handler offers every item in ascending order of its key; a
// page ends after MaxRecords items. Nothing is remembered between pages: the marker holds the last
// key, so items may come and go in between.
class Pager {
 public:
  // `listing` names the action (and whatever else must stay the same from page to page). Refuses a
  // MaxRecords out of range and a marker that is not one of this listing's.
  static ApiResult<Pager> open(std::string_view listing, std::optional<std::int32_t> max_records,
                               const std::optional<std::string>& marker);

  // Whether the item belongs on this page.
  bool take(std::string_view key);
  // No later item belongs on this page.
  bool done() const { return more_; }
  // The Marker of the answer; nullopt on the last page.
  std::optional<std::string> marker() const;

 private:
  Pager(std::string listing, std::size_t limit, std::string after)
      : listing_(std::move(listing)), limit_(limit), last_(std::move(after)) {}

  std::string listing_;
  std::size_t limit_;
  std::string last_;  // key of the last item of this page, or of the page before
  std::size_t taken_ = 0;
  bool more_ = false;
};

// A key that sorts by number.
std::string pager_key(std::uint64_t number);

// The Tags member of a create action, checked.
ApiResult<core::Tags> read_tags(const std::optional<std::vector<Tag>>& tags);
core::TagList to_tag_list(const std::vector<Tag>& tags);
std::vector<Tag> to_tags(const core::Tags& tags);

}  // namespace hikae::api::elasticache
