#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "core/state/state.h"

namespace hikae::core {

// What the nodes of the region take of its hosts, and who has room for one more.
class HostRoom {
 public:
  explicit HostRoom(const State& state);

  // A node that is placed now.
  void add(const Node& node, std::uint64_t memory_bytes);

  int nodes_on(const HostId& host) const;
  std::uint64_t memory_on(const HostId& host) const;
  // Why the host cannot take one more node of that size, `h1 is cordoned`; empty: it can.
  std::string lack(const Host& host, std::uint64_t memory_bytes) const;
  // The lowest address of the host's own that no node has; a stand-in has none of its own.
  std::optional<Ipv4> free_address(const Host& host) const;

 private:
  std::map<HostId, int> nodes_;
  std::map<HostId, std::uint64_t> memory_;
  std::set<Ipv4> taken_;
};

// The memory that a node of the cluster may use, by its type.
std::uint64_t memory_of(const CacheCluster& cluster);

// `3.2 GiB`.
std::string in_words(std::uint64_t bytes);

}  // namespace hikae::core
