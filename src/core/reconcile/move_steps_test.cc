#include "core/reconcile/move_steps.h"

#include <gtest/gtest.h>

#include "core/placement/moving.h"
#include "core/testing/hosts.h"

namespace hikae::core {
namespace {

NodeKey key_of(const std::string& cluster) {
  return {CacheClusterId(cluster), NodeId("0001")};
}

class MoveTest : public ::testing::Test {
 protected:
  void drain(const std::string& host) {
    ASSERT_EQ(world.admit_code(DrainHost{HostId(host), true, {}}), "");
  }
  // The group's next plan, applied.
  std::string step(const std::string& group) {
    const Plan plan = plan_replication_group(world.state, world.observed, ReplicationGroupId(group),
                                             world.context());
    world.apply(plan.transition);
    return plan.reason;
  }
  // Until the group has nothing more to do.
  void work(const std::string& group) {
    for (int i = 0; i < 12; ++i) {
      world.settle_group(group);
      world.agents_work();
    }
  }
  std::string step_cluster(const std::string& id) {
    const Plan plan =
        plan_standalone_cluster(world.state, world.observed, CacheClusterId(id), world.context());
    world.apply(plan.transition);
    return plan.reason;
  }
  void make_cluster(const std::string& id) {
    CreateCacheCluster command;
    command.id = id;
    command.settings.node_type = "cache.m3.medium";
    command.preferred_zone = "ap-northeast-1a";
    ASSERT_EQ(world.admit_code(command), "");
    world.settle_cluster(id);
    world.agents_work();
    world.settle_cluster(id);
    ASSERT_EQ(world.cluster(id).status, "available");
  }

