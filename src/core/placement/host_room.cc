#include "core/placement/host_room.h"

#include <algorithm>

#include <fmt/format.h>

namespace hikae::core {
namespace {

// The lowest one from `first` to `last` that is in use in neither.
std::optional<Ipv4> lowest_free(const AddressesInUse& a, const AddressesInUse& b, Ipv4 first,
                                Ipv4 last) {
  auto free = a.lowest_free(first, last);
  while (free && b.contains(*free)) {
    free = b.lowest_free(*free, last);
    free = free ? a.lowest_free(*free, last) : std::nullopt;
  }
  return free;
}

bool has_address_in(const Host& host, const Cidr& network) {
  const AddressRange whole{network.at(0), network.at(network.size() - 1)};
  return std::any_of(host.addresses.begin(), host.addresses.end(),
                     [&](const AddressRange& range) { return range.overlaps(whole); });
}

}  // namespace

void HostRoom::add(const Node& node, bool leads, const NodeNeeds& needs) {
  placed_.add_node(node, leads, needs.memory_bytes, needs.port);
}

int HostRoom::nodes_on(const HostId& host) const {
  return taken_.on(host).nodes + placed_.on(host).nodes;
}

std::uint64_t HostRoom::memory_on(const HostId& host) const {
  return taken_.on(host).memory_bytes + placed_.on(host).memory_bytes;
}

int HostRoom::nodes_in(const ZoneName& zone) const {
  return taken_.in(zone).nodes + placed_.in(zone).nodes;
}

int HostRoom::primaries_in(const ZoneName& zone) const {
  return taken_.in(zone).primaries + placed_.in(zone).primaries;
}

std::string HostRoom::lack(const Host& host, const NodeNeeds& needs) const {
  const std::string& id = host.id.str();
  if (host.cordoned) {
    return id + " is cordoned";
  }
  if (host.absent_since != Instant()) {
    return id + " is out of reach";
  }
  if (nodes_on(host.id) >= int(host.max_nodes)) {
    return fmt::format("{} has its {} nodes", id, host.max_nodes);
  }
  if (needs.front && !host.fronts) {
    return id + " cannot take clients with and without TLS on one port";
  }
  const std::uint64_t used = memory_on(host.id);
  if (host.memory_bytes > 0 && used + needs.memory_bytes > host.memory_bytes) {
    const std::uint64_t left = host.memory_bytes > used ? host.memory_bytes - used : 0;
    return fmt::format("{} has {} of {} left", id, in_words(left), in_words(host.memory_bytes));
  }
  if (host.is_stand_in() || free_address(host, needs)) {
    return "";
  }
  if (needs.network && !has_address_in(host, *needs.network)) {
    return fmt::format("{} has no address in {}", id, needs.network->str());
  }
  return host.shared_addresses ? fmt::format("{} has a node on port {} already", id, needs.port)
                               : id + " has no address left";
}

std::optional<Ipv4> HostRoom::free_address(const Host& host, const NodeNeeds& needs) const {
  for (AddressRange range : host.addresses) {
    if (needs.network) {
      range.first = std::max(range.first, needs.network->at(0));
      range.last = std::min(range.last, needs.network->at(needs.network->size() - 1));
    }
    if (range.last < range.first) {
      continue;
    }
    if (!host.shared_addresses) {
      const auto free = lowest_free(taken_.of_hosts(), placed_.of_hosts(), range.first, range.last);
      if (free) {
        return free;
      }
      continue;
    }
    for (std::uint64_t i = 0; i < range.size(); ++i) {
      const Ipv4 address = range.at(i);
      if (!taken_.is_in_use(address, needs.port) && !placed_.is_in_use(address, needs.port)) {
        return address;
      }
    }
  }
  return std::nullopt;
}

std::optional<Ipv4> HostRoom::free_address(const SubnetId& subnet, Ipv4 first, Ipv4 last) const {
  return lowest_free(taken_.in(subnet), placed_.in(subnet), first, last);
}

std::optional<Cidr> network_of_hosts(const State& state, const Subnet& subnet) {
  for (const auto& [id, host] : state.all<Host>()) {
    if (host.zone == subnet.zone && has_address_in(host, subnet.cidr)) {
      return subnet.cidr;
    }
  }
  return std::nullopt;
}

NodeNeeds needs_of(const CacheCluster& cluster) {
  return NodeNeeds{memory_of_node(cluster),
                   cluster.settings.port,
                   {},
                   effective_settings(cluster).access.takes_both()};
}

std::string in_words(std::uint64_t bytes) {
  constexpr double kMiB = 1024.0 * 1024.0;
  const double mib = double(bytes) / kMiB;
  return mib < 1024 ? fmt::format("{:.0f} MiB", mib) : fmt::format("{:.1f} GiB", mib / 1024);
}

}  // namespace hikae::core
