#pragma once

#include <optional>
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

// Who has room for one more node: what the region's nodes take of its hosts, and besides those that
// are being placed now.
class HostRoom {
 public:
  // Valid as long as the state does not change.
  explicit HostRoom(const State& state) : taken_(state.occupancy()) {}

  // A node that is placed now.
  void add(const Node& node, bool leads, const NodeNeeds& needs);

  int nodes_on(const HostId& host) const;
  std::uint64_t memory_on(const HostId& host) const;
  int nodes_in(const ZoneName& zone) const;
  int primaries_in(const ZoneName& zone) const;
  // Why the host cannot take one more such node, `h1 is cordoned`; empty: it can.
  std::string lack(const Host& host, const NodeNeeds& needs) const;
  // The lowest address of the host's own, in the network that is needed, that no node has, or,
  // where nodes share them, on which no node has that port. A stand-in has none of its own.
  std::optional<Ipv4> free_address(const Host& host, const NodeNeeds& needs) const;
  // The lowest one from `first` to `last` of those that the VPC shows and no node has.
  std::optional<Ipv4> free_address(const SubnetId& subnet, Ipv4 first, Ipv4 last) const;

 private:
  const Occupancy& taken_;
  Occupancy placed_;
};

// `3.2 GiB`.
std::string in_words(std::uint64_t bytes);

}  // namespace hikae::core
