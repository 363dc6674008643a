#include "core/admission/group_access.h"

#include <gtest/gtest.h>

#include "core/admission/cluster_changes.h"
#include "core/admission/group_changes.h"
#include "core/admission/user.h"
#include "core/admission/user_group.h"
#include "core/testing/world.h"

// A group has users or AUTH tokens, and goes from the one to the other.

namespace hikae::core {
namespace {

const std::string kToken(64, '1');
const std::string kNext(64, '2');

class OneAccess : public ::testing::Test {
 protected:
  OneAccess() { EXPECT_EQ(world.admit_code(CreateUserGroup{"g", "redis", {"default"}, {}}), ""); }

  CreateReplicationGroup encrypted(const std::string& id) {
    CreateReplicationGroup command;
    command.id = id;
    command.description = "test";
    command.num_cache_clusters = 2;
    command.settings.node_type = "cache.t3.micro";
    command.access.transit_encryption = true;
    return command;
  }
  void make(const CreateReplicationGroup& command) {
    ASSERT_EQ(world.admit_code(command), "");
    settle(command.id);
    ASSERT_EQ(world.group(command.id).status, "available");
  }
  void settle(const std::string& id) {
    for (int turn = 0; turn < 10; ++turn) {
      world.settle_group(id);
      world.agents_work();
    }
  }
  ModifyReplicationGroup modify(const std::string& id) {
    ModifyReplicationGroup command;
    command.id = id;
    command.settings.apply_immediately = true;
    return command;
  }

  World world;
};

TEST_F(OneAccess, ANewGroupHasOneOfThem) {
  CreateReplicationGroup both = encrypted("foo");
  both.access.token = kToken;
  both.user_groups = {"g"};
  EXPECT_EQ(world.admit_code(both), "InvalidParameterCombination");
}

TEST_F(OneAccess, GoesFromATokenToUsersByDelete) {
  CreateReplicationGroup create = encrypted("foo");
  create.access.token = kToken;
  make(create);
  ModifyReplicationGroup command = modify("foo");
  command.user_groups.to_add = {"g"};
  EXPECT_EQ(world.admit_code(command), "InvalidParameterCombination") << "the token stays";
  command.settings.token = TokenChange{kNext, "ROTATE"};
  EXPECT_EQ(world.admit_code(command), "InvalidParameterCombination");
  ModifyReplicationGroup alone = modify("foo");
  alone.settings.token = TokenChange{std::nullopt, "DELETE"};
  EXPECT_EQ(world.admit_code(alone), "InvalidParameterCombination") << "for users alone";
  command.settings.token = TokenChange{std::nullopt, "DELETE"};
  ASSERT_EQ(world.admit_code(command), "");
  settle("foo");
  EXPECT_EQ(world.group("foo").status, "available");
  EXPECT_TRUE(world.group("foo").settings.access.tokens.empty());
  EXPECT_EQ(world.group("foo").user_groups, std::vector{UserGroupId("g")});
}

TEST_F(OneAccess, GoesFromUsersToATokenWhenTheyAreRemoved) {
  CreateReplicationGroup create = encrypted("foo");
  create.user_groups = {"g"};
  make(create);
  ModifyReplicationGroup command = modify("foo");
  command.settings.token = TokenChange{kToken, "SET"};
  EXPECT_EQ(world.admit_code(command), "InvalidParameterCombination") << "the users stay";
  command.user_groups.remove_all = true;
  ASSERT_EQ(world.admit_code(command), "");
  settle("foo");
  EXPECT_EQ(world.group("foo").status, "available");
  EXPECT_EQ(world.group("foo").settings.access.tokens, std::vector{kToken});
  EXPECT_TRUE(world.group("foo").user_groups.empty());
}

TEST_F(OneAccess, WhatWaitsForTheWindowCountsToo) {
  make(encrypted("foo"));
  ModifyReplicationGroup later = modify("foo");
  later.settings.apply_immediately = false;
  later.settings.token = TokenChange{kToken, "ROTATE"};
  ASSERT_EQ(world.admit_code(later), "");
  ModifyReplicationGroup command = modify("foo");
  command.user_groups.to_add = {"g"};
  EXPECT_EQ(world.admit_code(command), "InvalidParameterCombination");
  ModifyReplicationGroup other = modify("foo");
  other.description = "neither of them";
  EXPECT_EQ(world.admit_code(other), "");
}

TEST_F(OneAccess, ASingleNodeThatWasRetainedChangesItsTokens) {
  CreateReplicationGroup create = encrypted("foo");
  create.access.token = kToken;
  make(create);
  DeleteReplicationGroup drop;
  drop.id = "foo";
  drop.retain_primary = true;
  ASSERT_EQ(world.admit_code(drop), "");
  settle("foo");
  const auto modified_at = world.cluster("foo-001").auth_token_modified_at;
  EXPECT_TRUE(modified_at) << "it is as old as the group's";
  ModifyCacheCluster command;
  command.id = "foo-001";
  command.settings.apply_immediately = true;
  command.settings.token = TokenChange{kNext, "ROTATE"};
  ASSERT_EQ(world.admit_code(command), "");
  for (int turn = 0; turn < 10; ++turn) {
    world.settle_cluster("foo-001");
    world.agents_work();
  }
  EXPECT_EQ(world.cluster("foo-001").status, "available");
  EXPECT_EQ(world.cluster("foo-001").settings.access.tokens, (std::vector{kToken, kNext}));
  EXPECT_EQ(world.cluster("foo-001").nodes[0].generation, 1u) << "while it runs";
  EXPECT_GT(world.cluster("foo-001").auth_token_modified_at, modified_at);
  command.settings.token = TokenChange{std::nullopt, "DELETE"};
  EXPECT_EQ(world.admit_code(command), "InvalidParameterCombination");
  command.settings.token = TokenChange{std::string(64, '3'), "SET"};
  EXPECT_EQ(world.admit_code(command), "InvalidParameterCombination");
}

}  // namespace
}  // namespace hikae::core
