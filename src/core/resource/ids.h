#pragma once

#include <compare>
#include <string>

#include "base/strong.h"

namespace hikae::core {

// EC2 names of things, `vpc-` and 17 hexadecimal digits.
using VpcId = StrongId<struct VpcIdTag>;
using SubnetId = StrongId<struct SubnetIdTag>;
using SecurityGroupId = StrongId<struct SecurityGroupIdTag>;
using SecurityGroupRuleId = StrongId<struct SecurityGroupRuleIdTag>;
using RouteTableId = StrongId<struct RouteTableIdTag>;
using InternetGatewayId = StrongId<struct InternetGatewayIdTag>;
using NetworkAclId = StrongId<struct NetworkAclIdTag>;
using NetworkInterfaceId = StrongId<struct NetworkInterfaceIdTag>;

// ElastiCache names, always lower case (the API looks them up without regard to case).
using SubnetGroupName = StrongId<struct SubnetGroupNameTag>;
using ParameterGroupName = StrongId<struct ParameterGroupNameTag>;
using ReplicationGroupId = StrongId<struct ReplicationGroupIdTag>;
using CacheClusterId = StrongId<struct CacheClusterIdTag>;
using NodeGroupId = StrongId<struct NodeGroupIdTag>;  // `0001`
using SnapshotName = StrongId<struct SnapshotNameTag>;
using UserId = StrongId<struct UserIdTag>;
using UserGroupId = StrongId<struct UserGroupIdTag>;
using ServiceUpdateName = StrongId<struct ServiceUpdateNameTag>;  // `valkey-8.0.2`
using UpdateActionId = StrongId<struct UpdateActionIdTag>;
using NodeId = StrongId<struct NodeIdTag>;  // `0001`; Redis and Valkey have just this one

using ZoneName = StrongId<struct ZoneNameTag>;  // `ap-northeast-1b`
using HostId = StrongId<struct HostIdTag>;
using JoinTokenId = StrongId<struct JoinTokenIdTag>;

// The state's version: grows by one with every transition.
using Revision = StrongNumber<struct RevisionTag>;
// A node group's promotion counter: grows by one whenever another node becomes primary.
using Epoch = StrongNumber<struct EpochTag>;

// One engine process of the region.
struct NodeKey {
  CacheClusterId cluster;
  NodeId node;
  std::string str() const { return cluster.str() + "/" + node.str(); }
  friend auto operator<=>(const NodeKey&, const NodeKey&) = default;
  friend bool operator==(const NodeKey&, const NodeKey&) = default;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("cluster", s.cluster);
    v("node", s.node);
  }
};

}  // namespace hikae::core
