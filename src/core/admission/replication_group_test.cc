#include "core/admission/replication_group.h"

#include <gtest/gtest.h>

#include "core/testing/world.h"

namespace hikae::core {
namespace {

CreateReplicationGroup foo(int members) {
  CreateReplicationGroup command;
  command.id = "Foo";
  command.description = "desc of foo";
  command.num_cache_clusters = members;
  command.settings.node_type = "cache.m3.medium";
  command.settings.engine = "redis";
  command.settings.engine_version = "2.8.6";
  command.settings.parameter_group = "default.redis2.8";
  return command;
}

std::string message(World& world, const CreateReplicationGroup& command) {
  const auto admitted = admit(world.state, command, world.context());
  return admitted ? "" : admitted.error().message;
}

TEST(CreateReplicationGroup, StoresTheNameInLowerCaseAndNumbersTheMembers) {
  World world;
  ASSERT_EQ(world.admit_code(foo(3)), "");
  const auto& members = world.group("foo").node_groups[0].members;
  ASSERT_EQ(members.size(), 3u);
  EXPECT_EQ(members[0].str(), "foo-001");
  EXPECT_EQ(members[2].str(), "foo-003");
  EXPECT_EQ(world.admit_code(foo(3)), "ReplicationGroupAlreadyExists");
}

TEST(CreateReplicationGroup, AutomaticFailoverNeedsTwoMembers) {
  World world;
  auto command = foo(1);
  command.automatic_failover = true;
  EXPECT_EQ(message(world, command),
            "When using automatic failover, there must be at least 2 cache clusters in the "
            "replication group.");
}

TEST(CreateReplicationGroup, RefusesWhatDoesNotFitTogether) {
  World world;
  auto command = foo(7);
  EXPECT_EQ(world.admit_code(command), "InvalidParameterValue");
  command = foo(3);
  command.preferred_zones = {"ap-northeast-1a"};
  EXPECT_EQ(world.admit_code(command), "InvalidParameterCombination");
  command = foo(1);
  command.preferred_zones = {"us-east-1a"};
  EXPECT_EQ(world.admit_code(command), "InvalidParameterValue");
  command = foo(2);
  command.multi_az = true;
  EXPECT_EQ(world.admit_code(command), "InvalidParameterCombination");
  command = foo(2);
  command.settings.engine_version = "6.2.6";
  EXPECT_EQ(message(world, command),
            "Specific version selection is not allowed for '6.2.6', please use '6.2'");
  command.settings.engine_version = "4.0.13";
  EXPECT_EQ(message(world, command), "Cannot find version 4.0.13 for redis");
  command = foo(2);
  command.settings.parameter_group = "default.redis5.0";
  EXPECT_EQ(message(world, command),
            "Expected a parameter group of family redis2.8 but found one of family redis5.0");
  command = foo(2);
  command.settings.parameter_group = "nothing";
  EXPECT_EQ(world.admit_code(command), "CacheParameterGroupNotFound");
  command = foo(2);
  command.settings.subnet_group = "nothing";
  EXPECT_EQ(world.admit_code(command), "CacheSubnetGroupNotFoundFault");
  command = foo(2);
  command.settings.node_type = "cache.x9.huge";
  EXPECT_EQ(world.admit_code(command), "InvalidParameterValue");
  command = foo(2);
  command.settings.port = 70000;
  EXPECT_EQ(world.admit_code(command), "InvalidParameterValue");
  EXPECT_TRUE(world.state.all<CacheCluster>().empty());
}

TEST(CreateReplicationGroup, DefaultsAreTheNewestVersionAndItsFamily) {
  World world;
  CreateReplicationGroup command;
  command.id = "foo";
  command.num_cache_clusters = 1;
  command.settings.engine = "valkey";
  command.settings.node_type = "cache.t4g.micro";
  ASSERT_EQ(world.admit_code(command), "");
  const CacheSettings& settings = world.group("foo").settings;
  EXPECT_EQ(settings.port, 6379);
  EXPECT_EQ(settings.subnet_group.str(), "default");
  EXPECT_EQ(settings.security_groups.size(), 1u);
  EXPECT_TRUE(settings.parameter_group.str().starts_with("default.valkey"));
}

TEST(DeleteReplicationGroup, OnlyASettledGroupCanBeDeleted) {
  World world;
  ASSERT_EQ(world.admit_code(foo(2)), "");
  EXPECT_EQ(world.admit_code(DeleteReplicationGroup{"foo", false}), "InvalidReplicationGroupState");
  EXPECT_EQ(world.admit_code(DeleteReplicationGroup{"bar", false}),
            "ReplicationGroupNotFoundFault");
}

}  // namespace
}  // namespace hikae::core
