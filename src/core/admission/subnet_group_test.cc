#include "core/admission/subnet_group.h"

#include "core/admission/cache_test_state.h"

namespace hikae::core {
namespace {

class SubnetGroupTest : public CacheAdmissionTest {
 protected:
  CreateSubnetGroup create(std::vector<std::string> subnets) {
    return CreateSubnetGroup{"FooSubnet", "Redis Subnet Group", std::move(subnets), {}};
  }
  const SubnetGroup* foo() { return state_.find<SubnetGroup>(SubnetGroupName("foosubnet")); }
};

TEST_F(SubnetGroupTest, CreationStoresLowerCaseNameVpcAndSubnetsInOrder) {
  ASSERT_EQ(perform(create({"subnet-2", "subnet-1", "subnet-2"})), "ok");
  ASSERT_NE(foo(), nullptr);
  EXPECT_EQ(foo()->vpc.str(), "vpc-a");
  ASSERT_EQ(foo()->subnets.size(), 2u);
  EXPECT_EQ(foo()->subnets[0].str(), "subnet-2");
  EXPECT_EQ(message_of(create({"subnet-1"})), "Cache subnet group foosubnet already exists.");
}

TEST_F(SubnetGroupTest, CreationRefusesBadSubnets) {
  EXPECT_EQ(message_of(create({})), "The parameter SubnetIds must be provided.");
  EXPECT_EQ(message_of(create({"subnet-1", "subnet-x", "subnet-y"})),
            "Some input subnets in :[subnet-x, subnet-y] are invalid.");
  EXPECT_EQ(message_of(create({"subnet-1", "subnet-3"})),
            "Subnets subnet-1 and subnet-3 are not in the same VPC.");
  EXPECT_EQ(perform(create({"subnet-1", "subnet-3"})), "InvalidSubnet");
  std::vector<std::string> many;
  for (std::size_t i = 0; i <= kMaxSubnetsPerGroup; ++i) {
    many.push_back("subnet-" + std::to_string(i));
  }
  EXPECT_NE(perform(create(many)), "ok");
  EXPECT_EQ(foo(), nullptr);
}

TEST_F(SubnetGroupTest, TheNameDefaultIsReserved) {
  CreateSubnetGroup command = create({"subnet-1"});
  command.name = "Default";
  EXPECT_EQ(perform(command), "InvalidParameterValue");
}

TEST_F(SubnetGroupTest, TheQuotaIsEnforced) {
  for (std::size_t i = 0; i < kMaxSubnetGroups; ++i) {
    SubnetGroup group;
    group.name = SubnetGroupName("g" + std::to_string(i));
    put(group);
  }
  EXPECT_EQ(perform(create({"subnet-1"})), "CacheSubnetGroupQuotaExceeded");
}

TEST_F(SubnetGroupTest, ASubnetWithANodeCannotLeave) {
  ASSERT_EQ(perform(create({"subnet-1", "subnet-2"})), "ok");
  add_cluster("c", "foosubnet", "default.redis2.8", "subnet-1");
  ModifySubnetGroup modify{"foosubnet", std::nullopt, std::vector<std::string>{"subnet-2"}};
  EXPECT_EQ(perform(modify), "SubnetInUse");
  modify.subnets = {"subnet-1"};
  modify.description = "new";
  EXPECT_EQ(perform(modify), "ok");
  EXPECT_EQ(foo()->subnets.size(), 1u);
  EXPECT_EQ(foo()->description, "new");
}

TEST_F(SubnetGroupTest, ModificationStaysInTheVpcAndNeedsAGroup) {
  ASSERT_EQ(perform(create({"subnet-1"})), "ok");
  EXPECT_EQ(
      perform(ModifySubnetGroup{"foosubnet", std::nullopt, std::vector<std::string>{"subnet-3"}}),
      "InvalidSubnet");
  EXPECT_EQ(perform(ModifySubnetGroup{"none", "d", std::nullopt}), "CacheSubnetGroupNotFoundFault");
}

TEST_F(SubnetGroupTest, DeletionWaitsUntilNobodyNamesTheGroup) {
  ASSERT_EQ(perform(create({"subnet-1"})), "ok");
  add_cluster("c", "foosubnet", "default.redis2.8", "subnet-1");
  EXPECT_EQ(message_of(DeleteSubnetGroup{"FOOsubnet"}),
            "Cache subnet group foosubnet is currently in use by a cache cluster.");
  EXPECT_EQ(perform(DeleteSubnetGroup{"foosubnet"}), "CacheSubnetGroupInUse");
  Transition gone;
  gone.remove<CacheCluster>(CacheClusterId("c"));
  apply(gone);
  EXPECT_EQ(perform(DeleteSubnetGroup{"foosubnet"}), "ok");
  EXPECT_EQ(perform(DeleteSubnetGroup{"foosubnet"}), "CacheSubnetGroupNotFoundFault");
}

TEST_F(SubnetGroupTest, TheDefaultGroupIsMadeFromTheDefaultVpcOnce) {
  Transition transition;
  const auto made = ensure_default_subnet_group(state_, transition);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->vpc.str(), "vpc-a");
  EXPECT_EQ(made->subnets.size(), 2u);
  apply(transition);
  Transition second;
  EXPECT_TRUE(ensure_default_subnet_group(state_, second));
  EXPECT_TRUE(second.empty());
  EXPECT_EQ(perform(DeleteSubnetGroup{"default"}), "InvalidParameterValue");
}

TEST_F(SubnetGroupTest, WithoutDefaultVpcThereIsNoDefaultGroup) {
  Vpc vpc = *state_.find<Vpc>(VpcId("vpc-a"));
  vpc.is_default = false;
  put(vpc);
  Transition transition;
  EXPECT_FALSE(ensure_default_subnet_group(state_, transition));
  EXPECT_TRUE(transition.empty());
}

}  // namespace
}  // namespace hikae::core
