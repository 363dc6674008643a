#include "core/placement/placement.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include <fmt/format.h>

namespace hikae::core {
namespace {

// EC2 keeps the first four addresses and the last of every subnet for itself.
constexpr std::uint64_t kReservedFirst = 4;
constexpr std::uint64_t kReservedLast = 1;

// How the region is used now, counted once for a request and updated with every placed node.
struct Usage {
  std::map<ZoneName, int> nodes_in_zone, primaries_in_zone, group_in_zone;
  std::map<HostId, int> nodes_on_host, group_on_host;
  std::set<std::pair<SubnetId, Ipv4>> addresses;

  void add(const Node& node, bool same_group, bool primary) {
    ++nodes_in_zone[node.zone];
    ++nodes_on_host[node.host];
    primaries_in_zone[node.zone] += primary;
    group_in_zone[node.zone] += same_group;
    group_on_host[node.host] += same_group;
    addresses.emplace(node.subnet, node.vpc_address);
  }
};

bool is_primary(const State& state, const CacheCluster& cluster) {
  const auto* group = state.find<ReplicationGroup>(cluster.replication_group);
  return group == nullptr || std::any_of(group->node_groups.begin(), group->node_groups.end(),
                                         [&](const auto& ng) { return ng.primary == cluster.id; });
}

Usage count_usage(const State& state, const ReplicationGroupId& group) {
  Usage usage;
  for (const auto& [id, cluster] : state.all<CacheCluster>()) {
    for (const Node& node : cluster.nodes) {
      if (!node.host.empty()) {
        const bool same_group = !group.empty() && cluster.replication_group == group;
        usage.add(node, same_group, is_primary(state, cluster));
      }
    }
  }
  return usage;
}

class Placer {
 public:
  Placer(const State& state, const SubnetGroup& group, Usage usage)
      : state_(state), group_(group), usage_(std::move(usage)) {}

  Admitted<PlacedNode> place_one(const PlacementWish& wish) {
    const auto zone = choose_zone(wish);
    if (!zone) {
      return tl::unexpected(zone.error());
    }
    const auto* host = choose_host(*zone);
    const auto address = choose_address(*zone);
    if (host == nullptr || !address) {
      return refuse("InsufficientCacheClusterCapacity",
                    fmt::format("No {} is left for {} in {}.", host == nullptr ? "host" : "address",
                                wish.node.str(), zone->str()));
    }
    PlacedNode placed;
    placed.node = wish.node;
    placed.host = host->id;
    placed.zone = *zone;
    placed.subnet = address->first->id;
    placed.vpc_address = address->second;
    placed.address = reachable_address(*state_.find<Vpc>(address->first->vpc), address->second);
    placed.reason = reason(wish, placed);
    remember(wish, placed);
    return placed;
  }

 private:
  Admitted<ZoneName> choose_zone(const PlacementWish& wish) {
    const auto zones = usable_zones(state_, group_);
    if (!wish.preferred_zone.empty()) {
      if (std::find(zones.begin(), zones.end(), wish.preferred_zone) == zones.end()) {
        return refuse("InvalidParameterValue",
                      fmt::format("{} is not a zone of cache subnet group {}.",
                                  wish.preferred_zone.str(), group_.name.str()));
      }
      return wish.preferred_zone;
    }
    std::optional<ZoneName> best;
    for (const ZoneName& zone : zones) {
      const bool room = choose_host(zone) != nullptr && choose_address(zone).has_value();
      if (room && (!best || rank(wish, zone) < rank(wish, *best))) {
        best = zone;
      }
    }
    if (!best) {
      return refuse("InsufficientCacheClusterCapacity",
                    fmt::format("No zone of cache subnet group {} has room for {}: every host is "
                                "full or every subnet is out of addresses.",
                                group_.name.str(), wish.node.str()));
    }
    return *best;
  }

