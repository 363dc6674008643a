#include "core/admission/ec2_gateway.h"

#include <gtest/gtest.h>

#include "core/admission/ec2_test_world.h"

namespace hikae::core {
namespace {

using Ec2GatewayTest = Ec2World;

TEST_F(Ec2GatewayTest, OneGatewayForOneVpc) {
  const Vpc vpc = new_vpc("10.0.0.0/16");
  const Vpc other = new_vpc("10.1.0.0/16");
  const InternetGateway first = make(create_internet_gateway(state, {}, context()));
  const InternetGateway second = make(create_internet_gateway(state, {}, context()));
  EXPECT_EQ(code_of(detach_internet_gateway(state, first.id, vpc.id)), "Gateway.NotAttached");
  change(attach_internet_gateway(state, first.id, vpc.id));
  EXPECT_EQ(code_of(attach_internet_gateway(state, first.id, other.id)),
            "Resource.AlreadyAssociated");
  EXPECT_EQ(code_of(attach_internet_gateway(state, second.id, vpc.id)), "InvalidParameterValue");
  EXPECT_EQ(code_of(detach_internet_gateway(state, first.id, other.id)), "Gateway.NotAttached");
  EXPECT_EQ(code_of(delete_internet_gateway(state, first.id)), "DependencyViolation");
  change(detach_internet_gateway(state, first.id, vpc.id));
  change(delete_internet_gateway(state, first.id));
  EXPECT_EQ(code_of(delete_internet_gateway(state, first.id)), "InvalidInternetGatewayID.NotFound");
  EXPECT_EQ(code_of(attach_internet_gateway(state, second.id, VpcId("vpc-0"))),
            "InvalidVpcID.NotFound");
}

TEST_F(Ec2GatewayTest, MainRouteTableStays) {
  const Vpc vpc = new_vpc("10.0.0.0/16");
  const RouteTable table = make(create_route_table(state, vpc.id, {{"a", "b"}}, context()));
  EXPECT_EQ(table.tags.at("a"), "b");
  for (const auto& [id, candidate] : state.all<RouteTable>()) {
    EXPECT_EQ(code_of(delete_route_table(state, id)),
              candidate.main ? "DependencyViolation" : "admitted");
  }
  change(delete_route_table(state, table.id));
  EXPECT_EQ(code_of(delete_route_table(state, table.id)), "InvalidRouteTableID.NotFound");
}

}  // namespace
}  // namespace hikae::core
