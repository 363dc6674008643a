#include "core/admission/ec2_tags.h"

#include <gtest/gtest.h>

#include "core/admission/ec2_test_world.h"

namespace hikae::core {
namespace {

using Ec2TagsTest = Ec2World;

TEST_F(Ec2TagsTest, AllKindsAreTaggedTogether) {
  const Vpc vpc = new_vpc("10.0.0.0/16");
  const SecurityGroup group = new_group(vpc, "cache");
  const std::vector<std::string> ids = {
      vpc.id.str(),
      group.id.str(),
      group.rules[0].id.str(),
      state.all<Subnet>().begin()->first.str(),
      state.all<RouteTable>().begin()->first.str(),
      state.all<InternetGateway>().begin()->first.str(),
      state.all<NetworkAcl>().begin()->first.str(),
  };
  change(create_tags(state, {ids, {{"Name", "foo"}, {"env", "test"}}}));
  EXPECT_EQ(tagged_resources(state).size(), ids.size());
  // The group and its rule are one record; neither edit may hide the other.
  EXPECT_EQ(state.find<SecurityGroup>(group.id)->tags.at("Name"), "foo");
  EXPECT_EQ(state.find<SecurityGroup>(group.id)->rules[0].tags.at("env"), "test");

  DeleteTags some;
  some.resources = {vpc.id.str()};
  some.tags = {{"Name", "other value"}, {"env", std::nullopt}, {"absent", std::nullopt}};
  change(delete_tags(state, some));
  EXPECT_EQ(state.find<Vpc>(vpc.id)->tags, (Tags{{"Name", "foo"}}));
  change(delete_tags(state, {ids, std::nullopt}));
  EXPECT_TRUE(tagged_resources(state).empty());
}

TEST_F(Ec2TagsTest, AllOrNothing) {
  const Vpc vpc = new_vpc("10.0.0.0/16");
  const auto code = [&](const std::string& id, const Tags& tags) {
    return code_of(create_tags(state, {{vpc.id.str(), id}, tags}));
  };
  const Tags tags = {{"a", "b"}};
  EXPECT_EQ(code("vpc-0", tags), "InvalidVpcID.NotFound");
  EXPECT_EQ(code("sgr-0", tags), "InvalidSecurityGroupRuleId.NotFound");
  EXPECT_EQ(code("acl-0", tags), "InvalidNetworkAclID.NotFound");
  EXPECT_EQ(code("i-0", tags), "InvalidID");
  EXPECT_EQ(code(vpc.id.str(), {{"aws:mine", "x"}}), "InvalidParameterValue");
  EXPECT_EQ(code(vpc.id.str(), {{std::string(129, 'k'), "x"}}), "InvalidParameterValue");
  EXPECT_EQ(code(vpc.id.str(), {{"k", std::string(257, 'v')}}), "InvalidParameterValue");
  Tags many;
  for (int i = 0; i < 50; ++i) {
    many["key" + std::to_string(i)] = "v";
  }
  change(create_tags(state, {{vpc.id.str()}, many}));
  EXPECT_EQ(code(vpc.id.str(), {{"one more", "v"}}), "TagLimitExceeded");
  EXPECT_EQ(code(vpc.id.str(), {{"key0", "changed"}}), "admitted");
}

}  // namespace
}  // namespace hikae::core
