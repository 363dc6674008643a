#include "core/reconcile/lost_host.h"

#include <gtest/gtest.h>

#include "core/naming/names.h"
#include "core/naming/records.h"
#include "core/testing/hosts.h"

namespace hikae::core {
namespace {

NodeObservation& seen(World& world, const std::string& cluster) {
  return world.observed.nodes.at(NodeKey{CacheClusterId(cluster), NodeId("0001")});
}

class LostHostTest : public ::testing::Test {
 protected:
  Rebuild rebuild(const std::string& host) {
    Rebuild plan = plan_rebuild(world.state, world.observed, HostId(host), world.now);
    world.apply(plan.transition);
    return plan;
  }
  // What the other members see when the primary's host dies.
  void cut_links(const std::string& group) {
    for (const CacheClusterId& id : world.group(group).node_groups[0].members) {
      seen(world, id.str()).link_up = false;
      seen(world, id.str()).surveyed = seen(world, id.str()).offset_settled = true;
    }
  }
  bool has_event(const std::string& text) const {
    for (const auto& [id, event] : world.state.all<Event>()) {
      if (event.message.find(text) != std::string::npos) {
        return true;
      }
    }
    return false;
  }

  HostsWorld world;
};

TEST_F(LostHostTest, AReplicaIsPlacedElsewhereInItsZone) {
  world.make_group("foo", 3);
  world.join("h4", "c");
  const std::string replica = world.member_on("foo", "h3");
  world.lose("h3");
  EXPECT_TRUE(rebuild("h3").waits.empty());
  EXPECT_EQ(world.host_of(replica), "");
  EXPECT_TRUE(world.node(replica).recovering);
  world.settle_group("foo");
  EXPECT_EQ(world.host_of(replica), "h4");
}

TEST_F(LostHostTest, AtItsNewPlaceAReplicaIsNotCountedOn) {
  world.make_group("foo", 3);
  world.join("h4", "c");
  const std::string replica = world.member_on("foo", "h3");
  CacheCluster counted = world.cluster(replica);
  counted.nodes[0].fenced = counted.nodes[0].kept = true;
  counted.nodes[0].counted_epoch = world.group("foo").node_groups[0].epoch;
  Transition change;
  change.put(counted);
  world.apply(change);
  world.lose("h3");
  rebuild("h3");
  world.settle_group("foo");
  EXPECT_EQ(world.host_of(replica), "h4");
  EXPECT_EQ(world.node(replica).counted_epoch, Epoch(0));
}

TEST_F(LostHostTest, WithoutRoomItWaits) {
  world.make_group("foo", 3);
  const std::string replica = world.member_on("foo", "h3");
  world.lose("h3");
  rebuild("h3");
  EXPECT_NE(world.settle_group("foo").reason.find("h3 is out of reach"), std::string::npos);
  EXPECT_EQ(world.host_of(replica), "");
}

TEST_F(LostHostTest, APrimaryFailsOverBeforeItIsPlacedAnew) {
  world.make_group("foo", 3);
  const std::string primary = world.primary_of("foo");
  const std::string host = world.host_of(primary);
  world.join("h4", "a");
  world.join("h5", "b");
  world.join("h6", "c");
  world.lose(host);
  cut_links("foo");
  rebuild(host);
  const Plan first = plan_replication_group(world.state, world.observed, ReplicationGroupId("foo"),
                                            world.context());
  EXPECT_TRUE(first.failover.has_value()) << first.reason;
  world.apply(first.transition);
  EXPECT_NE(world.primary_of("foo"), primary);
  EXPECT_EQ(world.host_of(primary), "");
  world.settle_group("foo");
  EXPECT_NE(world.host_of(primary), "");
  EXPECT_NE(world.host_of(primary), host);
}

TEST_F(LostHostTest, ANodeWithoutAPlaceKeepsItsNameAndReadersAreSentElsewhere) {
  world.make_group("foo", 3);
  const std::string primary = world.primary_of("foo");
  const std::string host = world.host_of(primary);
  const Ipv4 before = world.node(primary).address;
  world.lose(host);
  cut_links("foo");
  rebuild(host);
  ASSERT_EQ(world.host_of(primary), "");
  const auto address_of = [&](const std::string& cluster) {
    const std::string name =
        node_endpoint(world.state.region(), CacheClusterId(cluster), NodeId("0001"));
    for (const NameRecord& record : group_records(world.state, ReplicationGroupId("foo"))) {
      if (record.name == name) {
        return std::pair(record.addresses.front(), record.ttl_seconds);
      }
    }
    return std::pair(Ipv4(), 0U);
  };
  EXPECT_EQ(address_of(primary), std::pair(before, 5U));
  for (const NameRecord& record : group_records(world.state, ReplicationGroupId("foo"))) {
    if (record.name ==
        reader_endpoint(world.state.region(), ReplicationGroupId("foo"), NodeGroupId("0001"))) {
      EXPECT_EQ(record.targets.size(), 2U);
    }
    EXPECT_NE(record.ttl_seconds, 0U);
  }
}

TEST_F(LostHostTest, APrimaryWaitsWhileAutomaticFailoverIsOff) {
  CreateReplicationGroup command;
  command.id = "foo";
  command.num_cache_clusters = 2;
  command.settings.node_type = "cache.m3.medium";
  ASSERT_EQ(world.admit_code(command), "");
  world.settle_group("foo");
  world.agents_work();
  world.settle_group("foo");
  const std::string primary = world.primary_of("foo");
  const std::string host = world.host_of(primary);
  world.lose(host);
  cut_links("foo");
  EXPECT_EQ(rebuild(host).waits,
            std::vector<std::string>{primary + " waits for host " + host +
                                     ": it is the primary, and automatic failover is off"});
  EXPECT_EQ(world.host_of(primary), host);
}

TEST_F(LostHostTest, TheLastCopiesAreNotGivenUp) {
  world.make_group("foo", 2);
  const std::string primary = world.primary_of("foo");
  const std::string host = world.host_of(primary);
  for (const char* name : {"h4", "h5", "h6"}) {
    world.join(name, "a");
  }
  for (const char* each : {"h1", "h2", "h3"}) {
    world.lose(each);
  }
  EXPECT_EQ(rebuild(host).waits,
            std::vector<std::string>{primary + " waits for host " + host +
                                     ": no other member in reach holds a copy of the data"});
  EXPECT_EQ(world.host_of(primary), host);
}

TEST_F(LostHostTest, ANodeThatIsAloneComesBackEmptyLoudly) {
  world.make_group("foo", 1);
  const std::string host = world.host_of("foo-001");
  world.lose(host);
  EXPECT_EQ(rebuild(host).waits.size(), 1u);
  EXPECT_EQ(world.host_of("foo-001"), host);  // its data may still be there
  world.join("h4", world.host(host).zone.str());
  const Rebuild plan = rebuild(host);
  EXPECT_EQ(plan.alarms, std::vector<std::string>{"All data was lost: host " + host +
                                                  " of foo-001 is dead, no other node holds a "
                                                  "copy, and it comes back empty"});
  EXPECT_TRUE(has_event("All data was lost"));
  EXPECT_EQ(world.host_of("foo-001"), "");
}

TEST_F(LostHostTest, AServerThatIsCutOffTakesNobodyForDead) {
  world.make_group("foo", 3);
  const std::string replica = world.member_on("foo", "h3");
  world.lose("h2");
  world.lose("h3");
  EXPECT_EQ(rebuild("h3").waits,
            std::vector<std::string>{"2 of 3 hosts are out of reach, so it may be this server that "
                                     "is cut off"});
  EXPECT_EQ(world.host_of(replica), "h3");
}

TEST_F(LostHostTest, AReplicaThatFollowsIsASignOfLife) {
  world.make_group("foo", 3);
  const std::string host = world.host_of(world.primary_of("foo"));
  world.lose(host);
  EXPECT_NE(sign_of_life(world.state, world.observed, HostId(host)), "");
  cut_links("foo");
  EXPECT_EQ(sign_of_life(world.state, world.observed, HostId(host)), "");
}

TEST_F(LostHostTest, ANodeOnItsWayFromALostHostIsThereAtOnce) {
  world.make_group("foo", 3);
  world.join("h4", "c");
  const std::string replica = world.member_on("foo", "h3");
  ASSERT_EQ(world.admit_code(DrainHost{HostId("h3"), true, {}}), "");
  world.settle_group("foo");
  ASSERT_EQ(world.node(replica).move.host.str(), "h4");
  world.lose("h3");
  rebuild("h3");
  EXPECT_EQ(world.host_of(replica), "h4");
  EXPECT_FALSE(world.node(replica).move.under_way());
}

TEST_F(LostHostTest, ALostTargetOfAMoveCallsItOff) {
  world.make_group("foo", 3);
  world.join("h4", "c");
  const std::string replica = world.member_on("foo", "h3");
  ASSERT_EQ(world.admit_code(DrainHost{HostId("h3"), true, {}}), "");
  world.settle_group("foo");
  world.lose("h4");
  rebuild("h4");
  EXPECT_EQ(world.host_of(replica), "h3");
  EXPECT_FALSE(world.node(replica).move.under_way());
}

}  // namespace
}  // namespace hikae::core
