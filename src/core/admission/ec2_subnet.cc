#include "core/admission/ec2_subnet.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/catalog/region_codes.h"

namespace hikae::core {
namespace {

constexpr int kShortestPrefix = 16;
constexpr int kLongestPrefix = 28;

tl::unexpected<Fault> unsupported_ipv6() {
  return refuse("UnsupportedOperation", "IPv6 CIDR blocks are not available in this region.");
}

tl::unexpected<Fault> invalid_zone(const Region& region, std::string_view parameter,
                                   const std::string& value) {
  std::string valid;
  for (const ZoneName& zone : region.zones) {
    valid += valid.empty() ? "" : ", ";
    valid += zone.str();
  }
  return refuse("InvalidParameterValue",
                fmt::format("Value ({}) for parameter {} is invalid. Subnets can currently only be "
                            "created in the following availability zones: {}.",
                            value, parameter, valid));
}

// Spreads the subnets of clients that name no zone.
ZoneName emptiest_zone(const State& state, const VpcId& vpc) {
  const Region& region = state.region();
  std::map<ZoneName, std::size_t> counts;
  for (const auto& [id, subnet] : state.all<Subnet>()) {
    counts[subnet.zone] += subnet.vpc == vpc ? 1 : 0;
  }
  return *std::min_element(
      region.zones.begin(), region.zones.end(),
      [&](const ZoneName& a, const ZoneName& b) { return counts[a] < counts[b]; });
}

Admitted<ZoneName> choose_zone(const State& state, const CreateSubnet& command) {
  const Region& region = state.region();
  if (command.zone.empty() && command.zone_id.empty()) {
    return emptiest_zone(state, command.vpc);
  }
  for (const ZoneName& zone : region.zones) {
    const bool name_fits = command.zone.empty() || command.zone == zone.str();
    const bool id_fits =
        command.zone_id.empty() || command.zone_id == zone_id(region.name, zone.str());
    if (name_fits && id_fits) {
      return zone;
    }
  }
  if (command.zone.empty()) {
    return invalid_zone(region, "availabilityZoneId", command.zone_id);
  }
  return invalid_zone(region, "availabilityZone", command.zone);
}

Admitted<Cidr> choose_cidr(const State& state, const Vpc& vpc, const std::string& text) {
  const auto cidr = Cidr::parse(text);
  if (!cidr) {
    return refuse("InvalidParameterValue",
                  fmt::format("Value ({}) for parameter cidrBlock is invalid. This is not a valid "
                              "CIDR block.",
                              text));
  }
  if (cidr->prefix_length < kShortestPrefix || cidr->prefix_length > kLongestPrefix ||
      !vpc.cidr.contains(*cidr)) {
    return refuse("InvalidSubnet.Range", fmt::format("The CIDR '{}' is invalid.", text));
  }
  std::size_t in_vpc = 0;
  for (const auto& [id, subnet] : state.all<Subnet>()) {
    if (subnet.vpc != vpc.id) {
      continue;
    }
    ++in_vpc;
    if (subnet.cidr.overlaps(*cidr)) {
      return refuse("InvalidSubnet.Conflict",
                    fmt::format("The CIDR '{}' conflicts with another subnet", text));
    }
  }
  if (in_vpc >= kMaxSubnetsPerVpc) {
    return refuse(
        "SubnetLimitExceeded",
        fmt::format("The maximum number of subnets for VPC '{}' has been reached.", vpc.id.str()));
  }
  return *cidr;
}

}  // namespace

Admitted<Made<Subnet>> create_subnet(const State& state, const CreateSubnet& command,
                                     AdmissionContext context) {
  const auto vpc = require_vpc(state, command.vpc);
  if (!vpc) {
    return tl::unexpected(vpc.error());
  }
  if (command.ipv6) {
    return unsupported_ipv6();
  }
  if (command.cidr.empty()) {
    return refuse("MissingParameter", "The request must contain the parameter cidrBlock");
  }
  const auto zone = choose_zone(state, command);
  if (!zone) {
    return tl::unexpected(zone.error());
  }
  const auto cidr = choose_cidr(state, **vpc, command.cidr);
  if (!cidr) {
    return tl::unexpected(cidr.error());
  }
  if (auto checked = check_ec2_tags(command.tags); !checked) {
    return tl::unexpected(checked.error());
  }
  Subnet subnet;
  subnet.id = new_ec2_id<SubnetId>("subnet-", context);
  subnet.vpc = command.vpc;
  subnet.cidr = *cidr;
  subnet.zone = *zone;
  subnet.tags = command.tags;
  Made<Subnet> made{std::move(subnet), {}};
  made.transition.put(made.value);
  return made;
}

Admitted<Transition> delete_subnet(const State& state, const SubnetId& id) {
  const auto found = require_subnet(state, id);
  if (!found) {
    return tl::unexpected(found.error());
  }
  if (count_nodes_by_subnet(state).contains(id)) {
    return refuse("DependencyViolation",
                  fmt::format("The subnet '{}' has dependencies and cannot be deleted.", id.str()));
  }
  for (const auto& [name, group] : state.all<SubnetGroup>()) {
    if (std::find(group.subnets.begin(), group.subnets.end(), id) != group.subnets.end()) {
      return refuse("DependencyViolation",
                    fmt::format("The subnet '{}' has dependencies and cannot be deleted: the cache "
                                "subnet group '{}' contains it.",
                                id.str(), name.str()));
    }
  }
  Transition transition;
  transition.remove<Subnet>(id);
  return transition;
}

Admitted<Transition> modify_subnet_attribute(const State& state,
                                             const ModifySubnetAttribute& command) {
  const auto found = require_subnet(state, command.subnet);
  if (!found) {
    return tl::unexpected(found.error());
  }
  if (command.ipv6) {
    return unsupported_ipv6();
  }
  Transition transition;
  if (command.map_public_ip_on_launch) {
    Subnet subnet = **found;
    subnet.map_public_ip_on_launch = *command.map_public_ip_on_launch;
    transition.put(std::move(subnet));
  }
  return transition;
}

}  // namespace hikae::core
