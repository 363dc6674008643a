#include "api/handlers/elasticache/common.h"

#include <fmt/format.h>

#include "codec/text/encoding.h"

namespace hikae::api::elasticache {

ApiResult<Pager> Pager::open(std::string_view listing, std::optional<std::int32_t> max_records,
                             const std::optional<std::string>& marker) {
  const std::int32_t limit = max_records.value_or(kMostRecords);
  if (limit < kLeastRecords || limit > kMostRecords) {
    return api::refuse("InvalidParameterValue",
                       fmt::format("The parameter MaxRecords must be between {} and {}.",
                                   kLeastRecords, kMostRecords));
  }
  std::string after;
  if (marker && !marker->empty()) {
    const std::optional<std::string> text = codec::base64_decode(*marker);
    const std::size_t end = text ? text->find('\n') : std::string::npos;
    if (end == std::string::npos || text->substr(0, end) != listing || end + 1 == text->size()) {
      return api::refuse("InvalidParameterValue", "The parameter Marker is not valid.");
    }
    after = text->substr(end + 1);
  }
  return Pager(std::string(listing), std::size_t(limit), std::move(after));
}

bool Pager::take(std::string_view key) {
  if (more_ || key <= last_) {
    return false;
  }
  if (taken_ == limit_) {
    more_ = true;
    return false;
  }
  ++taken_;
  last_ = key;
  return true;
}

std::optional<std::string> Pager::marker() const {
  if (!more_) {
    return std::nullopt;
  }
  return codec::base64_encode(listing_ + "\n" + last_);
}

std::string pager_key(std::uint64_t number) {
  return fmt::format("{:020}", number);
}

ApiResult<core::Tags> read_tags(const std::optional<std::vector<Tag>>& tags) {
  core::Admitted<core::Tags> checked =
      core::check_tags(to_tag_list(tags.value_or(std::vector<Tag>())));
  if (!checked) {
    return refused(checked.error());
  }
  return std::move(*checked);
}

core::TagList to_tag_list(const std::vector<Tag>& tags) {
  core::TagList list;
  list.reserve(tags.size());
  for (const Tag& tag : tags) {
    list.emplace_back(tag.key.value_or(""), tag.value.value_or(""));
  }
  return list;
}

std::vector<Tag> to_tags(const core::Tags& tags) {
  std::vector<Tag> list;
  list.reserve(tags.size());
  for (const auto& [key, value] : tags) {
    Tag& tag = list.emplace_back();
    tag.key = key;
    tag.value = value;
  }
  return list;
}

}  // namespace hikae::api::elasticache
