#include "core/reconcile/plan.h"

#include <gtest/gtest.h>

#include "core/testing/world.h"

namespace hikae::core {
namespace {

std::vector<std::string> messages(const World& world, std::string_view source) {
  std::vector<std::string> out;
  for (const auto& [id, event] : world.state.all<Event>()) {
    if (event.source == source) {
      out.push_back(event.message);
    }
  }
  return out;
}

NodeObservation& seen(World& world, const std::string& cluster) {
  return world.observed.nodes.at(NodeKey{CacheClusterId(cluster), NodeId("0001")});
}

TEST(ReplicationGroup, BecomesAvailableOnceEveryMemberIsInService) {
  World world;
  CreateReplicationGroup command;
  command.id = "foo";
  command.num_cache_clusters = 3;
  command.automatic_failover = true;
  command.settings.node_type = "cache.m3.medium";
  ASSERT_EQ(world.admit_code(command), "");
  EXPECT_EQ(world.group("foo").automatic_failover, "enabling");
  EXPECT_NE(world.settle_group("foo").reason.find("waits for the process of"), std::string::npos);

  world.agents_work();
  seen(world, "foo-003").link_up = false;
  EXPECT_EQ(world.settle_group("foo").reason, "waits for foo-003/0001 to synchronise");
  EXPECT_EQ(world.group("foo").status, "creating");
  EXPECT_EQ(world.cluster("foo-001").status, "creating");

  seen(world, "foo-003").link_up = true;
  EXPECT_TRUE(world.settle_group("foo").settled);
  EXPECT_EQ(world.group("foo").status, "available");
  EXPECT_EQ(world.group("foo").automatic_failover, "enabled");
  EXPECT_EQ(world.group("foo").node_groups[0].status, "available");
  EXPECT_EQ(world.cluster("foo-003").status, "available");
  EXPECT_EQ(messages(world, "foo"),
            (std::vector<std::string>{
                "Replication group foo created",
                "Automatic failover has been turned on for replication group foo"}));
}

TEST(ReplicationGroup, ReplicasWaitForThePrimary) {
  World world;
  CreateReplicationGroup command;
  command.id = "foo";
  command.num_cache_clusters = 2;
  command.settings.node_type = "cache.m3.medium";
  ASSERT_EQ(world.admit_code(command), "");
  world.settle_group("foo");
  const CacheCluster& replica = world.cluster("foo-002");
  EXPECT_FALSE(node_assignment(world.state, world.observed, replica, replica.nodes[0])->attach);
  world.agents_work();
  const auto attached = node_assignment(world.state, world.observed, replica, replica.nodes[0]);
  EXPECT_TRUE(attached->attach);
  EXPECT_EQ(attached->primary_name, "foo.abcdef.0001.internal.apne1.cache.hikae.internal");
  EXPECT_EQ(attached->primary_address, world.cluster("foo-001").nodes[0].address);
}

TEST(ReplicationGroup, LaterReplicasSynchroniseOneAtATime) {
  World world;
  world.make_group("foo", 1);
  ASSERT_EQ(world.admit_code(AddReplica{"foo", "foo-002", "", {}}), "");
  ASSERT_EQ(world.admit_code(AddReplica{"foo", "foo-003", "", {}}), "");
  world.settle_group("foo");
  world.agents_work();
  seen(world, "foo-002").link_up = seen(world, "foo-002").synced = false;
  seen(world, "foo-003").link_up = seen(world, "foo-003").synced = false;
  const CacheCluster& third = world.cluster("foo-003");
  EXPECT_FALSE(node_assignment(world.state, world.observed, third, third.nodes[0])->attach);
  seen(world, "foo-003").synced = true;
  EXPECT_TRUE(node_assignment(world.state, world.observed, third, third.nodes[0])->attach)
      << "it goes on from where it is";
  seen(world, "foo-003").synced = false;
  seen(world, "foo-002").link_up = true;
  EXPECT_TRUE(node_assignment(world.state, world.observed, third, third.nodes[0])->attach);
}

TEST(ReplicationGroup, IsGoneOnlyWhenEveryHostHasLetGo) {
  World world;
  world.make_group("foo", 2);
  ASSERT_EQ(world.admit_code(DeleteReplicationGroup{"foo", false}), "");
  // The reports are older than the deletion: nothing may be concluded from them.
  world.observed.nodes.clear();
  world.settle_group("foo");
  EXPECT_NE(world.state.find<ReplicationGroup>(ReplicationGroupId("foo")), nullptr);
  world.agents_work();
  world.settle_group("foo");
  EXPECT_EQ(world.state.find<ReplicationGroup>(ReplicationGroupId("foo")), nullptr);
  EXPECT_TRUE(world.state.all<CacheCluster>().empty());
}

TEST(ReplicationGroup, DeletionMayKeepThePrimaryAsAStandaloneCluster) {
  World world;
  world.make_group("foo", 3);
  ASSERT_EQ(world.admit_code(DeleteReplicationGroup{"foo", true}), "");
  world.agents_work();
  world.settle_group("foo");
  EXPECT_EQ(world.state.all<ReplicationGroup>().size(), 0u);
  ASSERT_EQ(world.state.all<CacheCluster>().size(), 1u);
  EXPECT_TRUE(world.cluster("foo-001").replication_group.empty());
  EXPECT_EQ(world.cluster("foo-001").status, "available");
}

TEST(ReplicationGroup, FormsAroundAnExistingClusterAndGrows) {
  World world;
  CreateCacheCluster single;
  single.id = "old";
  single.settings.engine = "redis";
  single.settings.node_type = "cache.m3.medium";
  ASSERT_EQ(world.admit_code(single), "");
  world.settle_cluster("old");
  world.agents_work();
  ASSERT_TRUE(world.settle_cluster("old").settled);
  CreateReplicationGroup command;
  command.id = "foo";
  command.primary_cluster = "old";
  ASSERT_EQ(world.admit_code(command), "");
  world.settle_group("foo");
  EXPECT_EQ(world.group("foo").status, "available");
  ASSERT_EQ(world.admit_code(AddReplica{"foo", "new", "ap-northeast-1c", {}}), "");
  EXPECT_EQ(world.group("foo").status, "modifying");
  world.settle_group("foo");
  world.agents_work();
  EXPECT_TRUE(world.settle_group("foo").settled);
  EXPECT_EQ(world.cluster("new").nodes[0].zone.str(), "ap-northeast-1c");
  EXPECT_EQ(world.group("foo").node_groups[0].primary.str(), "old");
}

TEST(CacheCluster, DeletionIsRefusedWhereTheGroupNeedsIt) {
  World world;
  world.make_group("foo", 3);
  EXPECT_EQ(world.admit_code(DeleteCacheCluster{"foo-001"}), "InvalidCacheClusterState");
  EXPECT_EQ(world.admit_code(DeleteCacheCluster{"foo-002"}), "");
  EXPECT_EQ(world.admit_code(DeleteCacheCluster{"foo-003"}), "InvalidCacheClusterState");
  world.agents_work();
  world.settle_group("foo");
  EXPECT_EQ(world.group("foo").status, "available");
  EXPECT_EQ(world.group("foo").node_groups[0].members.size(), 2u);
}

TEST(CacheCluster, RebootWaitsForTheNewGeneration) {
  World world;
  world.make_group("foo", 2);
  ASSERT_EQ(world.admit_code(RebootCacheCluster{"foo-001", {"0001"}}), "");
  EXPECT_EQ(world.cluster("foo-001").status, "rebooting cluster nodes");
  EXPECT_NE(world.settle_group("foo").reason.find("the restart of"), std::string::npos);
  world.agents_work();
  EXPECT_TRUE(world.settle_group("foo").settled);
  EXPECT_EQ(world.cluster("foo-001").status, "available");
  EXPECT_EQ(world.group("foo").node_groups[0].primary.str(), "foo-001");
  EXPECT_EQ(world.group("foo").node_groups[0].epoch, Epoch(1));
}

}  // namespace
}  // namespace hikae::core
