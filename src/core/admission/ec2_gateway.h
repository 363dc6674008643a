#pragma once

#include "core/admission/ec2_common.h"

// Internet gateways and route tables. Nodes never use either; clients that build a VPC do.

namespace hikae::core {

inline constexpr std::size_t kMaxInternetGateways = 200;
inline constexpr std::size_t kMaxRouteTablesPerVpc = 200;  // AWS's default quota

Admitted<Made<InternetGateway>> create_internet_gateway(const State& state, const Tags& tags,
                                                        AdmissionContext context);

// A gateway is attached to one VPC, a VPC has one gateway.
Admitted<Transition> attach_internet_gateway(const State& state, const InternetGatewayId& id,
                                             const VpcId& vpc);
Admitted<Transition> detach_internet_gateway(const State& state, const InternetGatewayId& id,
                                             const VpcId& vpc);
// Refused while attached.
Admitted<Transition> delete_internet_gateway(const State& state, const InternetGatewayId& id);

Admitted<Made<RouteTable>> create_route_table(const State& state, const VpcId& vpc,
                                              const Tags& tags, AdmissionContext context);
// Refused for the VPC's main table.
Admitted<Transition> delete_route_table(const State& state, const RouteTableId& id);

}  // namespace hikae::core
