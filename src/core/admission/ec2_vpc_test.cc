#include "core/admission/ec2_vpc.h"

#include <gtest/gtest.h>

#include "core/admission/ec2_gateway.h"
#include "core/admission/ec2_test_world.h"

namespace hikae::core {
namespace {

using Ec2VpcTest = Ec2World;

template <class T>
std::size_t count_in(const State& state, const VpcId& vpc) {
  std::size_t count = 0;
  for (const auto& [id, value] : state.all<T>()) {
    count += value.vpc == vpc ? 1 : 0;
  }
  return count;
}

TEST_F(Ec2VpcTest, ComesWithGroupTableAndAcl) {
  const Vpc vpc = new_vpc("10.0.3.4/16");
  EXPECT_EQ(vpc.cidr.str(), "10.0.0.0/16");
  EXPECT_EQ(vpc.id.str().size(), 4u + 17u);
  EXPECT_EQ(count_in<SecurityGroup>(state, vpc.id), 1u);
  EXPECT_EQ(count_in<RouteTable>(state, vpc.id), 1u);
  EXPECT_EQ(count_in<NetworkAcl>(state, vpc.id), 1u);
  EXPECT_EQ(count_in<Subnet>(state, vpc.id), 0u);
  for (const auto& [id, group] : state.all<SecurityGroup>()) {
    if (group.vpc == vpc.id) {
      EXPECT_EQ(group.name, "default");
      ASSERT_EQ(group.rules.size(), 2u);
      EXPECT_EQ(group.rules[0].peer_group, id);
      EXPECT_TRUE(group.rules[1].egress);
    }
  }
}

TEST_F(Ec2VpcTest, RefusesBadNetworks) {
  const auto code = [&](const std::string& cidr) {
    CreateVpc command;
    command.cidr = cidr;
    return code_of(create_vpc(state, command, context()));
  };
  EXPECT_EQ(code("10.0.0.0/15"), "InvalidVpc.Range");
  EXPECT_EQ(code("10.0.0.0/29"), "InvalidVpc.Range");
  EXPECT_EQ(code("127.0.0.0/16"), "InvalidVpc.Range");
  EXPECT_EQ(code("224.0.0.0/16"), "InvalidVpc.Range");
  EXPECT_EQ(code("10.0.0/16"), "InvalidParameterValue");
  EXPECT_EQ(code("10.0.0.0/28"), "admitted");
}

TEST_F(Ec2VpcTest, OrdinalsAreReusedAndBounded) {
  const Vpc first = new_vpc("10.0.0.0/16");
  const Vpc second = new_vpc("10.0.0.0/16");
  EXPECT_EQ(first.ordinal, 1u);
  EXPECT_EQ(second.ordinal, 2u);
  change(delete_vpc(state, first.id));
  EXPECT_EQ(new_vpc("10.9.0.0/16").ordinal, 1u);
  for (std::size_t n = state.all<Vpc>().size(); n < kMaxVpcs; ++n) {
    new_vpc("10.0.0.0/16");
  }
  CreateVpc one_more;
  one_more.cidr = "10.0.0.0/16";
  EXPECT_EQ(code_of(create_vpc(state, one_more, context())), "VpcLimitExceeded");
}

TEST_F(Ec2VpcTest, DeletionWaitsForWhatIsInIt) {
  const Vpc vpc = new_vpc("10.0.0.0/16");
  const auto refused = [&] {
    const auto answer = delete_vpc(state, vpc.id);
    return message_of(answer) ==
           "The vpc '" + vpc.id.str() + "' has dependencies and cannot be deleted.";
  };
  const Subnet subnet = new_subnet(vpc, "10.0.0.0/24", "ap-northeast-1b");
  EXPECT_TRUE(refused());
  change(delete_subnet(state, subnet.id));
  const SecurityGroup group = new_group(vpc, "web");
  EXPECT_TRUE(refused());
  change(delete_security_group(state, group.id));
  const RouteTable table = make(create_route_table(state, vpc.id, {}, context()));
  EXPECT_TRUE(refused());
  change(delete_route_table(state, table.id));
  const InternetGateway gateway = make(create_internet_gateway(state, {}, context()));
  change(attach_internet_gateway(state, gateway.id, vpc.id));
  EXPECT_TRUE(refused());
  change(detach_internet_gateway(state, gateway.id, vpc.id));

  change(delete_vpc(state, vpc.id));
  EXPECT_EQ(count_in<SecurityGroup>(state, vpc.id), 0u);
  EXPECT_EQ(count_in<RouteTable>(state, vpc.id), 0u);
  EXPECT_EQ(count_in<NetworkAcl>(state, vpc.id), 0u);
  EXPECT_EQ(message_of(delete_vpc(state, vpc.id)),
            "The vpc ID '" + vpc.id.str() + "' does not exist");
}

TEST_F(Ec2VpcTest, OnlyOneDefaultVpc) {
  EXPECT_EQ(code_of(create_default_vpc(state, context())), "DefaultVpcAlreadyExists");
  const VpcId old = find_default_vpc(state)->id;
  const InternetGatewayId gateway = state.all<InternetGateway>().begin()->first;
  change(detach_internet_gateway(state, gateway, old));
  while (!state.all<Subnet>().empty()) {
    change(delete_subnet(state, state.all<Subnet>().begin()->first));
  }
  change(delete_vpc(state, old));
  EXPECT_EQ(find_default_vpc(state), nullptr);
  const Vpc again = make(create_default_vpc(state, context()));
  EXPECT_TRUE(again.is_default);
  EXPECT_EQ(count_in<Subnet>(state, again.id), 3u);
}

TEST_F(Ec2VpcTest, AttributesChangeOneAtATime) {
  const Vpc vpc = new_vpc("10.0.0.0/16");
  ModifyVpcAttribute command;
  command.vpc = vpc.id;
  EXPECT_EQ(code_of(modify_vpc_attribute(state, command)), "MissingParameter");
  command.dns_hostnames = true;
  change(modify_vpc_attribute(state, command));
  EXPECT_TRUE(state.find<Vpc>(vpc.id)->dns_hostnames);
  EXPECT_TRUE(state.find<Vpc>(vpc.id)->dns_support);
  command.dns_support = false;
  EXPECT_EQ(code_of(modify_vpc_attribute(state, command)), "InvalidParameterCombination");
}

}  // namespace
}  // namespace hikae::core
