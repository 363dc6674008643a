#include "core/placement/moving.h"

#include <map>
#include <tuple>
#include <vector>

#include <fmt/format.h>

#include "core/placement/host_room.h"

namespace hikae::core {
namespace {

std::map<HostId, int> members_on_hosts(const State& state, const ReplicationGroupId& group) {
  std::map<HostId, int> out;
  const auto* known = state.find<ReplicationGroup>(group);
  if (known == nullptr) {
    return out;
  }
  for (const NodeGroup& node_group : known->node_groups) {
    for (const CacheClusterId& id : node_group.members) {
      const auto* cluster = state.find<CacheCluster>(id);
      if (cluster != nullptr && !cluster->nodes.empty()) {
        const Node& node = cluster->nodes[0];
        ++out[node.move.under_way() ? node.move.host : node.host];
      }
    }
  }
  return out;
}

}  // namespace

Admitted<NewPlace> place_anew(const State& state, const CacheCluster& cluster, const Node& node) {
  const HostRoom room(state);
  NodeNeeds needs = needs_of(cluster);
  if (const auto* subnet = state.find<Subnet>(node.subnet)) {
    needs.network = network_of_hosts(state, *subnet);
  }
  auto members = members_on_hosts(state, cluster.replication_group);
  const auto rank_of = [&](const Host& host) {
    return std::tuple(members[host.id], room.nodes_on(host.id), host.id);
  };
  const Host* best = nullptr;
  std::vector<std::string> lacks;
  for (const auto& [id, host] : state.all<Host>()) {
    if (host.zone != node.zone || id == node.host || host.is_stand_in()) {
      continue;
    }
    if (auto lack = room.lack(host, needs); !lack.empty()) {
      lacks.push_back(std::move(lack));
    } else if (best == nullptr || rank_of(host) < rank_of(*best)) {
      best = &host;
    }
  }
  if (best == nullptr) {
    return refuse(
        "InsufficientCacheClusterCapacity",
        fmt::format("{}/{} needs another host with {} of memory in {}; {}.", cluster.id.str(),
                    node.id.str(), in_words(needs.memory_bytes), node.zone.str(),
                    lacks.empty() ? "there is none" : fmt::format("{}", fmt::join(lacks, ", "))));
  }
  return NewPlace{best->id, *room.free_address(*best, needs),
                  fmt::format("moved from host {}; host {} has the fewest nodes in {}",
                              node.host.str(), best->id.str(), node.zone.str())};
}

void arrive(const State& state, Node& node) {
  node.host = node.move.host;
  node.address = node.move.address;
  node.counted_epoch = Epoch(0);
  const auto* subnet = state.find<Subnet>(node.subnet);
  if (subnet != nullptr && subnet->cidr.contains(node.address)) {
    node.vpc_address = node.address;
  }
  node.move = {};
}

bool is_to_leave(const State& state, const Node& node, Instant now) {
  const auto* host = state.find<Host>(node.host);
  return host != nullptr && host->draining &&
         (host->drain_until == Instant() || now < host->drain_until);
}

bool any_node_moves(const State& state) {
  return state.occupancy().moving() > 0;
}

std::vector<std::string> drain_notes(const State& state, const HostId& host) {
  std::vector<std::string> out;
  for (const auto& [id, nodes] : state.occupancy().on(host).clusters) {
    const CacheCluster& cluster = *state.find<CacheCluster>(id);
    for (const Node& node : cluster.nodes) {
      if (node.host != host) {
        continue;
      }
      const std::string name = fmt::format("{}/{}", id.str(), node.id.str());
      if (node.move.under_way()) {
        out.push_back(fmt::format("{} is on its way to {}", name, node.move.host.str()));
      } else if (const auto place = place_anew(state, cluster, node); !place) {
        out.push_back(fmt::format("{} stays: {}", name, place.error().message));
      } else if (cluster.status != "available") {
        out.push_back(fmt::format("{} waits: it is {}", name, cluster.status));
      } else {
        out.push_back(fmt::format("{} waits for its turn", name));
      }
    }
  }
  return out;
}

}  // namespace hikae::core
