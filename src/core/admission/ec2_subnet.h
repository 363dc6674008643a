#pragma once

#include <optional>
#include <string>

#include "core/admission/ec2_common.h"

namespace hikae::core {

inline constexpr std::size_t kMaxSubnetsPerVpc = 200;  // AWS's default quota
// The first four addresses and the last one of a subnet belong to AWS.
inline constexpr std::uint64_t kReservedAddresses = 5;

struct CreateSubnet {
  VpcId vpc;
  std::string cidr;     // /16 to /28; bits behind the prefix are cleared
  std::string zone;     // name; empty: the zone in which the VPC has the fewest subnets
  std::string zone_id;  // the other way to name the zone
  bool ipv6 = false;    // an IPv6 block is asked for; not offered
  Tags tags;
};
Admitted<Made<Subnet>> create_subnet(const State& state, const CreateSubnet& command,
                                     AdmissionContext context);

// Refused while a node is in the subnet or a cache subnet group names it.
Admitted<Transition> delete_subnet(const State& state, const SubnetId& id);

struct ModifySubnetAttribute {
  SubnetId subnet;
  std::optional<bool> map_public_ip_on_launch;
  bool ipv6 = false;  // an attribute of IPv6 shall be switched on; not offered
};
Admitted<Transition> modify_subnet_attribute(const State& state,
                                             const ModifySubnetAttribute& command);

}  // namespace hikae::core
