#include "core/naming/records.h"

#include "core/naming/names.h"

namespace hikae::core {
namespace {

// Names that move with a promotion must be asked for again soon; a node keeps its address.
constexpr std::uint32_t kMovingTtlSeconds = 5;
constexpr std::uint32_t kNodeTtlSeconds = 60;

// A node that lost its host keeps its name: a resolver that was told there is none would remember
// that for longer than it takes to give the node another place. What is reachable there now is
// nobody, and never another node.
bool has_name(const State& state, const CacheCluster& cluster, const Node& node) {
  const bool has_answer =
      !node.host.empty() ||
      (node.address != Ipv4() && !state.occupancy().is_in_use(node.address, cluster.settings.port));
  return has_answer && cluster.created_at.has_value() && cluster.status != "deleting";
}

void add_node_names(const State& state, const CacheCluster& cluster, std::vector<NameRecord>& out) {
  for (const Node& node : cluster.nodes) {
    if (!has_name(state, cluster, node)) {
      continue;
    }
    for (std::string& name : node_names(state.region(), cluster, node.id)) {
      NameRecord record;
      record.name = std::move(name);
      record.kind = NameRecord::Kind::kAddress;
      record.addresses = {node.address};
      record.ttl_seconds = node.host.empty() ? kMovingTtlSeconds : kNodeTtlSeconds;
      out.push_back(std::move(record));
    }
  }
}

NameRecord alias(std::string name, std::vector<std::string> targets) {
  NameRecord record;
  record.name = std::move(name);
  record.kind = targets.size() > 1 ? NameRecord::Kind::kRotating : NameRecord::Kind::kAlias;
  record.targets = std::move(targets);
  record.ttl_seconds = kMovingTtlSeconds;
  return record;
}

void add_node_group_names(const State& state, const ReplicationGroup& group,
                          const NodeGroup& node_group, std::vector<NameRecord>& out) {
  const Region& region = state.region();
  const auto* primary = state.find<CacheCluster>(node_group.primary);
  if (primary == nullptr || primary->nodes.empty() ||
      !has_name(state, *primary, primary->nodes[0])) {
    return;
  }
  std::vector<std::string> readers;
  for (const CacheClusterId& member : node_group.members) {
    const auto* cluster = state.find<CacheCluster>(member);
    if (member != node_group.primary && cluster != nullptr && !cluster->nodes.empty() &&
        has_name(state, *cluster, cluster->nodes[0]) && !cluster->nodes[0].host.empty() &&
        !cluster->nodes[0].recovering && !is_restarting(*cluster)) {
      readers.push_back(node_endpoint(region, *cluster, cluster->nodes[0].id));
    }
  }
  const std::string primary_name = node_endpoint(region, *primary, primary->nodes[0].id);
  if (readers.empty()) {
    readers.push_back(primary_name);  // reads go on when no replica is left
  }
  for (std::string& name : primary_names(region, group, node_group.id)) {
    out.push_back(alias(std::move(name), {primary_name}));
  }
  for (std::string& name : reader_names(region, group, node_group.id)) {
    out.push_back(alias(std::move(name), readers));
  }
  out.push_back(alias(internal_name(region, group.id, node_group.id), {primary_name}));
}

}  // namespace

std::vector<NameRecord> group_records(const State& state, const ReplicationGroupId& id) {
  std::vector<NameRecord> out;
  const auto* group = state.find<ReplicationGroup>(id);
  if (group == nullptr) {
    return out;
  }
  for (const NodeGroup& node_group : group->node_groups) {
    for (const CacheClusterId& member : node_group.members) {
      if (const auto* cluster = state.find<CacheCluster>(member)) {
        add_node_names(state, *cluster, out);
      }
    }
    if (group->status != "deleting") {
      add_node_group_names(state, *group, node_group, out);
    }
  }
  return out;
}

std::vector<NameRecord> cluster_records(const State& state, const CacheClusterId& id) {
  std::vector<NameRecord> out;
  const auto* cluster = state.find<CacheCluster>(id);
  if (cluster != nullptr && cluster->replication_group.empty()) {
    add_node_names(state, *cluster, out);
  }
  return out;
}

}  // namespace hikae::core
