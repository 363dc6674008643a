#include "core/admission/replica_count.h"

#include <gtest/gtest.h>

#include "core/admission/group_changes.h"
#include "core/testing/world.h"

namespace hikae::core {
namespace {

const std::string kA = "ap-northeast-1a";
const std::string kB = "ap-northeast-1b";
const std::string kC = "ap-northeast-1c";

class ReplicaCountTest : public testing::Test {
 protected:
  IncreaseReplicaCount more(int replicas) {
    IncreaseReplicaCount command;
    command.group = "foo";
    command.replicas = replicas;
    command.apply_immediately = true;
    return command;
  }
  DecreaseReplicaCount fewer(int replicas) {
    DecreaseReplicaCount command;
    command.group = "foo";
    command.replicas = replicas;
    command.apply_immediately = true;
    return command;
  }
  void settle() {
    for (int round = 0; round < 4; ++round) {
      world_.settle_group("foo");
      world_.agents_work();
    }
    world_.settle_group("foo");
    ASSERT_EQ(world_.group("foo").status, "available");
  }
  std::vector<std::string> members() {
    std::vector<std::string> out;
    for (const CacheClusterId& id : world_.group("foo").node_groups[0].members) {
      out.push_back(id.str());
    }
    return out;
  }
  std::string zone(const std::string& cluster) {
    return world_.cluster(cluster).nodes[0].zone.str();
  }
  using Names = std::vector<std::string>;

