#include "core/naming/names.h"

#include <string_view>

#include <fmt/format.h>

#include "core/catalog/region_codes.h"

namespace hikae::core {
namespace {

std::string suffix(const Region& region) {
  return fmt::format("{}.{}", region_code(region.name), region.domain);
}

std::string encrypted_name(const Region& region, std::string_view what,
                           const ReplicationGroupId& group) {
  return fmt::format("{}.{}.{}.{}", what, group.str(), region.endpoint_hash, suffix(region));
}

bool is_encrypted_member(const CacheCluster& cluster) {
  return cluster.settings.access.encrypted() && !cluster.replication_group.empty();
}

std::vector<std::string> all_names(const Access& access, std::string endpoint,
                                   std::string unencrypted) {
  std::vector<std::string> out;
  const bool two = access.takes_both() && unencrypted != endpoint;
  out.push_back(std::move(endpoint));
  if (two) {
    out.push_back(std::move(unencrypted));
  }
  return out;
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

std::string primary_endpoint(const Region& region, const ReplicationGroup& group,
                             const NodeGroupId& node_group) {
  return group.settings.access.encrypted() ? encrypted_name(region, "master", group.id)
                                           : primary_endpoint(region, group.id, node_group);
}

std::string reader_endpoint(const Region& region, const ReplicationGroup& group,
                            const NodeGroupId& node_group) {
  return group.settings.access.encrypted() ? encrypted_name(region, "replica", group.id)
                                           : reader_endpoint(region, group.id, node_group);
}

std::string node_endpoint(const Region& region, const CacheCluster& cluster, const NodeId& node) {
  return is_encrypted_member(cluster)
             ? encrypted_name(region, cluster.id.str(), cluster.replication_group)
             : node_endpoint(region, cluster.id, node);
}

std::string certificate_name(const Region& region, const CacheCluster& cluster,
                             const NodeId& node) {
  if (!cluster.settings.access.encrypted() && !effective_settings(cluster).access.encrypted()) {
    return "";
  }
  return cluster.replication_group.empty() ? node_endpoint(region, cluster, node)
                                           : encrypted_name(region, "*", cluster.replication_group);
}

std::vector<std::string> certificate_aliases(const Region& region, const ReplicationGroup& group,
                                             const CacheCluster& member, const NodeId& node) {
  if (!member.settings.access.takes_both() && !effective_settings(member).access.takes_both()) {
    return {};
  }
  std::vector<std::string> out = {node_endpoint(region, member.id, node)};
  for (const NodeGroup& node_group : group.node_groups) {
    out.push_back(primary_endpoint(region, group.id, node_group.id));
    out.push_back(reader_endpoint(region, group.id, node_group.id));
  }
  return out;
}

std::vector<std::string> primary_names(const Region& region, const ReplicationGroup& group,
                                       const NodeGroupId& node_group) {
  return all_names(group.settings.access, primary_endpoint(region, group, node_group),
                   primary_endpoint(region, group.id, node_group));
}

std::vector<std::string> reader_names(const Region& region, const ReplicationGroup& group,
                                      const NodeGroupId& node_group) {
  return all_names(group.settings.access, reader_endpoint(region, group, node_group),
                   reader_endpoint(region, group.id, node_group));
}

std::vector<std::string> node_names(const Region& region, const CacheCluster& cluster,
                                    const NodeId& node) {
  return all_names(cluster.settings.access, node_endpoint(region, cluster, node),
                   node_endpoint(region, cluster.id, node));
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
