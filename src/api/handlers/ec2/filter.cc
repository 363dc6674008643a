#include "api/handlers/ec2/filter.h"

#include <fmt/format.h>

namespace hikae::api::ec2::handlers {
namespace {

constexpr std::string_view kTagPrefix = "tag:";

// One place of a pattern: a character to be met, `?` or `*`.
struct PatternStep {
  std::size_t length;  // characters of the pattern it takes
  char kind;           // '*', '?', or 'c' for the literal
  char literal;
};

PatternStep step_at(std::string_view pattern, std::size_t i) {
  const char c = pattern[i];
  if (c == '\\' && i + 1 < pattern.size()) {
    return {2, 'c', pattern[i + 1]};
  }
  return {1, c == '*' || c == '?' ? c : 'c', c};
}

}  // namespace

// Goes back to the last `*` only, so the time is at most pattern times text.
bool matches_wildcard(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::optional<std::size_t> after_star;
  std::size_t star_text = 0;
  while (t < text.size()) {
    const bool more = p < pattern.size();
    const PatternStep step = more ? step_at(pattern, p) : PatternStep{0, 0, 0};
    if (more && step.kind == '*') {
      p += step.length;
      after_star = p;
      star_text = t;
    } else if (more && (step.kind == '?' || (step.kind == 'c' && step.literal == text[t]))) {
      p += step.length;
      ++t;
    } else if (after_star) {
      p = *after_star;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') {
    ++p;
  }
  return p == pattern.size();
}

ApiResult<void> check_filters(const std::vector<Filter>& filters) {
  std::size_t values = 0;
  for (const Filter& filter : filters) {
    if (filter.name.value_or("").empty()) {
      return tl::unexpected(unknown_filter(filter));
    }
    if (!filter.values || filter.values->empty()) {
      return refuse("InvalidParameterValue",
                    fmt::format("The filter '{}' has no value", *filter.name));
    }
    values += filter.values->size();
  }
  if (values > kMaxFilterValues) {
    return refuse("FilterLimitExceeded",
                  fmt::format("The maximum number of filter values specified on a single call is "
                              "{}",
                              kMaxFilterValues));
  }
  return {};
}

ApiFault unknown_filter(const Filter& filter) {
  return ApiFault("InvalidParameterValue",
                  fmt::format("The filter '{}' is invalid", filter.name.value_or("null")));
}

bool matches_any(const Filter& filter, const FilterValues& values) {
  return std::any_of(filter.values->begin(), filter.values->end(), [&](const std::string& wanted) {
    return std::any_of(values.begin(), values.end(),
                       [&](const std::string& value) { return matches_wildcard(wanted, value); });
  });
}

std::optional<FilterValues> tag_filter_values(const Filter& filter, const TagList& tags) {
  const std::string_view name = *filter.name;
  const bool by_key = name.starts_with(kTagPrefix);
  if (!by_key && name != "tag-key" && name != "tag-value") {
    return std::nullopt;
  }
  FilterValues values;
  for (const Tag& tag : tags.value_or(std::vector<Tag>())) {
    if (name == "tag-key") {
      values.push_back(tag.key.value_or(""));
    } else if (!by_key || tag.key == name.substr(kTagPrefix.size())) {
      values.push_back(tag.value.value_or(""));
    }
  }
  return values;
}

FilterValues filter_text(const std::optional<std::string>& value) {
  return value ? FilterValues{*value} : FilterValues{};
}

FilterValues filter_text(const std::optional<bool>& value) {
  return value ? FilterValues{*value ? "true" : "false"} : FilterValues{};
}

FilterValues filter_text(const std::optional<std::int32_t>& value) {
  return value ? FilterValues{std::to_string(*value)} : FilterValues{};
}

}  // namespace hikae::api::ec2::handlers
