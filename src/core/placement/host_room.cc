#include "core/placement/host_room.h"

#include <fmt/format.h>

#include "core/catalog/catalog.h"

namespace hikae::core {
namespace {

template <class Value>
Value of(const std::map<HostId, Value>& map, const HostId& host) {
  const auto it = map.find(host);
  return it == map.end() ? Value{} : it->second;
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
  const std::uint64_t used = memory_on(host.id);
  if (host.memory_bytes > 0 && used + needs.memory_bytes > host.memory_bytes) {
    const std::uint64_t left = host.memory_bytes > used ? host.memory_bytes - used : 0;
    return fmt::format("{} has {} of {} left", id, in_words(left), in_words(host.memory_bytes));
  }
  if (!host.is_stand_in() && !free_address(host, needs.port)) {
    return host.shared_addresses ? fmt::format("{} has a node on port {} already", id, needs.port)
                                 : id + " has no address left";
  }
  return "";
}

std::optional<Ipv4> HostRoom::free_address(const Host& host, std::uint16_t port) const {
  for (const AddressRange& range : host.addresses) {
    for (std::uint64_t i = 0; i < range.size(); ++i) {
      const auto taken = taken_.find(range.at(i));
      const bool shared = host.shared_addresses && taken != taken_.end();
      if (taken == taken_.end() || (shared && !taken->second.contains(port))) {
        return range.at(i);
      }
    }
  }
  return std::nullopt;
}

NodeNeeds needs_of(const CacheCluster& cluster) {
  const auto* type = find_node_type(effective_settings(cluster).node_type);
  return NodeNeeds{type == nullptr ? 0 : type->memory_bytes, cluster.settings.port};
}

std::string in_words(std::uint64_t bytes) {
  constexpr double kMiB = 1024.0 * 1024.0;
  const double mib = double(bytes) / kMiB;
  return mib < 1024 ? fmt::format("{:.0f} MiB", mib) : fmt::format("{:.1f} GiB", mib / 1024);
}

}  // namespace hikae::core
