#include "api/handlers/ec2/shapes.h"

#include <fmt/format.h>

#include "core/admission/arn.h"

namespace hikae::api::ec2::handlers {

std::vector<Tag> tag_list(const core::Tags& tags) {
  std::vector<Tag> list;
  list.reserve(tags.size());
  for (const auto& [key, value] : tags) {
    list.push_back(Tag{.key = key, .value = value});
  }
  return list;
}

std::optional<std::vector<Tag>> tags_if_any(const core::Tags& tags) {
  if (tags.empty()) {
    return std::nullopt;
  }
  return tag_list(tags);
}

ApiResult<core::Tags> read_tags(const std::optional<std::vector<Tag>>& tags) {
  core::Tags out;
  for (const Tag& tag : tags.value_or(std::vector<Tag>())) {
    const std::string key = tag.key.value_or("");
    if (!out.emplace(key, tag.value.value_or("")).second) {
      return refuse("InvalidParameterValue", fmt::format("Duplicate tag key '{}' specified.", key));
    }
  }
  return out;
}

ApiResult<core::Tags> read_tag_specifications(
    const std::optional<std::vector<TagSpecification>>& specifications, std::string_view type) {
  std::vector<Tag> all;
  for (const auto& specification : specifications.value_or(std::vector<TagSpecification>())) {
    if (specification.resource_type != type) {
      return refuse("InvalidParameterValue",
                    fmt::format("'{}' is not a valid taggable resource type for this operation.",
                                specification.resource_type.value_or("")));
    }
    const auto tags = specification.tags.value_or(std::vector<Tag>());
    all.insert(all.end(), tags.begin(), tags.end());
  }
  return read_tags(all);
}

std::string ec2_arn(const core::Region& region, std::string_view type, std::string_view id) {
  return fmt::format("arn:{}:ec2:{}:{}:{}/{}", core::partition_of(region.name), region.name,
                     region.account_id, type, id);
}

std::string derived_id(std::string_view prefix, std::string_view owner) {
  return std::string(prefix) + std::string(owner.substr(owner.rfind('-') + 1));
}

}  // namespace hikae::api::ec2::handlers
