#include <gtest/gtest.h>

#include "core/admission/group_changes.h"
#include "core/admission/user.h"
#include "core/admission/user_group.h"
#include "core/state/access.h"
#include "core/testing/world.h"

// Users of replication groups, from the request until every node has taken them.

namespace hikae::core {
namespace {

class GroupUsersTest : public ::testing::Test {
 protected:
  GroupUsersTest() {
    make_user("a", "alice", "on ~a:* +@all");
    EXPECT_EQ(world.admit_code(CreateUserGroup{"g", "redis", {"default", "a"}, {}}), "");
  }

  void make_user(const std::string& id, const std::string& name, const std::string& access) {
    CreateUser command;
    command.id = id;
    command.name = name;
    command.engine = "redis";
    command.access_string = access;
    command.authentication.passwords = {NewPassword{20, true, "digest-" + id}};
    EXPECT_EQ(world.admit_code(command), "");
  }
  CreateReplicationGroup new_group(const std::string& id) {
    CreateReplicationGroup command;
    command.id = id;
    command.description = "test";
    command.num_cache_clusters = 2;
    command.settings.node_type = "cache.t3.micro";
    command.user_groups = {"G"};
    return command;
  }
  void make_group(const std::string& id) {
    ASSERT_EQ(world.admit_code(new_group(id)), "");
    world.settle_group(id);
    world.agents_work();
    ASSERT_TRUE(world.settle_group(id).settled);
  }
  std::string modify_user(const std::string& access) {
    ModifyUser command;
    command.id = "a";
    command.access_string = access;
    return world.admit_code(command);
  }
  std::string change(const std::string& id, std::vector<std::string> add,
                     std::vector<std::string> remove, bool all = false) {
    ModifyReplicationGroup command;
    command.id = id;
    command.user_groups = UserGroupsChange{std::move(add), std::move(remove), all};
    return world.admit_code(command);
  }
  const User& user(const std::string& id) { return *world.state.find<User>(UserId(id)); }
  const UserGroup& user_group() { return *world.state.find<UserGroup>(UserGroupId("g")); }
  SharedMap access(const std::string& member) {
    const CacheCluster& cluster = world.cluster(member);
    return node_assignment(world.state, world.observed, cluster, cluster.nodes[0])->users;
  }

