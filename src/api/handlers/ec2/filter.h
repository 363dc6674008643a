#pragma once

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/fault.h"
#include "api/generated/ec2_shapes.h"

// The filters of EC2's Describe actions: every filter must match (and), by any of its values (or).

namespace hikae::api::ec2::handlers {

// AWS's limit for one call.
inline constexpr std::size_t kMaxFilterValues = 200;

using Filters = std::optional<std::vector<Filter>>;
// What one attribute of a resource is; several for attributes of lists, none when it has none.
using FilterValues = std::vector<std::string>;
using TagList = std::optional<std::vector<Tag>>;

// `*` stands for any text, `?` for one character, `\` takes the next character as it is. Letter
// case counts.
bool matches_wildcard(std::string_view pattern, std::string_view text);

// InvalidParameterValue for a filter without a name or a value, FilterLimitExceeded.
ApiResult<void> check_filters(const std::vector<Filter>& filters);
ApiFault unknown_filter(const Filter& filter);
bool matches_any(const Filter& filter, const FilterValues& values);

// `tag:Name`, `tag-key` and `tag-value`; nullopt for another filter.
std::optional<FilterValues> tag_filter_values(const Filter& filter, const TagList& tags);

// Text of a member for filters.
FilterValues filter_text(const std::optional<std::string>& value);
FilterValues filter_text(const std::optional<bool>& value);
FilterValues filter_text(const std::optional<std::int32_t>& value);

// One attribute of T that can be filtered by.
template <class T>
struct FilterField {
  std::string_view name;
  FilterValues (*values)(const T&);
};

// The attributes of one kind of resource.
template <class T>
class FilterTable {
 public:
  // `tags` makes the tag filters work; nullptr for a resource without tags.
  explicit FilterTable(std::initializer_list<FilterField<T>> fields,
                       const TagList& (*tags)(const T&) = nullptr)
      : fields_(fields), tags_(tags) {}

  // The items that match, in their order.
  ApiResult<std::vector<T>> apply(const Filters& filters, std::vector<T> items) const {
    if (!filters) {
      return items;
    }
    if (auto checked = check_filters(*filters); !checked) {
      return tl::unexpected(checked.error());
    }
    for (const Filter& filter : *filters) {
      const FilterField<T>* field = find(filter.name.value_or(""));
      if (field == nullptr && !is_tag_filter(filter)) {
        return tl::unexpected(unknown_filter(filter));
      }
      std::erase_if(items, [&](const T& item) {
        return !matches_any(filter, field != nullptr ? field->values(item)
                                                     : *tag_filter_values(filter, tags_(item)));
      });
    }
    return items;
  }

 private:
  const FilterField<T>* find(std::string_view name) const {
    const auto it = std::find_if(fields_.begin(), fields_.end(),
                                 [&](const FilterField<T>& field) { return field.name == name; });
    return it == fields_.end() ? nullptr : &*it;
  }
  bool is_tag_filter(const Filter& filter) const {
    return tags_ != nullptr && tag_filter_values(filter, std::nullopt).has_value();
  }

  std::vector<FilterField<T>> fields_;
  const TagList& (*tags_)(const T&);
};

}  // namespace hikae::api::ec2::handlers