  HostsWorld world;
};

TEST_F(MoveTest, AReplicaIsCopiedBeforeItLeaves) {
  world.make_group("foo", 3);
  world.join("h4", "c");
  const std::string replica = world.member_on("foo", "h3");
  ASSERT_NE(replica, world.primary_of("foo"));
  const Node before = world.node(replica);
  drain("h3");
  step("foo");
  EXPECT_EQ(world.host_of(replica), "h3");
  EXPECT_EQ(world.node(replica).move.host.str(), "h4");

  world.agents_work();
  world.observed.arrivals.at(key_of(replica)).link_up = false;
  EXPECT_EQ(step("foo"), "waits for the copy of " + replica + "/0001 on h4 to synchronise");
  EXPECT_EQ(world.host_of(replica), "h3");

  world.agents_work();
  EXPECT_EQ(step("foo"), "the copy is synchronised");
  const Node& after = world.node(replica);
  EXPECT_EQ(after.host.str(), "h4");
  EXPECT_NE(after.address, before.address);
  EXPECT_EQ(after.vpc_address, before.vpc_address);
  EXPECT_EQ(after.id, before.id);
  EXPECT_FALSE(after.move.under_way());
  EXPECT_TRUE(nodes_on(world.state, HostId("h3")).empty());
}

TEST_F(MoveTest, APrimaryGivesUpTheLeadFirst) {
  world.make_group("foo", 3);
  const std::string primary = world.primary_of("foo");
  const std::string from = world.host_of(primary);
  world.join("h4", "a");
  world.join("h5", "b");
  world.join("h6", "c");
  drain(from);
  step("foo");
  EXPECT_FALSE(world.group("foo").node_groups[0].switchover_target.empty());
  EXPECT_FALSE(world.node(primary).move.under_way());
  work("foo");
  EXPECT_NE(world.primary_of("foo"), primary);
  EXPECT_NE(world.host_of(primary), from);
  EXPECT_EQ(world.group("foo").status, "available");
}

TEST_F(MoveTest, OneNodeOfTheRegionMovesAtATime) {
  world.make_group("foo", 3);
  world.make_group("bar", 3);
  world.join("h4", "c");
  const std::string foo = world.member_on("foo", "h3");
  const std::string bar = world.member_on("bar", "h3");
  drain("h3");
  work("foo");
  ASSERT_EQ(world.host_of(foo), "h4");
  drain("h4");
  ASSERT_EQ(world.admit_code(CordonHost{HostId("h3"), false}), "");
  step("foo");
  ASSERT_TRUE(world.node(foo).move.under_way());
  drain("h3");
  EXPECT_EQ(step("bar"), "stays on h3: " + bar +
                             "/0001 needs another host with 2.8 GiB of memory in ap-northeast-1c; "
                             "h4 is cordoned.");
  world.join("h5", "c");
  EXPECT_EQ(step("bar"), bar + " waits for its turn to leave h3");
}

TEST_F(MoveTest, WithoutRoomItStays) {
  world.make_group("foo", 3);
  const std::string replica = world.member_on("foo", "h3");
  drain("h3");
  const std::string lack = replica +
                           "/0001 needs another host with 2.8 GiB of memory in "
                           "ap-northeast-1c; there is none.";
  EXPECT_EQ(step("foo"), "stays on h3: " + lack);
  EXPECT_EQ(drain_notes(world.state, HostId("h3")),
            std::vector<std::string>{replica + "/0001 stays: " + lack});
  EXPECT_EQ(world.host_of(replica), "h3");
}

TEST_F(MoveTest, AStoppedDrainCallsTheCopyOff) {
  world.make_group("foo", 3);
  world.join("h4", "c");
  const std::string replica = world.member_on("foo", "h3");
  drain("h3");
  step("foo");
  ASSERT_TRUE(world.node(replica).move.under_way());
  ASSERT_EQ(world.admit_code(DrainHost{HostId("h3"), false, {}}), "");
  EXPECT_EQ(step("foo"), "host h3 is drained no more");
  EXPECT_FALSE(world.node(replica).move.under_way());
  EXPECT_EQ(world.host_of(replica), "h3");
  EXPECT_TRUE(world.host("h3").cordoned);
}

TEST_F(MoveTest, ADrainEndsWithItsTime) {
  world.make_group("foo", 3);
  world.join("h4", "c");
  ASSERT_EQ(world.admit_code(DrainHost{HostId("h3"), true, std::chrono::minutes(5)}), "");
  world.now = world.now + std::chrono::minutes(6);
  step("foo");
  EXPECT_EQ(world.member_on("foo", "h4"), "");
  EXPECT_FALSE(any_node_moves(world.state));
}

// The copy follows, the node holds back writes, ends, and only then does the copy lead.
TEST_F(MoveTest, ANodeThatIsAloneHandsItsDataOver) {
  make_cluster("solo");
  world.join("h4", "a");
  drain("h1");
  step_cluster("solo");
  world.agents_work();
  DirectiveTable known;
  const auto copy = arrival_assignment(world.state, world.observed, world.cluster("solo"),
                                       world.node("solo"), known);
  ASSERT_TRUE(copy.has_value());
  EXPECT_EQ(copy->role, Role::kReplica);
  EXPECT_EQ(copy->primary_address, world.node("solo").address);
  EXPECT_EQ(step_cluster("solo"), "the copy is synchronised; writes are held back");

  world.agents_work();
  auto& source = world.observed.nodes.at(key_of("solo"));
  ASSERT_TRUE(source.writes_paused);
  source.replication_offset = 200;
  EXPECT_EQ(step_cluster("solo"), "waits for the copy to have all that it wrote");
  world.observed.arrivals.at(key_of("solo")).replication_offset = 200;
  EXPECT_EQ(step_cluster("solo"), "it holds back writes, and the copy has them all");

  EXPECT_EQ(step_cluster("solo"), "waits for host h1 to end solo/0001");
  EXPECT_EQ(world.host_of("solo"), "h1");
  EXPECT_EQ(assignment_for(world.state, world.observed, HostId("h4")).nodes[0]->role,
            Role::kReplica);
  world.agents_work();
  EXPECT_EQ(step_cluster("solo"), "its process on the old host has ended");
  EXPECT_EQ(world.host_of("solo"), "h4");
  EXPECT_EQ(assignment_for(world.state, world.observed, HostId("h4")).nodes[0]->role,
            Role::kPrimary);
}

TEST_F(MoveTest, AHandOverThatTakesTooLongIsCalledOff) {
  make_cluster("solo");
  world.join("h4", "a");
  drain("h1");
  step_cluster("solo");
  world.agents_work();
  step_cluster("solo");
  world.agents_work();
  world.observed.nodes.at(key_of("solo")).replication_offset = 200;
  world.now = world.now + kHandOverBound;
  EXPECT_EQ(step_cluster("solo"), "the copy did not catch up in time");
  EXPECT_FALSE(world.node("solo").move.under_way());
  world.agents_work();
  EXPECT_FALSE(world.observed.nodes.at(key_of("solo")).writes_paused);
}

TEST_F(MoveTest, HostsThatShareTheirAddressTakeEachPortOnce) {
  make_cluster("one");
  world.join("h4", "a", true);
  drain("h1");
  for (int i = 0; i < 6; ++i) {
    step_cluster("one");
    world.agents_work();
  }
  ASSERT_EQ(world.host_of("one"), "h4");
  CreateCacheCluster command;
  command.id = "two";
  command.settings.node_type = "cache.m3.medium";
  command.preferred_zone = "ap-northeast-1a";
  ASSERT_EQ(world.admit_code(command), "");
  EXPECT_NE(world.settle_cluster("two").reason.find("h4 has a node on port 6379 already"),
            std::string::npos);
  command.id = "three";
  command.settings.port = 6380;
  ASSERT_EQ(world.admit_code(command), "");
  world.settle_cluster("three");
  EXPECT_EQ(world.node("three").address, world.node("one").address);
}

}  // namespace
}  // namespace hikae::core
