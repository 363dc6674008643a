#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "base/address.h"
#include "core/resource/cache_cluster.h"
#include "core/resource/ids.h"

namespace hikae::core {

// Addresses in use, each as often as it was added. Finds a free one without a look at every one
// that is in use.
class AddressesInUse {
 public:
  void add(Ipv4 address);
  void remove(Ipv4 address);  // that was added
  bool contains(Ipv4 address) const { return uses_.contains(address.bits()); }
  // The lowest one from `first` to `last` that is not in use.
  std::optional<Ipv4> lowest_free(Ipv4 first, Ipv4 last) const;
  bool empty() const { return uses_.empty(); }
  friend bool operator==(const AddressesInUse&, const AddressesInUse&) = default;

 private:
  std::map<std::uint32_t, int> uses_;
  std::map<std::uint32_t, std::uint32_t> runs_;  // first and last address without a gap between
};

// What the placed nodes take of the hosts, zones and subnets. It follows from the clusters and
// groups alone, and is kept up with every change, so that a placement need not look at all nodes
// of the region. A node on its way to another host counts on both hosts.
class Occupancy {
 public:
  struct OnHost {
    int nodes = 0;
    std::uint64_t memory_bytes = 0;          // by the types of the nodes
    std::map<CacheClusterId, int> clusters;  // and how many nodes of each
    friend bool operator==(const OnHost&, const OnHost&) = default;
  };
  struct InZone {
    int nodes = 0;
    int primaries = 0;
    friend bool operator==(const InZone&, const InZone&) = default;
  };

  // `leads`: it takes writes, as its group says or because it is in none.
  void add(const CacheCluster& cluster, bool leads) { count(cluster, leads, 1); }
  // Takes back an add() with the same arguments.
  void remove(const CacheCluster& cluster, bool leads) { count(cluster, leads, -1); }
  // One node that is being placed, and belongs to no cluster yet.
  void add_node(const Node& node, bool leads, std::uint64_t memory_bytes, std::uint16_t port);

  // Of nodes without a place: those of the empty id.
  const OnHost& on(const HostId& host) const;
  const InZone& in(const ZoneName& zone) const;
  // What a VPC shows of the subnet's nodes.
  const AddressesInUse& in(const SubnetId& subnet) const;
  // Addresses of hosts, and the ports of those that nodes share.
  const AddressesInUse& of_hosts() const { return of_hosts_; }
  bool is_in_use(Ipv4 address, std::uint16_t port) const;
  // Nodes on their way to another host.
  int moving() const { return moving_; }

  friend bool operator==(const Occupancy&, const Occupancy&) = default;

 private:
  void count(const CacheCluster& cluster, bool leads, int by);
  void count_place(const HostId& host, Ipv4 address, std::uint64_t memory_bytes, std::uint16_t port,
                   int by);
  void count_node(const Node& node, bool leads, int by);
  void count_cluster(const HostId& host, const CacheClusterId& cluster, int by);

  std::map<HostId, OnHost> hosts_;
  std::map<ZoneName, InZone> zones_;
  std::map<SubnetId, AddressesInUse> subnets_;
  AddressesInUse of_hosts_;
  std::map<std::pair<Ipv4, std::uint16_t>, int> ports_;
  int moving_ = 0;
};

// By its type, as it is to run now.
std::uint64_t memory_of_node(const CacheCluster& cluster);

}  // namespace hikae::core
