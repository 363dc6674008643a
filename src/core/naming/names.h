#pragma once

#include <string>
#include <vector>

#include "core/resource/cache_cluster.h"
#include "core/resource/ids.h"
#include "core/resource/region.h"
#include "core/resource/replication_group.h"

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
// The same by what the group or cluster is: all names of an encrypted group lie below one, so that
// one wildcard is good for them.
std::string primary_endpoint(const Region& region, const ReplicationGroup& group,
                             const NodeGroupId& node_group);
std::string reader_endpoint(const Region& region, const ReplicationGroup& group,
                            const NodeGroupId& node_group);
std::string node_endpoint(const Region& region, const CacheCluster& cluster, const NodeId& node);
// All names of the same thing, the endpoint first: a group that takes clients with and without TLS
// has both forms, so that nobody has to change the name before the way of connecting (AWS User
// Guide, "Best practices when enabling in-transit encryption").
std::vector<std::string> primary_names(const Region& region, const ReplicationGroup& group,
                                       const NodeGroupId& node_group);
std::vector<std::string> reader_names(const Region& region, const ReplicationGroup& group,
                                      const NodeGroupId& node_group);
std::vector<std::string> node_names(const Region& region, const CacheCluster& cluster,
                                    const NodeId& node);
// What a node's certificate is for: that wildcard, or the name of a standalone node. Empty where
// the cluster is not encrypted, nor about to be.
std::string certificate_name(const Region& region, const CacheCluster& cluster, const NodeId& node);
// What the certificate of a member is for besides: the names without encryption, while some of the
// group's clients come without.
std::vector<std::string> certificate_aliases(const Region& region, const ReplicationGroup& group,
                                             const CacheCluster& member, const NodeId& node);
// The name that replicas follow. It always means the primary.
std::string internal_name(const Region& region, const ReplicationGroupId& group,
                          const NodeGroupId& node_group);
// The zone for which the region's DNS server is the authority.
std::string zone_apex(const Region& region);

}  // namespace hikae::core