  std::tuple<int, int, int, ZoneName> rank(const PlacementWish& wish, const ZoneName& zone) {
    const int primaries = wish.primary ? usage_.primaries_in_zone[zone] : 0;
    return {usage_.group_in_zone[zone], primaries, usage_.nodes_in_zone[zone], zone};
  }

  const Host* choose_host(const ZoneName& zone) {
    const Host* best = nullptr;
    const auto rank_of = [&](const Host& host) {
      return std::tuple(usage_.group_on_host[host.id], usage_.nodes_on_host[host.id], host.id);
    };
    for (const auto& [id, host] : state_.all<Host>()) {
      const bool fits = host.zone == zone && usage_.nodes_on_host[id] < int(host.max_nodes);
      if (fits && (best == nullptr || rank_of(host) < rank_of(*best))) {
        best = &host;
      }
    }
    return best;
  }

  std::optional<std::pair<const Subnet*, Ipv4>> choose_address(const ZoneName& zone) const {
    for (const SubnetId& id : group_.subnets) {
      const auto* subnet = state_.find<Subnet>(id);
      if (subnet == nullptr || subnet->zone != zone) {
        continue;
      }
      for (auto i = kReservedFirst; i + kReservedLast < subnet->cidr.size(); ++i) {
        const Ipv4 address = subnet->cidr.at(i);
        if (!usage_.addresses.contains({id, address})) {
          return std::pair(subnet, address);
        }
      }
    }
    return std::nullopt;
  }

  std::string reason(const PlacementWish& wish, const PlacedNode& placed) {
    if (!wish.preferred_zone.empty()) {
      return fmt::format("{} was asked for; host {} has the fewest nodes there", placed.zone.str(),
                         placed.host.str());
    }
    std::string counts = fmt::format("{} has the fewest nodes of this group ({})",
                                     placed.zone.str(), usage_.group_in_zone[placed.zone]);
    if (wish.primary) {
      counts +=
          fmt::format(", then the fewest primaries ({})", usage_.primaries_in_zone[placed.zone]);
    }
    return fmt::format("{}, then the fewest nodes ({}); host {}", counts,
                       usage_.nodes_in_zone[placed.zone], placed.host.str());
  }

  void remember(const PlacementWish& wish, const PlacedNode& placed) {
    Node node;
    node.host = placed.host;
    node.zone = placed.zone;
    node.subnet = placed.subnet;
    node.vpc_address = placed.vpc_address;
    usage_.add(node, true, wish.primary);
  }

  const State& state_;
  const SubnetGroup& group_;
  Usage usage_;
};

}  // namespace

std::vector<ZoneName> usable_zones(const State& state, const SubnetGroup& group) {
  std::set<ZoneName> with_host;
  for (const auto& [id, host] : state.all<Host>()) {
    with_host.insert(host.zone);
  }
  std::set<ZoneName> zones;
  for (const SubnetId& id : group.subnets) {
    const auto* subnet = state.find<Subnet>(id);
    if (subnet != nullptr && with_host.contains(subnet->zone)) {
      zones.insert(subnet->zone);
    }
  }
  return {zones.begin(), zones.end()};
}

Admitted<std::vector<PlacedNode>> place(const State& state, const PlacementRequest& request) {
  const auto* group = state.find<SubnetGroup>(request.subnet_group);
  if (group == nullptr) {
    return refuse("CacheSubnetGroupNotFoundFault",
                  fmt::format("Cache subnet group {} not found.", request.subnet_group.str()));
  }
  Placer placer(state, *group, count_usage(state, request.group));
  std::vector<PlacedNode> placed;
  for (const PlacementWish& wish : request.wishes) {
    auto one = placer.place_one(wish);
    if (!one) {
      return tl::unexpected(one.error());
    }
    placed.push_back(std::move(*one));
  }
  return placed;
}

Ipv4 reachable_address(const Vpc& vpc, Ipv4 vpc_address) {
  return Ipv4(127u << 24 | (64 + vpc.ordinal) << 16 | (vpc_address.bits() & 0xffff));
}

}  // namespace hikae::core
