#pragma once

#include <string_view>
#include <vector>

#include "api/generated/elasticache_shapes.h"
#include "api/handlers/elasticache/common.h"
#include "core/admission/parameter_group.h"

namespace hikae::api::elasticache {

// A parameter's Source: `user` once it was changed, else `system`.
inline constexpr std::string_view kSourceUser = "user";
inline constexpr std::string_view kSourceSystem = "system";

// The next page of the group's parameters of this Source; an empty one means all.
std::vector<Parameter> parameters_of(const core::ParameterGroupView& group, std::string_view source,
                                     Pager& pager);

// The parameters whose values depend on the node type, with the values of every type on which the
// family's newest version runs.
std::vector<CacheNodeTypeSpecificParameter> node_type_parameters_of(
    const core::ParameterFamily& family);

}  // namespace hikae::api::elasticache
