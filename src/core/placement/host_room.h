#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "core/state/state.h"

namespace hikae::core {

// What a node takes of its host.
struct NodeNeeds {
  std::uint64_t memory_bytes = 0;  // by its type
  std::uint16_t port = 0;
  std::optional<Cidr> network = std::nullopt;  // in which its address has to be
  bool front = false;                          // it takes clients with and without TLS on one port
};
NodeNeeds needs_of(const CacheCluster& cluster);

// The subnet's own network, if it is one of the hosts' of its zone: some of them have addresses in
// it, and its nodes get those alone. Otherwise nothing: the subnet is a name, and its nodes get any
// address of their host.
std::optional<Cidr> network_of_hosts(const State& state, const Subnet& subnet);

// What the nodes of the region take of its hosts, and who has room for one more. A node on its way
// to another host counts on both.
class HostRoom {
 public:
  explicit HostRoom(const State& state);

  // A node that is placed now.
  void add(const HostId& host, Ipv4 address, const NodeNeeds& needs);

  int nodes_on(const HostId& host) const;
  std::uint64_t memory_on(const HostId& host) const;
  // Why the host cannot take one more such node, `h1 is cordoned`; empty: it can.
  std::string lack(const Host& host, const NodeNeeds& needs) const;
  // The lowest address of the host's own, in the network that is needed, that no node has, or,
  // where nodes share them, on which no node has that port. A stand-in has none of its own.
  std::optional<Ipv4> free_address(const Host& host, const NodeNeeds& needs) const;

 private:
  std::map<HostId, int> nodes_;
  std::map<HostId, std::uint64_t> memory_;
  std::map<Ipv4, std::set<std::uint16_t>> taken_;  // ports
};

// `3.2 GiB`.
std::string in_words(std::uint64_t bytes);

}  // namespace hikae::core
