#include "core/placement/placement.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "core/placement/host_room.h"

namespace hikae::core {
namespace {

// EC2 keeps the first four addresses and the last of every subnet for itself.
constexpr std::uint64_t kReservedFirst = 4;
constexpr std::uint64_t kReservedLast = 1;
// So many hosts are named when none of them has room.
constexpr std::size_t kShownHosts = 8;

// Where the members of the group are, and those that are being placed.
struct Members {
  std::map<ZoneName, int> in_zone;
  std::map<HostId, int> on_host;

  void add(const Node& node) {
    ++in_zone[node.zone];
    ++on_host[node.host];
  }
};

Members members_of(const State& state, const ReplicationGroupId& id) {
  Members out;
  const auto* group = state.find<ReplicationGroup>(id);
  if (group == nullptr) {
    return out;
  }
  for (const NodeGroup& node_group : group->node_groups) {
    for (const CacheClusterId& member : node_group.members) {
      const auto* cluster = state.find<CacheCluster>(member);
      if (cluster != nullptr && !cluster->nodes.empty() && !cluster->nodes[0].host.empty()) {
        out.add(cluster->nodes[0]);
      }
    }
  }
  return out;
}

class Placer {
 public:
  Placer(const State& state, const SubnetGroup& group, Members members)
      : state_(state), group_(group), members_(std::move(members)), room_(state) {}

  Admitted<PlacedNode> place_one(const PlacementWish& wish) {
    const auto* cluster = state_.find<CacheCluster>(wish.node.cluster);
    needs_ = cluster == nullptr ? NodeNeeds() : needs_of(*cluster);
    const auto zone = choose_zone(wish);
    if (!zone) {
      return tl::unexpected(zone.error());
    }
    const auto spot = choose_spot(*zone);
    if (!spot) {
      return no_room(wish, {*zone});
    }
    PlacedNode placed;
    placed.node = wish.node;
    placed.host = spot->host->id;
    placed.zone = *zone;
    placed.subnet = spot->subnet->id;
    placed.vpc_address = spot->vpc_address;
    placed.address = spot->address;
    placed.reason = reason(wish, placed);
    remember(wish, placed);
    return placed;
  }

 private:
  struct Spot {
    const Subnet* subnet = nullptr;
    const Host* host = nullptr;
    Ipv4 vpc_address;
    Ipv4 address;
  };

  Admitted<ZoneName> choose_zone(const PlacementWish& wish) {
    const auto zones = usable_zones(state_, group_);
    if (!wish.preferred_zone.empty()) {
      if (!has_subnet(wish.preferred_zone)) {
        return refuse("InvalidParameterValue",
                      fmt::format("{} is not a zone of cache subnet group {}.",
                                  wish.preferred_zone.str(), group_.name.str()));
      }
      return wish.preferred_zone;
    }
    std::optional<ZoneName> best;
    for (const ZoneName& zone : zones) {
      if (choose_spot(zone) && (!best || rank(wish, zone) < rank(wish, *best))) {
        best = zone;
      }
    }
    if (!best) {
      return no_room(wish, zones);
    }
    return *best;
  }

  bool has_subnet(const ZoneName& zone) const {
    return std::any_of(group_.subnets.begin(), group_.subnets.end(), [&](const SubnetId& id) {
      const auto* subnet = state_.find<Subnet>(id);
      return subnet != nullptr && subnet->zone == zone;
    });
  }

  // What would have to be there.
  tl::unexpected<Fault> no_room(const PlacementWish& wish, const std::vector<ZoneName>& zones) {
    std::vector<std::string> names;
    std::vector<std::string> lacks;
    for (const ZoneName& zone : zones) {
      names.push_back(zone.str());
      add_lacks(zone, lacks);
    }
    if (lacks.size() > kShownHosts) {
      lacks.resize(kShownHosts);
      lacks.push_back("...");
    }
    return refuse("InsufficientCacheClusterCapacity",
                  fmt::format("{} needs a host with {} of memory and an address in {}; {}.",
                              wish.node.str(), in_words(needs_.memory_bytes),
                              names.empty() ? "a zone of its subnet group"
                                            : fmt::format("{}", fmt::join(names, " or ")),
                              lacks.empty() ? "there is no host"
                                            : fmt::format("{}", fmt::join(lacks, ", "))));
  }