  World world_;
};

TEST_F(ReplicaCountTest, GrowsByFreeNamesAndShrinksAgain) {
  world_.make_group("foo", 2);
  ASSERT_EQ(world_.admit_code(more(3)), "");
  EXPECT_EQ(world_.group("foo").status, "modifying");
  EXPECT_EQ(world_.cluster("foo-004").status, "creating");
  settle();
  EXPECT_EQ(members(), (Names{"foo-001", "foo-002", "foo-003", "foo-004"}));
  DecreaseReplicaCount named;
  named.group = "foo";
  named.apply_immediately = true;
  named.remove = {"FOO-003"};
  ASSERT_EQ(world_.admit_code(named), "");
  EXPECT_EQ(world_.cluster("foo-003").status, "deleting");
  settle();
  EXPECT_EQ(members(), (Names{"foo-001", "foo-002", "foo-004"}));
  ASSERT_EQ(world_.admit_code(more(3)), "");
  EXPECT_EQ(members().back(), "foo-003") << "a name that is free again";
}

TEST_F(ReplicaCountTest, RefusesWhatAwsRefuses) {
  world_.make_group("foo", 3);
  EXPECT_EQ(world_.admit_code(more(2)), "NoOperationFault");
  EXPECT_EQ(world_.admit_code(fewer(2)), "NoOperationFault");
  EXPECT_EQ(world_.admit_code(more(1)), "InvalidParameterValue");
  EXPECT_EQ(world_.admit_code(more(6)), "InvalidParameterValue");
  EXPECT_EQ(world_.admit_code(fewer(3)), "InvalidParameterValue");
  EXPECT_EQ(world_.admit_code(fewer(0)), "InvalidParameterValue") << "automatic failover is on";
  IncreaseReplicaCount both = more(3);
  both.shards = {{"0001", 3, {}}};
  EXPECT_EQ(world_.admit_code(both), "InvalidParameterCombination");
  both.replicas.reset();
  both.shards = {{"0002", 3, {}}};
  EXPECT_EQ(world_.admit_code(both), "InvalidParameterValue");
  IncreaseReplicaCount later = more(3);
  later.apply_immediately = false;
  EXPECT_EQ(world_.admit_code(later), "InvalidParameterValue");
  DecreaseReplicaCount named;
  named.group = "foo";
  named.apply_immediately = true;
  EXPECT_EQ(world_.admit_code(named), "InvalidParameterCombination");
  named.remove = {"foo-001"};
  EXPECT_EQ(world_.admit_code(named), "InvalidParameterValue") << "the primary";
  named.remove = {"foo-009"};
  EXPECT_EQ(world_.admit_code(named), "InvalidParameterValue");
  named.remove = {"foo-002", "foo-003"};
  EXPECT_EQ(world_.admit_code(named), "InvalidParameterValue") << "one has to stay";
  named.group = "bar";
  EXPECT_EQ(world_.admit_code(named), "ReplicationGroupNotFoundFault");
  ASSERT_EQ(world_.admit_code(more(3)), "");
  EXPECT_EQ(world_.admit_code(more(4)), "InvalidReplicationGroupState") << "it is modifying";
}

TEST_F(ReplicaCountTest, ZonesAreFilledAsWished) {
  world_.make_group("foo", 2);
  IncreaseReplicaCount wish;
  wish.group = "foo";
  wish.apply_immediately = true;
  const std::string first = zone("foo-001");
  const std::string second = zone("foo-002");
  wish.shards = {{"0001", 2, {first, second}}};
  EXPECT_EQ(world_.admit_code(wish), "InvalidParameterCombination") << "one for each node";
  wish.shards = {{"0001", 2, {kC, kC, kC}}};
  EXPECT_EQ(world_.admit_code(wish), "InvalidParameterValue") << "the others stay where they are";
  wish.shards = {{"0001", 2, {first, second, "eu-west-1a"}}};
  EXPECT_EQ(world_.admit_code(wish), "InvalidParameterValue");
  wish.shards = {{"0001", 2, {second, second, first}}};
  ASSERT_EQ(world_.admit_code(wish), "");
  settle();
  EXPECT_EQ(zone("foo-003"), second);
}

TEST_F(ReplicaCountTest, TheFullestZoneLosesItsNewestFirst) {
  CreateReplicationGroup create;
  create.id = "foo";
  create.num_cache_clusters = 4;
  create.automatic_failover = true;
  create.multi_az = true;
  create.preferred_zones = {kA, kB, kA, kA};
  create.settings.node_type = "cache.m3.medium";
  ASSERT_EQ(world_.admit_code(create), "");
  settle();
  ASSERT_EQ(world_.admit_code(fewer(1)), "");
  settle();
  EXPECT_EQ(members(), (Names{"foo-001", "foo-002"})) << "the replica in another zone stays";
}

TEST_F(ReplicaCountTest, MultiAzKeepsAReplicaInAnotherZone) {
  CreateReplicationGroup create;
  create.id = "foo";
  create.num_cache_clusters = 3;
  create.automatic_failover = true;
  create.multi_az = true;
  create.preferred_zones = {kA, kB, kA};
  create.settings.node_type = "cache.m3.medium";
  ASSERT_EQ(world_.admit_code(create), "");
  settle();
  DecreaseReplicaCount named;
  named.group = "foo";
  named.apply_immediately = true;
  named.remove = {"foo-002"};
  EXPECT_EQ(world_.admit_code(named), "InvalidParameterCombination");
  named.remove.clear();
  named.shards = {{"0001", 1, {kA, kB}}};
  ASSERT_EQ(world_.admit_code(named), "");
  settle();
  EXPECT_EQ(members(), (Names{"foo-001", "foo-002"}));
}

TEST_F(ReplicaCountTest, SnapshotsGoOnWithAMemberThatStays) {
  world_.make_group("foo", 3);
  ModifyReplicationGroup snapshots;
  snapshots.id = "foo";
  snapshots.snapshotting_cluster = "foo-003";
  snapshots.settings.snapshot_retention_days = 1;
  ASSERT_EQ(world_.admit_code(snapshots), "");
  ASSERT_EQ(world_.admit_code(fewer(1)), "");
  settle();
  EXPECT_EQ(members(), (Names{"foo-001", "foo-002"}));
  EXPECT_EQ(world_.group("foo").snapshotting_cluster.str(), "foo-001");
}

}  // namespace
}  // namespace hikae::core
