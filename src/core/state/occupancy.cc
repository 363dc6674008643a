#include "core/state/occupancy.h"

#include <algorithm>
#include <iterator>

#include "base/check.h"
#include "core/catalog/catalog.h"

namespace hikae::core {
namespace {

// Only what is not zero is kept, so that equal counts are equal values.
template <class Map>
const typename Map::mapped_type& look_up(const Map& map, const typename Map::key_type& key) {
  static const typename Map::mapped_type kNone{};
  const auto it = map.find(key);
  return it == map.end() ? kNone : it->second;
}

template <class Map>
void forget_if_none(Map& map, const typename Map::key_type& key) {
  const auto it = map.find(key);
  if (it != map.end() && it->second == typename Map::mapped_type{}) {
    map.erase(it);
  }
}

}  // namespace

void AddressesInUse::add(Ipv4 address) {
  const std::uint32_t bits = address.bits();
  if (++uses_[bits] > 1) {
    return;
  }
  std::uint32_t first = bits;
  std::uint32_t last = bits;
  const auto after = runs_.upper_bound(bits);
  if (after != runs_.begin() && std::prev(after)->second + 1 == bits) {
    first = std::prev(after)->first;
  }
  if (after != runs_.end() && after->first - 1 == bits) {
    last = after->second;
    runs_.erase(after);
  }
  runs_[first] = last;
}

void AddressesInUse::remove(Ipv4 address) {
  const std::uint32_t bits = address.bits();
  const auto use = uses_.find(bits);
  HIKAE_CHECK(use != uses_.end());
  if (--use->second > 0) {
    return;
  }
  uses_.erase(use);
  const auto run = std::prev(runs_.upper_bound(bits));
  const std::uint32_t first = run->first;
  const std::uint32_t last = run->second;
  runs_.erase(run);
  if (first < bits) {
    runs_[first] = bits - 1;
  }
  if (bits < last) {
    runs_[bits + 1] = last;
  }
}

std::optional<Ipv4> AddressesInUse::lowest_free(Ipv4 first, Ipv4 last) const {
  std::uint64_t free = first.bits();
  const auto after = runs_.upper_bound(first.bits());
  if (after != runs_.begin() && std::prev(after)->second >= free) {
    free = std::uint64_t(std::prev(after)->second) + 1;
  }
  return free <= last.bits() ? std::optional(Ipv4(std::uint32_t(free))) : std::nullopt;
}

void Occupancy::count(const CacheCluster& cluster, bool leads, int by) {
  const std::uint64_t memory = memory_of_node(cluster);
  const std::uint16_t port = cluster.settings.port;
  for (const Node& node : cluster.nodes) {
    count_cluster(node.host, cluster.id, by);
    if (!node.host.empty()) {
      count_place(node.host, node.address, memory, port, by);
      count_node(node, leads, by);
    }
    if (node.move.under_way()) {
      count_cluster(node.move.host, cluster.id, by);
      count_place(node.move.host, node.move.address, memory, port, by);
      moving_ += by;
    }
  }
}

void Occupancy::add_node(const Node& node, bool leads, std::uint64_t memory_bytes,
                         std::uint16_t port) {
  count_place(node.host, node.address, memory_bytes, port, 1);
  count_node(node, leads, 1);
}

void Occupancy::count_cluster(const HostId& host, const CacheClusterId& cluster, int by) {
  auto& clusters = hosts_[host].clusters;
  clusters[cluster] += by;
  forget_if_none(clusters, cluster);
  forget_if_none(hosts_, host);
}

void Occupancy::count_place(const HostId& host, Ipv4 address, std::uint64_t memory_bytes,
                            std::uint16_t port, int by) {
  OnHost& used = hosts_[host];
  used.nodes += by;
  used.memory_bytes += by > 0 ? memory_bytes : -memory_bytes;
  forget_if_none(hosts_, host);
  const std::pair taken(address, port);
  ports_[taken] += by;
  forget_if_none(ports_, taken);
  if (by > 0) {
    of_hosts_.add(address);
  } else {
    of_hosts_.remove(address);
  }
}

void Occupancy::count_node(const Node& node, bool leads, int by) {
  InZone& zone = zones_[node.zone];
  zone.nodes += by;
  zone.primaries += leads ? by : 0;
  forget_if_none(zones_, node.zone);
  AddressesInUse& subnet = subnets_[node.subnet];
  if (by > 0) {
    subnet.add(node.vpc_address);
  } else {
    subnet.remove(node.vpc_address);
  }
  forget_if_none(subnets_, node.subnet);
}

const Occupancy::OnHost& Occupancy::on(const HostId& host) const {
  return look_up(hosts_, host);
}

const Occupancy::InZone& Occupancy::in(const ZoneName& zone) const {
  return look_up(zones_, zone);
}

const AddressesInUse& Occupancy::in(const SubnetId& subnet) const {
  return look_up(subnets_, subnet);
}

bool Occupancy::is_in_use(Ipv4 address, std::uint16_t port) const {
  return ports_.contains({address, port});
}

std::uint64_t memory_of_node(const CacheCluster& cluster) {
  const auto& wanted = cluster.upgrade.node_type;
  const auto* type = find_node_type(wanted.empty() ? cluster.settings.node_type : wanted);
  return type == nullptr ? 0 : type->memory_bytes;
}

}  // namespace hikae::core
