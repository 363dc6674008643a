#include "core/admission/ec2_vpc.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

namespace hikae::core {
namespace {

constexpr int kShortestPrefix = 16;
constexpr int kLongestPrefix = 28;
constexpr int kDefaultSubnetPrefix = 20;

Cidr make_cidr(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d, int length) {
  const std::uint32_t bits =
      std::uint32_t(a) << 24 | std::uint32_t(b) << 16 | std::uint32_t(c) << 8 | std::uint32_t(d);
  return Cidr{Ipv4(bits), length};
}

// "This network", loopback, link local, multicast and above never belong to a VPC.
bool is_reserved(const Cidr& cidr) {
  const std::array<Cidr, 4> reserved = {make_cidr(0, 0, 0, 0, 8), make_cidr(127, 0, 0, 0, 8),
                                        make_cidr(169, 254, 0, 0, 16), make_cidr(224, 0, 0, 0, 3)};
  return std::any_of(reserved.begin(), reserved.end(),
                     [&](const Cidr& other) { return other.overlaps(cidr); });
}

// nullopt when all numbers are taken.
std::optional<std::uint32_t> free_ordinal(const State& state) {
  std::set<std::uint32_t> taken;
  for (const auto& [id, vpc] : state.all<Vpc>()) {
    taken.insert(vpc.ordinal);
  }
  for (std::uint32_t n = 0; n < kMaxVpcs; ++n) {
    if (!taken.contains(n)) {
      return n;
    }
  }
  return std::nullopt;
}

tl::unexpected<Fault> too_many_vpcs() {
  return refuse("VpcLimitExceeded", "The maximum number of VPCs has been reached.");
}

SecurityGroupRule all_traffic(bool egress, AdmissionContext context) {
  SecurityGroupRule rule;
  rule.id = new_ec2_id<SecurityGroupRuleId>("sgr-", context);
  rule.egress = egress;
  return rule;
}

// Adds the VPC and what every VPC is born with.
void add_vpc(Transition& transition, const Vpc& vpc, AdmissionContext context) {
  SecurityGroup group;
  group.id = new_ec2_id<SecurityGroupId>("sg-", context);
  group.vpc = vpc.id;
  group.name = "default";
  group.description = "default VPC security group";
  SecurityGroupRule from_itself = all_traffic(false, context);
  from_itself.peer_group = group.id;
  SecurityGroupRule to_all = all_traffic(true, context);
  to_all.cidr_ipv4 = "0.0.0.0/0";
  group.rules = {from_itself, to_all};

  RouteTable table;
  table.id = new_ec2_id<RouteTableId>("rtb-", context);
  table.vpc = vpc.id;
  table.main = true;

  NetworkAcl acl;
  acl.id = new_ec2_id<NetworkAclId>("acl-", context);
  acl.vpc = vpc.id;

  transition.put(vpc);
  transition.put(std::move(group));
  transition.put(std::move(table));
  transition.put(std::move(acl));
}

// True when something of the customer's own is still in the VPC.
bool has_dependents(const State& state, const VpcId& id) {
  const auto in_vpc = [&](const auto& entry) { return entry.second.vpc == id; };
  const auto& subnets = state.all<Subnet>();
  const auto& groups = state.all<SecurityGroup>();
  const auto& tables = state.all<RouteTable>();
  const auto& gateways = state.all<InternetGateway>();
  const auto& subnet_groups = state.all<SubnetGroup>();
  return std::any_of(subnets.begin(), subnets.end(), in_vpc) ||
         std::any_of(gateways.begin(), gateways.end(), in_vpc) ||
         std::any_of(subnet_groups.begin(), subnet_groups.end(), in_vpc) ||
         std::any_of(groups.begin(), groups.end(),
                     [&](const auto& e) { return in_vpc(e) && e.second.name != "default"; }) ||
         std::any_of(tables.begin(), tables.end(),
                     [&](const auto& e) { return in_vpc(e) && !e.second.main; });
}

template <class T>
void remove_of_vpc(const State& state, const VpcId& id, Transition& transition) {
  for (const auto& [key, value] : state.all<T>()) {
    if (value.vpc == id) {
      transition.remove<T>(key);
    }
  }
}

}  // namespace

Admitted<Made<Vpc>> create_vpc(const State& state, const CreateVpc& command,
                               AdmissionContext context) {
  const auto cidr = Cidr::parse(command.cidr);
  if (!cidr) {
    return refuse("InvalidParameterValue",
                  fmt::format("Value ({}) for parameter cidrBlock is invalid. This is not a valid "
                              "CIDR block.",
                              command.cidr));
  }
  if (cidr->prefix_length < kShortestPrefix || cidr->prefix_length > kLongestPrefix ||
      is_reserved(*cidr)) {
    return refuse("InvalidVpc.Range", fmt::format("The CIDR '{}' is invalid.", command.cidr));
  }
  if (command.ipv6) {
    return refuse("UnsupportedOperation", "IPv6 CIDR blocks are not available in this region.");
  }
  if (command.instance_tenancy != "default" && command.instance_tenancy != "dedicated") {
    return refuse("InvalidParameterValue",
                  fmt::format("Value ({}) for parameter instanceTenancy is invalid.",
                              command.instance_tenancy));
  }
  if (auto checked = check_ec2_tags(command.tags); !checked) {
    return tl::unexpected(checked.error());
  }
  const auto ordinal = free_ordinal(state);
  if (!ordinal) {
    return too_many_vpcs();
  }
  Vpc vpc;
  vpc.id = new_ec2_id<VpcId>("vpc-", context);
  vpc.cidr = *cidr;
  vpc.ordinal = *ordinal;
  vpc.instance_tenancy = command.instance_tenancy;
  vpc.tags = command.tags;
  Made<Vpc> made{vpc, {}};
  add_vpc(made.transition, vpc, context);
  return made;
}

Made<Vpc> make_default_vpc(const std::vector<ZoneName>& zones, std::uint32_t ordinal,
                           AdmissionContext context) {
  Vpc vpc;
  vpc.id = new_ec2_id<VpcId>("vpc-", context);
  vpc.cidr = make_cidr(172, 31, 0, 0, kShortestPrefix);
  vpc.ordinal = ordinal;
  vpc.is_default = true;
  vpc.dns_hostnames = true;
  Made<Vpc> made{vpc, {}};
  add_vpc(made.transition, vpc, context);

  std::uint64_t offset = 0;
  for (const ZoneName& zone : zones) {
    Subnet subnet;
    subnet.id = new_ec2_id<SubnetId>("subnet-", context);
    subnet.vpc = vpc.id;
    subnet.cidr = Cidr{vpc.cidr.at(offset), kDefaultSubnetPrefix};
    subnet.zone = zone;
    subnet.default_for_az = true;
    subnet.map_public_ip_on_launch = true;
    offset += subnet.cidr.size();
    made.transition.put(std::move(subnet));
  }

  InternetGateway gateway;
  gateway.id = new_ec2_id<InternetGatewayId>("igw-", context);
  gateway.vpc = vpc.id;
  made.transition.put(std::move(gateway));
  return made;
}

Admitted<Made<Vpc>> create_default_vpc(const State& state, AdmissionContext context) {
  if (const Vpc* existing = find_default_vpc(state)) {
    return refuse("DefaultVpcAlreadyExists",
                  fmt::format("A Default VPC already exists for this account in this region: {}",
                              existing->id.str()));
  }
  const auto ordinal = free_ordinal(state);
  if (!ordinal) {
    return too_many_vpcs();
  }
  return make_default_vpc(state.region().zones, *ordinal, context);
}

Admitted<Transition> delete_vpc(const State& state, const VpcId& id) {
  const auto vpc = require_vpc(state, id);
  if (!vpc) {
    return tl::unexpected(vpc.error());
  }
  if (has_dependents(state, id)) {
    return refuse("DependencyViolation",
                  fmt::format("The vpc '{}' has dependencies and cannot be deleted.", id.str()));
  }
  Transition transition;
  remove_of_vpc<SecurityGroup>(state, id, transition);
  remove_of_vpc<RouteTable>(state, id, transition);
  remove_of_vpc<NetworkAcl>(state, id, transition);
  transition.remove<Vpc>(id);
  return transition;
}

Admitted<Transition> modify_vpc_attribute(const State& state, const ModifyVpcAttribute& command) {
  const auto found = require_vpc(state, command.vpc);
  if (!found) {
    return tl::unexpected(found.error());
  }
  const int given = int(command.dns_support.has_value()) + int(command.dns_hostnames.has_value()) +
                    int(command.address_usage_metrics.has_value());
  if (given == 0) {
    return refuse("MissingParameter", "The request must contain the attribute to be modified");
  }
  if (given > 1) {
    return refuse("InvalidParameterCombination",
                  "Fields for multiple attribute types specified; modify one attribute at a time");
  }
  Vpc vpc = **found;
  vpc.dns_support = command.dns_support.value_or(vpc.dns_support);
  vpc.dns_hostnames = command.dns_hostnames.value_or(vpc.dns_hostnames);
  vpc.address_usage_metrics = command.address_usage_metrics.value_or(vpc.address_usage_metrics);
  Transition transition;
  transition.put(std::move(vpc));
  return transition;
}

}  // namespace hikae::core
