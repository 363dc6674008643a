#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/fault.h"
#include "api/generated/ec2_shapes.h"
#include "core/resource/region.h"
#include "core/resource/tags.h"

// Small shapes that every family answers or reads.

namespace hikae::api::ec2::handlers {

std::vector<Tag> tag_list(const core::Tags& tags);
// Absent without tags: some resources answer no tag set at all then.
std::optional<std::vector<Tag>> tags_if_any(const core::Tags& tags);

// InvalidParameterValue for a key that is named twice.
ApiResult<core::Tags> read_tags(const std::optional<std::vector<Tag>>& tags);
// The tags of the resource that an action makes; it may name this `type` only.
ApiResult<core::Tags> read_tag_specifications(
    const std::optional<std::vector<TagSpecification>>& specifications, std::string_view type);

// `arn:aws:ec2:ap-northeast-1:123456789012:subnet/subnet-...`
std::string ec2_arn(const core::Region& region, std::string_view type, std::string_view id);

// The id of something that has no record of its own, made from its owner's:
// `rtbassoc-` for `rtb-0123...` gives `rtbassoc-0123...`.
std::string derived_id(std::string_view prefix, std::string_view owner);

}  // namespace hikae::api::ec2::handlers