  World world;
};

TEST_F(GroupUsersTest, EveryNodeIsAssignedTheUsers) {
  make_group("foo");
  for (const char* member : {"foo-001", "foo-002"}) {
    EXPECT_EQ(access(member),
              (SharedMap{{"alice", "#digest-a on ~a:* +@all"}, {"default", "nopass on ~* +@all"}}));
  }
  EXPECT_TRUE(world.group("foo").adding_user_groups.empty());
  world.make_group("open", 1);
  EXPECT_TRUE(access("open-001").empty());
}

TEST_F(GroupUsersTest, WithoutADefaultUserNobodyComesInUnnamed) {
  ASSERT_EQ(world.admit_code(CreateUserGroup{"v", "valkey", {"a"}, {}}), "");
  CreateReplicationGroup command = new_group("foo");
  command.user_groups = {"v"};
  EXPECT_EQ(world.admit_code(command), "InvalidParameterCombination") << "of engine redis";
  command.settings.engine = "valkey";
  ASSERT_EQ(world.admit_code(command), "");
  world.settle_group("foo");
  EXPECT_EQ(access("foo-001").at("default"), "off");
}

TEST_F(GroupUsersTest, PatternsOfChannelsComeBehindAReset) {
  ASSERT_EQ(modify_user("on &news +@all"), "");
  make_group("foo");
  EXPECT_EQ(access("foo-001").at("alice"), "#digest-a resetchannels on &news +@all");
}

TEST_F(GroupUsersTest, CreationIsRefused) {
  CreateReplicationGroup command = new_group("foo");
  command.user_groups = {"nobody"};
  EXPECT_EQ(world.admit_code(command), "UserGroupNotFound");
  ASSERT_EQ(world.admit_code(CreateUserGroup{"h", "redis", {"default"}, {}}), "");
  command.user_groups = {"g", "h"};
  EXPECT_EQ(world.admit_code(command), "InvalidParameterCombination");
  command.user_groups = {"g"};
  command.settings.engine_version = "5.0.6";
  EXPECT_EQ(world.admit_code(command), "InvalidParameterCombination");
}

TEST_F(GroupUsersTest, AUserIsModifyingUntilAllNodesHaveTakenIt) {
  make_group("foo");
  make_group("bar");
  ASSERT_EQ(modify_user("on ~b:* +@all"), "");
  EXPECT_EQ(user("a").status, "modifying");
  EXPECT_EQ(modify_user("off"), "InvalidUserState");
  EXPECT_EQ(access("foo-002").at("alice"), "#digest-a on ~b:* +@all");
  world.settle_group("foo");
  world.settle_group("bar");
  EXPECT_EQ(user("a").status, "modifying") << "no node has told yet";
  EXPECT_EQ(world.group("foo").status, "available");
  world.agents_work();
  world.settle_group("bar");
  EXPECT_EQ(user("a").status, "active");
}

TEST_F(GroupUsersTest, ADeadNodeIsNotWaitedFor) {
  make_group("foo");
  ASSERT_EQ(modify_user("off"), "");
  world.agents_work();
  const NodeKey replica{CacheClusterId("foo-002"), NodeId("0001")};
  world.observed.nodes[replica].edition = 1;
  world.settle_group("foo");
  EXPECT_EQ(user("a").status, "modifying");
  world.observed.nodes[replica].process = NodeObservation::Process::kStopped;
  world.settle_group("foo");
  EXPECT_EQ(user("a").status, "active") << "it starts with the newest users";
}

TEST_F(GroupUsersTest, ADeletedUserIsGoneOnceNoNodeLetsItIn) {
  make_group("foo");
  ASSERT_EQ(world.admit_code(DeleteUser{"a"}), "");
  EXPECT_EQ(user("a").status, "deleting");
  EXPECT_FALSE(access("foo-001").contains("alice"));
  EXPECT_EQ(world.admit_code(DeleteUser{"a"}), "InvalidUserState");
  world.settle_group("foo");
  EXPECT_EQ(user("a").status, "deleting");
  world.agents_work();
  world.settle_group("foo");
  EXPECT_EQ(world.state.find<User>(UserId("a")), nullptr);
  EXPECT_EQ(user_group().users, std::vector{UserId("default")});
}

TEST_F(GroupUsersTest, AUserGroupIsModifyingUntilAllNodesHaveTakenIt) {
  make_group("foo");
  make_user("b", "bob", "on ~* +get");
  ASSERT_EQ(world.admit_code(ModifyUserGroup{"g", {}, {"b"}, {"a"}}), "");
  EXPECT_EQ(user_group().status, "modifying");
  EXPECT_EQ(before_changes(user_group().users, user_group().adding, user_group().removing),
            (std::vector{UserId("default"), UserId("a")}));
  EXPECT_EQ(world.admit_code(ModifyUserGroup{"g", {}, {"a"}, {}}), "InvalidUserGroupState");
  EXPECT_TRUE(access("foo-001").contains("bob"));
  EXPECT_FALSE(access("foo-001").contains("alice"));
  world.agents_work();
  world.settle_group("foo");
  EXPECT_EQ(user_group().status, "active");
  EXPECT_EQ(user_group().users, (std::vector{UserId("default"), UserId("b")}));
  EXPECT_TRUE(user_group().adding.empty() && user_group().removing.empty());
}

TEST_F(GroupUsersTest, AGroupGetsAndLosesAUserGroup) {
  world.make_group("foo", 2);
  ASSERT_EQ(change("foo", {"g"}, {}), "");
  EXPECT_EQ(world.group("foo").status, "modifying");
  EXPECT_EQ(world.admit_code(DeleteUserGroup{"g"}), "InvalidUserGroupState");
  world.settle_group("foo");
  EXPECT_EQ(world.group("foo").status, "modifying") << "no node has told yet";
  world.agents_work();
  ASSERT_TRUE(world.settle_group("foo").settled);
  EXPECT_EQ(world.group("foo").status, "available");
  EXPECT_EQ(change("foo", {"g"}, {}), "") << "tools send what is there already";
  EXPECT_EQ(world.group("foo").status, "available");
  EXPECT_EQ(change("foo", {}, {"other"}), "InvalidParameterValue");
  EXPECT_EQ(change("foo", {}, {"g"}, true), "InvalidParameterCombination");
  ASSERT_EQ(world.admit_code(CreateUserGroup{"h", "redis", {"default"}, {}}), "");
  EXPECT_EQ(change("foo", {"h"}, {}), "InvalidParameterCombination") << "one at a time";
  ASSERT_EQ(change("foo", {"h"}, {"g"}), "") << "it is replaced";
  world.agents_work();
  world.settle_group("foo");
  EXPECT_EQ(world.group("foo").user_groups, std::vector{UserGroupId("h")});
  EXPECT_EQ(world.admit_code(DeleteUserGroup{"g"}), "");
  ASSERT_EQ(change("foo", {}, {}, true), "");
  EXPECT_TRUE(access("foo-001").empty());
  world.agents_work();
  ASSERT_TRUE(world.settle_group("foo").settled);
  EXPECT_TRUE(world.group("foo").user_groups.empty());
}

TEST_F(GroupUsersTest, AGroupThatIsFormedAroundARunningNodeWaitsForIt) {
  CreateCacheCluster single;
  single.id = "one";
  single.num_nodes = 1;
  single.settings.node_type = "cache.t3.micro";
  ASSERT_EQ(world.admit_code(single), "");
  world.settle_cluster("one");
  world.agents_work();
  world.settle_cluster("one");
  CreateReplicationGroup command = new_group("foo");
  command.num_cache_clusters.reset();
  command.primary_cluster = "one";
  ASSERT_EQ(world.admit_code(command), "");
  world.settle_group("foo");
  EXPECT_EQ(world.group("foo").status, "creating");
  world.agents_work();
  ASSERT_TRUE(world.settle_group("foo").settled);
  EXPECT_EQ(world.group("foo").status, "available");
}

TEST_F(GroupUsersTest, ChangesAreNotHeldUpByAGroupOnItsWayOut) {
  make_group("foo");
  ASSERT_EQ(modify_user("off"), "");
  world.settle_group("foo");
  DeleteReplicationGroup deletion;
  deletion.id = "foo";
  deletion.retain_primary = true;
  EXPECT_EQ(world.admit_code(deletion), "InvalidParameterCombination")
      << "its primary would let in everybody";
  deletion.retain_primary = false;
  ASSERT_EQ(world.admit_code(deletion), "");
  world.settle_group("foo");
  EXPECT_EQ(user("a").status, "active");
  EXPECT_EQ(world.admit_code(DeleteUserGroup{"g"}), "InvalidUserGroupState")
      << "until the group is gone";
  ASSERT_EQ(modify_user("on"), "");
  EXPECT_EQ(user("a").status, "active");
}

}  // namespace
}  // namespace hikae::core
