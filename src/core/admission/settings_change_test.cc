#include "core/admission/settings_change.h"

#include <gtest/gtest.h>

#include "core/admission/cluster_changes.h"
#include "core/admission/group_changes.h"
#include "core/admission/parameter_group.h"
#include "core/testing/world.h"

namespace hikae::core {
namespace {

class SettingsChangeTest : public testing::Test {
 protected:
  SettingsChangeTest() {
    settings_.engine = "redis";
    settings_.engine_version = "5.0.6";
    settings_.node_type = "cache.m5.large";
    settings_.parameter_group = ParameterGroupName("default.redis5.0");
  }

  Admitted<NodeChanges> decide(const SettingsChange& change) {
    return change_nodes(world_.state, change, settings_, pending_);
  }
  std::string refusal(const SettingsChange& change) {
    const auto changes = decide(change);
    return changes ? "" : changes.error().code + ": " + changes.error().message;
  }
  void own_group(const std::string& name, const std::string& family) {
    ASSERT_EQ(world_.admit_code(CreateParameterGroup{name, family, "", {}}), "");
  }
  static SettingsChange version(const std::string& text) {
    SettingsChange change;
    change.engine_version = text;
    return change;
  }

  World world_;
  CacheSettings settings_;
  NodeChanges pending_;
};

TEST_F(SettingsChangeTest, ADefaultParameterGroupFollowsTheFamily) {
  const auto changes = decide(version("7.1"));
  ASSERT_TRUE(changes);
  EXPECT_EQ(changes->engine_version, "7.1");
  EXPECT_EQ(changes->parameter_group.str(), "default.redis7");
  EXPECT_TRUE(changes->engine.empty());
  EXPECT_TRUE(decide(version("5.0.6"))->empty()) << "what is there already changes nothing";
}

TEST_F(SettingsChangeTest, AnOwnParameterGroupHasToBeNamedAnew) {
  own_group("mine", "redis5.0");
  own_group("newer", "redis7");
  settings_.parameter_group = ParameterGroupName("mine");
  EXPECT_EQ(refusal(version("7.1")),
            "InvalidParameterCombination: Expected a parameter group of family redis7 but found "
            "one of family redis5.0");
  SettingsChange change = version("7.1");
  change.parameter_group = "Newer";
  EXPECT_EQ(decide(change)->parameter_group.str(), "newer");
}

TEST_F(SettingsChangeTest, VersionsOnlyGrow) {
  EXPECT_EQ(refusal(version("5.0.4")),
            "InvalidParameterCombination: Downgrading from redis 5.0.6 to redis 5.0.4 is not "
            "supported.");
  EXPECT_EQ(refusal(version("7.4")),
            "InvalidParameterCombination: Cannot find version 7.4 for redis");
  EXPECT_EQ(refusal(version("6.2.6")),
            "InvalidParameterValue: Specific version selection is not allowed for '6.2.6', please "
            "use '6.2'");
  EXPECT_EQ(decide(version("6.x"))->engine_version, "6.2");
}

TEST_F(SettingsChangeTest, RedisBecomesValkey) {
  SettingsChange change = version("8.0");
  change.engine = "Valkey";
  const auto changes = decide(change);
  ASSERT_TRUE(changes);
  EXPECT_EQ(changes->engine, "valkey");
  EXPECT_EQ(changes->parameter_group.str(), "default.valkey8");
  change.engine_version.reset();
  EXPECT_EQ(decide(change)->engine_version, find_engine_version("valkey", "")->version);
  change.engine = "memcached";
  EXPECT_NE(refusal(change).find("InvalidParameterValue"), std::string::npos);
}

TEST_F(SettingsChangeTest, TheOnlyWayBackIsFromValkey72ToRedis71) {
  settings_.engine = "valkey";
  settings_.engine_version = "7.2";
  settings_.parameter_group = ParameterGroupName("default.valkey7");
  SettingsChange change = version("7.1");
  change.engine = "redis";
  EXPECT_EQ(decide(change)->parameter_group.str(), "default.redis7");
  settings_.engine_version = "8.0";
  settings_.parameter_group = ParameterGroupName("default.valkey8");
  EXPECT_EQ(refusal(change),
            "InvalidParameterCombination: Downgrading from valkey 8.0 to redis 7.1 is not "
            "supported.");
}

TEST_F(SettingsChangeTest, AParameterGroupHasToFit) {
  SettingsChange change;
  change.parameter_group = "absent";
  EXPECT_EQ(refusal(change), "CacheParameterGroupNotFound: CacheParameterGroup absent not found.");
  change.parameter_group = "default.valkey8";
  EXPECT_EQ(refusal(change),
            "InvalidParameterCombination: valkey parameter group is not applicable to engine "
            "redis");
  change.parameter_group = "default.redis7";
  EXPECT_EQ(refusal(change),
            "InvalidParameterCombination: Expected a parameter group of family redis5.0 but found "
            "one of family redis7");
  change.parameter_group = "default.redis5.0.cluster.on";
  EXPECT_NE(refusal(change).find("Cluster mode should be disabled"), std::string::npos);
}

TEST_F(SettingsChangeTest, FixedParametersKeepTheirValues) {
  own_group("more", "redis5.0");
  ASSERT_EQ(world_.admit_code(ModifyParameterGroup{"more", {{"databases", "32"}}}), "");
  SettingsChange change;
  change.parameter_group = "more";
  EXPECT_EQ(refusal(change),
            "InvalidParameterCombination: The parameter databases must have the same value in the "
            "cache parameter groups default.redis5.0 and more.");
  // Where they can be changed at any time, a reboot brings them.
  own_group("old", "redis2.8");
  ASSERT_EQ(world_.admit_code(ModifyParameterGroup{"old", {{"databases", "32"}}}), "");
  settings_.engine_version = "2.8.24";
  settings_.parameter_group = ParameterGroupName("default.redis2.8");
  settings_.node_type = "cache.m3.medium";
  change.parameter_group = "old";
  EXPECT_EQ(decide(change)->parameter_group.str(), "old");
}

TEST_F(SettingsChangeTest, ANodeTypeHasToBeOfferedForTheVersion) {
  SettingsChange change;
  change.node_type = "cache.z9.huge";
  EXPECT_EQ(refusal(change), "InvalidParameterValue: Invalid cache node type: cache.z9.huge.");
  settings_.node_type = "cache.m3.medium";
  SettingsChange valkey = version("8.0");
  valkey.engine = "valkey";
  EXPECT_EQ(refusal(valkey),
            "InvalidParameterCombination: The cache node type cache.m3.medium is not supported for "
            "valkey 8.0.");
  valkey.node_type = "cache.t3.micro";
  EXPECT_EQ(decide(valkey)->node_type, "cache.t3.micro");
}

TEST_F(SettingsChangeTest, ChangesAddToThosePending) {
  pending_.engine_version = "6.2";
  pending_.parameter_group = ParameterGroupName("default.redis6.x");
  SettingsChange change;
  change.node_type = "cache.m5.xlarge";
  const auto changes = decide(change);
  ASSERT_TRUE(changes);
  EXPECT_EQ(changes->engine_version, "6.2");
  EXPECT_EQ(changes->node_type, "cache.m5.xlarge");
  // A pending version is no version yet: the way back to the running one is free.
  EXPECT_TRUE(decide(version("5.0.6"))->empty());
}

TEST(ModifyReplicationGroup, SnapshotsNeedTheirMemberAndTheirDays) {
  World world;
  world.make_group("foo", 2);
  ModifyReplicationGroup command;
  command.id = "foo";
  command.settings.snapshot_retention_days = 3;
  EXPECT_EQ(world.admit_code(command), "InvalidParameterCombination");
  command.snapshotting_cluster = "stranger";
  EXPECT_EQ(world.admit_code(command), "CacheClusterNotFound");
  world.make_group("other", 2);
  command.snapshotting_cluster = "other-002";
  EXPECT_EQ(world.admit_code(command), "InvalidParameterValue");
  command.snapshotting_cluster = "foo-002";
  EXPECT_EQ(world.admit_code(command), "");
  EXPECT_EQ(world.cluster("foo-002").settings.snapshot_retention_days, 3);
  EXPECT_EQ(world.cluster("foo-001").settings.snapshot_retention_days, 0);
  ModifyReplicationGroup off;
  off.id = "foo";
  off.settings.snapshot_retention_days = 0;
  EXPECT_EQ(world.admit_code(off), "");
  EXPECT_TRUE(world.group("foo").snapshotting_cluster.empty());
  EXPECT_EQ(world.cluster("foo-002").settings.snapshot_retention_days, 0);
}

TEST(ModifyReplicationGroup, MembersShowWhatTakesEffectAtOnce) {
  World world;
  world.make_group("foo", 2);
  ModifyReplicationGroup command;
  command.id = "foo";
  command.settings.notification_topic_arn = "arn:aws:sns:ap-northeast-1:123456789012:topic";
  command.settings.notification_topic_status = "inactive";
  ASSERT_EQ(world.admit_code(command), "");
  EXPECT_EQ(world.group("foo").status, "available");
  EXPECT_EQ(world.cluster("foo-002").settings.notification_topic_status, "inactive");
  command.settings.notification_topic_status = "loud";
  EXPECT_EQ(world.admit_code(command), "InvalidParameterValue");
  command.settings = {};
  EXPECT_EQ(world.admit_code(command), "InvalidParameterCombination") << "nothing is asked for";
  command.settings.security_groups = std::vector<std::string>{"sg-0123456789abcdef0"};
  EXPECT_EQ(world.admit_code(command), "InvalidParameterValue");
}

TEST(ModifyReplicationGroup, NothingIsRolledWhileAMemberIsBusy) {
  World world;
  world.make_group("foo", 2);
  ASSERT_EQ(world.admit_code(RebootCacheCluster{"foo-002", {"0001"}}), "");
  ModifyReplicationGroup command;
  command.id = "foo";
  command.settings.node_type = "cache.m3.large";
  command.settings.apply_immediately = true;
  EXPECT_EQ(world.admit_code(command), "InvalidCacheClusterState");
  command.settings.apply_immediately = false;
  EXPECT_EQ(world.admit_code(command), "") << "the maintenance window is later";
}

TEST(ModifyCacheCluster, AStandaloneNodeIsModifiedInPlace) {
  World world;
  CreateCacheCluster create;
  create.id = "one";
  create.settings.engine = "redis";
  create.settings.engine_version = "6.2";
  create.settings.node_type = "cache.t3.small";
  ASSERT_EQ(world.admit_code(create), "");
  world.settle_cluster("one");
  world.agents_work();
  world.settle_cluster("one");
  ModifyCacheCluster command;
  command.id = "ONE";
  EXPECT_EQ(world.admit_code(command), "InvalidParameterCombination");
  command.num_nodes = 2;
  EXPECT_EQ(world.admit_code(command), "InvalidParameterValue");
  command.num_nodes.reset();
  command.settings.engine = "valkey";
  EXPECT_EQ(world.admit_code(command), "InvalidParameterCombination");
  command.settings.engine.reset();
  command.settings.engine_version = "7.1";
  command.settings.node_type = "cache.t3.medium";
  ASSERT_EQ(world.admit_code(command), "");
  EXPECT_EQ(world.cluster("one").status, "available");
  command.settings.apply_immediately = true;
  ASSERT_EQ(world.admit_code(command), "");
  EXPECT_EQ(world.cluster("one").status, "modifying");
  EXPECT_EQ(world.admit_code(command), "InvalidCacheClusterState");
  for (int round = 0; round < 3; ++round) {
    world.settle_cluster("one");
    world.agents_work();
  }
  world.settle_cluster("one");
  EXPECT_EQ(world.cluster("one").status, "available");
  EXPECT_EQ(world.cluster("one").settings.engine_version, "7.1");
  EXPECT_EQ(world.cluster("one").settings.node_type, "cache.t3.medium");
  EXPECT_TRUE(world.cluster("one").applying.empty());
}

TEST(ModifyCacheCluster, OfAMemberOnlyWhatIsItsOwn) {
  World world;
  world.make_group("foo", 2);
  ModifyCacheCluster command;
  command.id = "foo-002";
  command.settings.node_type = "cache.m3.large";
  EXPECT_EQ(world.admit_code(command), "InvalidParameterCombination");
  command.settings.node_type.reset();
  command.settings.auto_minor_version_upgrade = false;
  EXPECT_EQ(world.admit_code(command), "");
  EXPECT_FALSE(world.cluster("foo-002").settings.auto_minor_version_upgrade);
  EXPECT_TRUE(world.cluster("foo-001").settings.auto_minor_version_upgrade);
}

}  // namespace
}  // namespace hikae::core
