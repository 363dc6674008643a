#include "core/admission/ec2_subnet.h"

#include <gtest/gtest.h>

#include "core/admission/ec2_test_world.h"

namespace hikae::core {
namespace {

class Ec2SubnetTest : public Ec2World {
 protected:
  void SetUp() override {
    Ec2World::SetUp();
    vpc = new_vpc("10.0.0.0/16");
  }
  Admitted<Made<Subnet>> create(const std::string& cidr, const std::string& zone = "") {
    CreateSubnet command;
    command.vpc = vpc.id;
    command.cidr = cidr;
    command.zone = zone;
    return create_subnet(state, command, context());
  }
  Vpc vpc;
};

TEST_F(Ec2SubnetTest, StaysInsideTheVpcAndApart) {
  make(create("10.0.1.0/24", "ap-northeast-1c"));
  EXPECT_EQ(message_of(create("10.0.1.128/25")),
            "The CIDR '10.0.1.128/25' conflicts with another subnet");
  EXPECT_EQ(code_of(create("10.0.0.0/20")), "InvalidSubnet.Conflict");
  EXPECT_EQ(code_of(create("10.1.0.0/24")), "InvalidSubnet.Range");
  EXPECT_EQ(code_of(create("10.0.0.0/29")), "InvalidSubnet.Range");
  EXPECT_EQ(code_of(create("ten")), "InvalidParameterValue");
  EXPECT_EQ(code_of(create("")), "MissingParameter");
  EXPECT_EQ(code_of(create("10.0.2.0/28")), "admitted");
  // The same network in another VPC is another network.
  EXPECT_FALSE(new_subnet(new_vpc("10.0.0.0/16"), "10.0.1.0/24", "ap-northeast-1a").id.empty());
}

TEST_F(Ec2SubnetTest, ZonesAreCheckedAndSpread) {
  EXPECT_EQ(message_of(create("10.0.1.0/24", "ap-northeast-1z")),
            "Value (ap-northeast-1z) for parameter availabilityZone is invalid. Subnets can "
            "currently only be created in the following availability zones: ap-northeast-1a, "
            "ap-northeast-1b, ap-northeast-1c.");
  std::set<ZoneName> zones;
  zones.insert(make(create("10.0.1.0/24")).zone);
  zones.insert(make(create("10.0.2.0/24")).zone);
  zones.insert(make(create("10.0.3.0/24")).zone);
  EXPECT_EQ(zones.size(), 3u);

  CreateSubnet by_id;
  by_id.vpc = vpc.id;
  by_id.cidr = "10.0.4.0/24";
  by_id.zone_id = "apne1-az2";
  EXPECT_EQ(make(create_subnet(state, by_id, context())).zone, ZoneName("ap-northeast-1b"));
  by_id.zone = "ap-northeast-1a";
  EXPECT_EQ(code_of(create_subnet(state, by_id, context())), "InvalidParameterValue");
}

TEST_F(Ec2SubnetTest, NodesAndSubnetGroupsKeepIt) {
  const Subnet subnet = make(create("10.0.1.0/24"));
  place_cluster("foo", subnet, new_group(vpc, "cache"));
  EXPECT_EQ(count_nodes_by_subnet(state).at(subnet.id), 1);
  EXPECT_EQ(code_of(delete_subnet(state, subnet.id)), "DependencyViolation");

  const Subnet grouped = make(create("10.0.2.0/24"));
  SubnetGroup group;
  group.name = SubnetGroupName("foosubnet");
  group.vpc = vpc.id;
  group.subnets = {grouped.id};
  Transition transition;
  transition.put(group);
  apply(transition);
  EXPECT_NE(message_of(delete_subnet(state, grouped.id)).find("foosubnet"), std::string::npos);

  const Subnet free = make(create("10.0.3.0/24"));
  change(delete_subnet(state, free.id));
  EXPECT_EQ(message_of(delete_subnet(state, free.id)),
            "The subnet ID '" + free.id.str() + "' does not exist");
}

TEST_F(Ec2SubnetTest, AttributesChange) {
  const Subnet subnet = make(create("10.0.1.0/24"));
  ModifySubnetAttribute command;
  command.subnet = subnet.id;
  command.map_public_ip_on_launch = true;
  change(modify_subnet_attribute(state, command));
  EXPECT_TRUE(state.find<Subnet>(subnet.id)->map_public_ip_on_launch);
  command.ipv6 = true;
  EXPECT_EQ(code_of(modify_subnet_attribute(state, command)), "UnsupportedOperation");
}

}  // namespace
}  // namespace hikae::core
