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
        add(node, memory_of(cluster));
      }
    }
  }
}

void HostRoom::add(const Node& node, std::uint64_t memory_bytes) {
  ++nodes_[node.host];
  memory_[node.host] += memory_bytes;
  taken_.insert(node.address);
}

int HostRoom::nodes_on(const HostId& host) const {
  return of(nodes_, host);
}

std::uint64_t HostRoom::memory_on(const HostId& host) const {
  return of(memory_, host);
}

std::string HostRoom::lack(const Host& host, std::uint64_t memory_bytes) const {
  const std::string& id = host.id.str();
  if (host.cordoned) {
    return id + " is cordoned";
  }
  if (nodes_on(host.id) >= int(host.max_nodes)) {
    return fmt::format("{} has its {} nodes", id, host.max_nodes);
  }
  const std::uint64_t used = memory_on(host.id);
  if (host.memory_bytes > 0 && used + memory_bytes > host.memory_bytes) {
    const std::uint64_t left = host.memory_bytes > used ? host.memory_bytes - used : 0;
    return fmt::format("{} has {} of {} left", id, in_words(left), in_words(host.memory_bytes));
  }
  if (!host.is_stand_in() && !free_address(host)) {
    return id + " has no address left";
  }
  return "";
}

std::optional<Ipv4> HostRoom::free_address(const Host& host) const {
  for (const AddressRange& range : host.addresses) {
    for (std::uint64_t i = 0; i < range.size(); ++i) {
      if (!taken_.contains(range.at(i))) {
        return range.at(i);
      }
    }
  }
  return std::nullopt;
}

std::uint64_t memory_of(const CacheCluster& cluster) {
  const auto* type = find_node_type(effective_settings(cluster).node_type);
  return type == nullptr ? 0 : type->memory_bytes;
}

std::string in_words(std::uint64_t bytes) {
  constexpr double kMiB = 1024.0 * 1024.0;
  const double mib = double(bytes) / kMiB;
  return mib < 1024 ? fmt::format("{:.0f} MiB", mib) : fmt::format("{:.1f} GiB", mib / 1024);
}

}  // namespace hikae::core
