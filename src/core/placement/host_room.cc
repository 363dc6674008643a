#include "core/placement/host_room.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/catalog/catalog.h"

namespace hikae::core {
namespace {

template <class Value>
Value of(const std::map<HostId, Value>& map, const HostId& host) {
  const auto it = map.find(host);
  return it == map.end() ? Value{} : it->second;
}

bool has_address_in(const Host& host, const Cidr& network) {
  const AddressRange whole{network.at(0), network.at(network.size() - 1)};
  return std::any_of(host.addresses.begin(), host.addresses.end(),
                     [&](const AddressRange& range) { return range.overlaps(whole); });
}

}  // namespace

HostRoom::HostRoom(const State& state) {
  for (const auto& [id, cluster] : state.all<CacheCluster>()) {
    for (const Node& node : cluster.nodes) {
      if (!node.host.empty()) {
        add(node.host, node.address, needs_of(cluster));
      }
      if (node.move.under_way()) {
        add(node.move.host, node.move.address, needs_of(cluster));
      }
    }
  }
}

void HostRoom::add(const HostId& host, Ipv4 address, const NodeNeeds& needs) {
  ++nodes_[host];
  memory_[host] += needs.memory_bytes;
  taken_[address].insert(needs.port);
}

int HostRoom::nodes_on(const HostId& host) const {
  return of(nodes_, host);
}

std::uint64_t HostRoom::memory_on(const HostId& host) const {
  return of(memory_, host);
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
  for (const AddressRange& range : host.addresses) {
    for (std::uint64_t i = 0; i < range.size(); ++i) {
      const Ipv4 address = range.at(i);
      const auto taken = taken_.find(address);
      const bool free =
          taken == taken_.end() || (host.shared_addresses && !taken->second.contains(needs.port));
      if (free && (!needs.network || needs.network->contains(address))) {
        return address;
      }
    }
  }
  return std::nullopt;
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
  const CacheSettings settings = effective_settings(cluster);
  const auto* type = find_node_type(settings.node_type);
  return NodeNeeds{type == nullptr ? 0 : type->memory_bytes,
                   cluster.settings.port,
                   {},
                   settings.access.takes_both()};
}

std::string in_words(std::uint64_t bytes) {
  constexpr double kMiB = 1024.0 * 1024.0;
  const double mib = double(bytes) / kMiB;
  return mib < 1024 ? fmt::format("{:.0f} MiB", mib) : fmt::format("{:.1f} GiB", mib / 1024);
}

}  // namespace hikae::core
