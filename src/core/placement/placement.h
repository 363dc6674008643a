#pragma once

#include <string>
#include <vector>

#include "base/address.h"
#include "core/admission/admission.h"
#include "core/state/state.h"

namespace hikae::core {

// One node that needs a place.
struct PlacementWish {
  NodeKey node;
  ZoneName preferred_zone;  // empty: any zone of the subnet group
  bool primary = false;
};

struct PlacementRequest {
  SubnetGroupName subnet_group;
  ReplicationGroupId group;           // empty for a standalone node
  std::vector<PlacementWish> wishes;  // in member order; zones are given out in this order
};

struct PlacedNode {
  NodeKey node;
  HostId host;
  ZoneName zone;
  SubnetId subnet;
  Ipv4 vpc_address;
  Ipv4 address;        // of the host's own; on a stand-in the loopback one of the VPC's
  std::string reason;  // one line: why this zone and this host
};

// Zones of a subnet group in which at least one host stands, in name order.
std::vector<ZoneName> usable_zones(const State& state, const SubnetGroup& group);

// Gives every wish a zone, a host and an address, or refuses all with the reason.
//
// Hard rules: the zone has a subnet in the group and a host with room (nodes, memory, addresses)
// that is not cordoned; a preferred zone is honoured; no address is used twice. A refusal says what
// would be needed. Ranking: the zone with the fewest members of this group, for
// a primary the zone with the fewest primaries, then the fewest nodes, then the name; within a zone
// the host with the fewest members of this group, then the fewest nodes, then the id.
Admitted<std::vector<PlacedNode>> place(const State& state, const PlacementRequest& request);

// Where an address of a VPC is reachable on one machine: a.b.y.z of the n-th VPC is 127.(64+n).y.z.
Ipv4 reachable_address(const Vpc& vpc, Ipv4 vpc_address);

}  // namespace hikae::core
