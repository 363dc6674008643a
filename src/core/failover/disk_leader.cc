#include "core/failover/disk_leader.h"

namespace hikae::core {
namespace {

std::optional<NodeKey> node_of(const State& state, const CacheClusterId& id) {
  const auto* cluster = state.find<CacheCluster>(id);
  const bool placed = cluster != nullptr && !cluster->nodes.empty();
  return placed ? std::optional(NodeKey{id, cluster->nodes[0].id}) : std::nullopt;
}

std::uint64_t data_on_disk(const Observed& observed, const NodeKey& key) {
  const auto* seen = observed.find(key);
  return seen == nullptr ? 0 : seen->data_on_disk;
}

bool is_dying(const Observed& observed, const NodeKey& key) {
  const auto* seen = observed.find(key);
  return seen != nullptr && seen->dying();
}

bool stays(const State& state, const CacheClusterId& id) {
  const auto* cluster = state.find<CacheCluster>(id);
  return cluster != nullptr && cluster->status != "deleting" && cluster->status != "creating";
}

}  // namespace

bool starts_from_disk(const Observed& observed, const NodeKey& key) {
  return data_on_disk(observed, key) > 0;
}

std::optional<CacheClusterId> disk_leader(const State& state, const Observed& observed,
                                          const NodeGroup& node_group) {
  const auto primary = node_of(state, node_group.primary);
  if (!primary || is_dying(observed, *primary) || data_on_disk(observed, *primary) > kEmptyOnDisk) {
    return std::nullopt;
  }
  std::optional<CacheClusterId> leader;
  std::uint64_t most = kEmptyOnDisk;
  for (const CacheClusterId& id : node_group.members) {
    const auto key = node_of(state, id);
    const std::uint64_t has = key ? data_on_disk(observed, *key) : 0;
    if (id != node_group.primary && stays(state, id) && has > most) {
      most = has;
      leader = id;
    }
  }
  return leader;
}

}  // namespace hikae::core
