#include "core/naming/names.h"

#include <fmt/format.h>

#include "core/catalog/region_codes.h"

namespace hikae::core {
namespace {

std::string suffix(const Region& region) {
  return fmt::format("{}.{}", region_code(region.name), region.domain);
}

}  // namespace

std::string primary_endpoint(const Region& region, const ReplicationGroupId& group,
                             const NodeGroupId& node_group) {
  return fmt::format("{}.{}.ng.{}.{}", group.str(), region.endpoint_hash, node_group.str(),
                     suffix(region));
}

std::string reader_endpoint(const Region& region, const ReplicationGroupId& group,
                            const NodeGroupId& node_group) {
  return fmt::format("{}-ro.{}.ng.{}.{}", group.str(), region.endpoint_hash, node_group.str(),
                     suffix(region));
}

std::string node_endpoint(const Region& region, const CacheClusterId& cluster, const NodeId& node) {
  return fmt::format("{}.{}.{}.{}", cluster.str(), region.endpoint_hash, node.str(),
                     suffix(region));
}

std::string internal_name(const Region& region, const ReplicationGroupId& group,
                          const NodeGroupId& node_group) {
  return fmt::format("{}.{}.{}.internal.{}", group.str(), region.endpoint_hash, node_group.str(),
                     suffix(region));
}

std::string zone_apex(const Region& region) {
  return region.domain;
}

}  // namespace hikae::core
