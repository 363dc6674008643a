#include "core/admission/ec2_gateway.h"

#include <algorithm>

#include <fmt/format.h>

namespace hikae::core {

Admitted<Made<InternetGateway>> create_internet_gateway(const State& state, const Tags& tags,
                                                        AdmissionContext context) {
  if (auto checked = check_ec2_tags(tags); !checked) {
    return tl::unexpected(checked.error());
  }
  if (state.all<InternetGateway>().size() >= kMaxInternetGateways) {
    return refuse("InternetGatewayLimitExceeded",
                  "The maximum number of internet gateways has been reached.");
  }
  InternetGateway gateway;
  gateway.id = new_ec2_id<InternetGatewayId>("igw-", context);
  gateway.tags = tags;
  Made<InternetGateway> made{std::move(gateway), {}};
  made.transition.put(made.value);
  return made;
}

Admitted<Transition> attach_internet_gateway(const State& state, const InternetGatewayId& id,
                                             const VpcId& vpc) {
  const auto found = require_internet_gateway(state, id);
  if (!found) {
    return tl::unexpected(found.error());
  }
  if (auto exists = require_vpc(state, vpc); !exists) {
    return tl::unexpected(exists.error());
  }
  if (!(*found)->vpc.empty()) {
    return refuse("Resource.AlreadyAssociated",
                  fmt::format("resource {} is already attached to network {}", id.str(),
                              (*found)->vpc.str()));
  }
  for (const auto& [other, gateway] : state.all<InternetGateway>()) {
    if (gateway.vpc == vpc) {
      return refuse("InvalidParameterValue",
                    fmt::format("Network {} already has an internet gateway attached", vpc.str()));
    }
  }
  InternetGateway gateway = **found;
  gateway.vpc = vpc;
  Transition transition;
  transition.put(std::move(gateway));
  return transition;
}

Admitted<Transition> detach_internet_gateway(const State& state, const InternetGatewayId& id,
                                             const VpcId& vpc) {
  const auto found = require_internet_gateway(state, id);
  if (!found) {
    return tl::unexpected(found.error());
  }
  if (auto exists = require_vpc(state, vpc); !exists) {
    return tl::unexpected(exists.error());
  }
  if ((*found)->vpc != vpc) {
    return refuse("Gateway.NotAttached",
                  fmt::format("resource {} is not attached to network {}", id.str(), vpc.str()));
  }
  InternetGateway gateway = **found;
  gateway.vpc = VpcId();
  Transition transition;
  transition.put(std::move(gateway));
  return transition;
}

Admitted<Transition> delete_internet_gateway(const State& state, const InternetGatewayId& id) {
  const auto found = require_internet_gateway(state, id);
  if (!found) {
    return tl::unexpected(found.error());
  }
  if (!(*found)->vpc.empty()) {
    return refuse(
        "DependencyViolation",
        fmt::format("The internetGateway '{}' has dependencies and cannot be deleted.", id.str()));
  }
  Transition transition;
  transition.remove<InternetGateway>(id);
  return transition;
}

Admitted<Made<RouteTable>> create_route_table(const State& state, const VpcId& vpc,
                                              const Tags& tags, AdmissionContext context) {
  if (auto exists = require_vpc(state, vpc); !exists) {
    return tl::unexpected(exists.error());
  }
  if (auto checked = check_ec2_tags(tags); !checked) {
    return tl::unexpected(checked.error());
  }
  const auto& tables = state.all<RouteTable>();
  const auto in_vpc = std::count_if(tables.begin(), tables.end(),
                                    [&](const auto& entry) { return entry.second.vpc == vpc; });
  if (std::size_t(in_vpc) >= kMaxRouteTablesPerVpc) {
    return refuse("RouteTableLimitExceeded",
                  fmt::format("The maximum number of route tables for VPC '{}' has been reached.",
                              vpc.str()));
  }
  RouteTable table;
  table.id = new_ec2_id<RouteTableId>("rtb-", context);
  table.vpc = vpc;
  table.tags = tags;
  Made<RouteTable> made{std::move(table), {}};
  made.transition.put(made.value);
  return made;
}

Admitted<Transition> delete_route_table(const State& state, const RouteTableId& id) {
  const auto found = require_route_table(state, id);
  if (!found) {
    return tl::unexpected(found.error());
  }
  if ((*found)->main) {
    return refuse(
        "DependencyViolation",
        fmt::format("The routeTable '{}' has dependencies and cannot be deleted.", id.str()));
  }
  Transition transition;
  transition.remove<RouteTable>(id);
  return transition;
}

}  // namespace hikae::core
