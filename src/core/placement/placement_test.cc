#include "core/placement/placement.h"

#include <map>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing/world.h"

namespace hikae::core {
namespace {

ZoneName zone_of(World& world, const std::string& cluster) {
  return world.cluster(cluster).nodes[0].zone;
}

TEST(Placement, SpreadsAGroupOverAllZones) {
  World world;
  world.make_group("foo", 3);
  const std::set<ZoneName> zones = {zone_of(world, "foo-001"), zone_of(world, "foo-002"),
                                    zone_of(world, "foo-003")};
  EXPECT_EQ(zones.size(), 3u);
}

TEST(Placement, BalancesPrimariesOfDifferentGroups) {
  World world;
  std::map<ZoneName, int> primaries;
  for (const char* id : {"a", "b", "c", "d", "e", "f"}) {
    world.make_group(id, 2);
    ++primaries[zone_of(world, std::string(id) + "-001")];
  }
  EXPECT_EQ(primaries.size(), 3u);
  for (const auto& [zone, count] : primaries) {
    EXPECT_EQ(count, 2) << zone.str();
  }
}

TEST(Placement, HonoursPreferredZonesInOrder) {
  World world;
  CreateReplicationGroup command;
  command.id = "foo";
  command.num_cache_clusters = 3;
  command.settings.node_type = "cache.m3.medium";
  command.preferred_zones = {"ap-northeast-1c", "ap-northeast-1c", "ap-northeast-1b"};
  ASSERT_EQ(world.admit_code(command), "");
  world.settle_group("foo");
  EXPECT_EQ(zone_of(world, "foo-001").str(), "ap-northeast-1c");
  EXPECT_EQ(zone_of(world, "foo-002").str(), "ap-northeast-1c");
  EXPECT_EQ(zone_of(world, "foo-003").str(), "ap-northeast-1b");
}

TEST(Placement, EveryNodeHasAReason) {
  World world;
  world.make_group("foo", 2);
  EXPECT_NE(world.cluster("foo-001").nodes[0].placement_reason.find("fewest nodes of this group"),
            std::string::npos);
}

TEST(Placement, MapsTheNthVpcToItsOwnLoopbackNetwork) {
  Vpc vpc;
  vpc.ordinal = 3;
  EXPECT_EQ(reachable_address(vpc, *Ipv4::parse("10.0.17.5")).str(), "127.67.17.5");
}

TEST(Placement, RefusesWithTheReasonWhenHostsAreFull) {
  World world;
  Transition full;
  for (const auto& [id, host] : world.state.all<Host>()) {
    Host none = host;
    none.max_nodes = 0;
    full.put(none);
  }
  world.apply(full);
  CreateReplicationGroup command;
  command.id = "foo";
  command.num_cache_clusters = 1;
  command.settings.node_type = "cache.m3.medium";
  ASSERT_EQ(world.admit_code(command), "");
  const Plan plan = world.settle_group("foo");
  EXPECT_NE(plan.reason.find("cannot be placed"), std::string::npos) << plan.reason;
  EXPECT_FALSE(plan.settled);
}

RC_GTEST_PROP(Placement, NeverUsesAnAddressTwiceAndStaysInTheSubnet, ()) {
  World world;
  std::set<Ipv4> addresses;
  const int groups = *rc::gen::inRange(1, 5);
  for (int i = 0; i < groups; ++i) {
    const int size = *rc::gen::inRange(1, 7);
    world.make_group("g" + std::to_string(i), size);
  }
  std::size_t nodes = 0;
  for (const auto& [id, cluster] : world.state.all<CacheCluster>()) {
    const Node& node = cluster.nodes[0];
    ++nodes;
    addresses.insert(node.address);
    RC_ASSERT(world.state.find<Subnet>(node.subnet)->cidr.contains(node.vpc_address));
    RC_ASSERT(world.state.find<Host>(node.host)->zone == node.zone);
  }
  RC_ASSERT(addresses.size() == nodes);
}

}  // namespace
}  // namespace hikae::core
