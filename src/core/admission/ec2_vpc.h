#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/admission/ec2_common.h"

namespace hikae::core {

// The n-th VPC is reachable as 127.(64+n), so the loopback network bounds their number.
inline constexpr std::uint32_t kMaxVpcs = 180;

struct CreateVpc {
  std::string cidr;  // /16 to /28; bits behind the prefix are cleared
  std::string instance_tenancy = "default";
  bool ipv6 = false;  // an IPv6 block is asked for; not offered
  Tags tags;
};

// The VPC comes with its default security group, main route table and default network ACL.
Admitted<Made<Vpc>> create_vpc(const State& state, const CreateVpc& command,
                               AdmissionContext context);

// 172.31.0.0/16 with a /20 subnet in every zone and an attached internet gateway. Refused when the
// region has a default VPC.
Admitted<Made<Vpc>> create_default_vpc(const State& state, AdmissionContext context);

// What create_default_vpc makes, without a look at the state: for the first start.
Made<Vpc> make_default_vpc(const std::vector<ZoneName>& zones, std::uint32_t ordinal,
                           AdmissionContext context);

// Takes what create_vpc made along; refused while anything else is in the VPC.
Admitted<Transition> delete_vpc(const State& state, const VpcId& id);

// Exactly one attribute is set (AWS changes one at a time).
struct ModifyVpcAttribute {
  VpcId vpc;
  std::optional<bool> dns_support;
  std::optional<bool> dns_hostnames;
  std::optional<bool> address_usage_metrics;
};
Admitted<Transition> modify_vpc_attribute(const State& state, const ModifyVpcAttribute& command);

}  // namespace hikae::core