  void add_lacks(const ZoneName& zone, std::vector<std::string>& lacks) const {
    for (const Subnet* subnet : subnets_in(zone)) {
      const NodeNeeds needs = needs_in(*subnet);
      if (!needs.network && !free_address(*subnet)) {
        lacks.push_back(fmt::format("{} has no address left", subnet->id.str()));
      }
      for (const auto& [id, host] : state_.all<Host>()) {
        auto lack = host.zone == zone ? room_.lack(host, needs) : std::string();
        if (!lack.empty() && std::find(lacks.begin(), lacks.end(), lack) == lacks.end()) {
          lacks.push_back(std::move(lack));
        }
      }
    }
  }

  std::tuple<int, int, int, ZoneName> rank(const PlacementWish& wish, const ZoneName& zone) {
    const int primaries = wish.primary ? room_.primaries_in(zone) : 0;
    return {members_.in_zone[zone], primaries, room_.nodes_in(zone), zone};
  }

  std::vector<const Subnet*> subnets_in(const ZoneName& zone) const {
    std::vector<const Subnet*> out;
    for (const SubnetId& id : group_.subnets) {
      const auto* subnet = state_.find<Subnet>(id);
      if (subnet != nullptr && subnet->zone == zone) {
        out.push_back(subnet);
      }
    }
    return out;
  }

  NodeNeeds needs_in(const Subnet& subnet) const {
    NodeNeeds needs = needs_;
    needs.network = network_of_hosts(state_, subnet);
    return needs;
  }

  // In the first subnet in which there is room.
  std::optional<Spot> choose_spot(const ZoneName& zone) {
    for (const Subnet* subnet : subnets_in(zone)) {
      const NodeNeeds needs = needs_in(*subnet);
      const Host* host = choose_host(zone, needs);
      if (host == nullptr) {
        continue;
      }
      if (needs.network) {
        const Ipv4 address = *room_.free_address(*host, needs);
        return Spot{subnet, host, address, address};
      }
      if (const auto vpc_address = free_address(*subnet)) {
        return Spot{subnet, host, *vpc_address,
                    host->is_stand_in()
                        ? reachable_address(*state_.find<Vpc>(subnet->vpc), *vpc_address)
                        : *room_.free_address(*host, needs)};
      }
    }
    return std::nullopt;
  }

  const Host* choose_host(const ZoneName& zone, const NodeNeeds& needs) {
    const Host* best = nullptr;
    const auto rank_of = [&](const Host& host) {
      return std::tuple(members_.on_host[host.id], room_.nodes_on(host.id), host.id);
    };
    for (const auto& [id, host] : state_.all<Host>()) {
      const bool fits = host.zone == zone && room_.lack(host, needs).empty();
      if (fits && (best == nullptr || rank_of(host) < rank_of(*best))) {
        best = &host;
      }
    }
    return best;
  }

  // One that a subnet shows and no host has.
  std::optional<Ipv4> free_address(const Subnet& subnet) const {
    const std::uint64_t size = subnet.cidr.size();
    return size <= kReservedFirst + kReservedLast
               ? std::nullopt
               : room_.free_address(subnet.id, subnet.cidr.at(kReservedFirst),
                                    subnet.cidr.at(size - 1 - kReservedLast));
  }

  std::string reason(const PlacementWish& wish, const PlacedNode& placed) {
    if (!wish.preferred_zone.empty()) {
      return fmt::format("{} was asked for; host {} has the fewest nodes there", placed.zone.str(),
                         placed.host.str());
    }
    std::string counts = fmt::format("{} has the fewest nodes of this group ({})",
                                     placed.zone.str(), members_.in_zone[placed.zone]);
    if (wish.primary) {
      counts += fmt::format(", then the fewest primaries ({})", room_.primaries_in(placed.zone));
    }
    return fmt::format("{}, then the fewest nodes ({}); host {}", counts,
                       room_.nodes_in(placed.zone), placed.host.str());
  }

  void remember(const PlacementWish& wish, const PlacedNode& placed) {
    Node node;
    node.host = placed.host;
    node.zone = placed.zone;
    node.subnet = placed.subnet;
    node.vpc_address = placed.vpc_address;
    node.address = placed.address;
    members_.add(node);
    room_.add(node, wish.primary, needs_);
  }

  const State& state_;
  const SubnetGroup& group_;
  Members members_;
  HostRoom room_;
  NodeNeeds needs_;  // of the node being placed
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
  Placer placer(state, *group, members_of(state, request.group));
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
