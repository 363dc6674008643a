#pragma once

#include <string>

#include "core/resource/ids.h"
#include "core/resource/region.h"

namespace hikae::core {

// Endpoint names as ElastiCache forms them (AWS User Guide, "Finding connection endpoints"), with
// the region's own domain behind. All lower case, without a trailing dot.

// The primary of a node group: an alias that moves with a promotion.
std::string primary_endpoint(const Region& region, const ReplicationGroupId& group,
                             const NodeGroupId& node_group);
// The replicas of a node group, in rotation.
std::string reader_endpoint(const Region& region, const ReplicationGroupId& group,
                            const NodeGroupId& node_group);
// One node, standalone or member.
std::string node_endpoint(const Region& region, const CacheClusterId& cluster, const NodeId& node);
// The name that replicas follow. It always means the primary.
std::string internal_name(const Region& region, const ReplicationGroupId& group,
                          const NodeGroupId& node_group);
// The zone for which the region's DNS server is the authority.
std::string zone_apex(const Region& region);

}  // namespace hikae::core
