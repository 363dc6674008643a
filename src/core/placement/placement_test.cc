#include "core/placement/placement.h"

#include <map>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/placement/moving.h"
#include "core/testing/hosts.h"
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

// Hosts h1, h2, h3 have addresses in 10.0.1.0/24, 10.0.2.0/24 and 10.0.3.0/24, which are the
// subnets of their zones.
class SubnetsOfHosts : public ::testing::Test {
 protected:
  SubnetsOfHosts() {
    Transition mapped;
    for (const auto& [id, vpc] : world.state.all<Vpc>()) {
      Vpc wide = vpc;
      wide.cidr = *Cidr::parse("10.0.0.0/16");
      mapped.put(wide);
    }
    int number = 0;
    for (const auto& [zone, id] : by_zone()) {
      Subnet subnet = *world.state.find<Subnet>(id);
      subnet.cidr = *Cidr::parse(fmt::format("10.0.{}.0/24", ++number));
      mapped.put(subnet);
    }
    world.apply(mapped);
  }
  std::map<ZoneName, SubnetId> by_zone() const {
    std::map<ZoneName, SubnetId> out;
    for (const auto& [id, subnet] : world.state.all<Subnet>()) {
      out[subnet.zone] = id;
    }
    return out;
  }
  void narrow(const std::string& zone) {
    Subnet subnet = *world.state.find<Subnet>(by_zone().at(ZoneName(zone)));
    subnet.cidr = *Cidr::parse("10.0.1.8/31");
    Transition change;
    change.put(subnet);
    world.apply(change);
  }

  HostsWorld world;
};

TEST_F(SubnetsOfHosts, GiveTheirNodesAddressesOfThemselves) {
  narrow("ap-northeast-1a");
  world.make_group("foo", 3);
  for (const char* id : {"foo-001", "foo-002", "foo-003"}) {
    const Node& node = world.node(id);
    EXPECT_TRUE(world.state.find<Subnet>(node.subnet)->cidr.contains(node.address)) << id;
    EXPECT_EQ(node.address, node.vpc_address) << id;
  }
  EXPECT_EQ(world.node(world.member_on("foo", "h1")).address.str(), "10.0.1.8");
}

TEST_F(SubnetsOfHosts, LeaveOutHostsThatAreNotThere) {
  world.join("h4", "a");  // 10.0.4.1 to 10.0.4.9
  narrow("ap-northeast-1a");
  for (const char* id : {"foo", "bar"}) {
    world.make_group(id, 3);
    EXPECT_NE(world.member_on(id, "h1"), "") << id;
  }
  CreateReplicationGroup command;
  command.id = "one";
  command.num_cache_clusters = 1;
  command.settings.node_type = "cache.m3.medium";
  command.preferred_zones = {"ap-northeast-1a"};
  ASSERT_EQ(world.admit_code(command), "");
  const Plan plan = world.settle_group("one");
  EXPECT_NE(plan.reason.find("h1 has no address left, h4 has no address in 10.0.1.8/31"),
            std::string::npos)
      << plan.reason;
}

TEST_F(SubnetsOfHosts, AreKeptWhenANodeMoves) {
  world.make_group("foo", 3);
  const std::string id = world.member_on("foo", "h1");
  world.join("h4", "a");
  const auto nowhere = place_anew(world.state, world.cluster(id), world.node(id));
  ASSERT_FALSE(nowhere);
  EXPECT_NE(nowhere.error().message.find("h4 has no address in 10.0.1.0/24"), std::string::npos)
      << nowhere.error().message;
  Host other = world.host("h4");
  other.addresses.push_back(*AddressRange::parse("10.0.1.77"));
  Transition change;
  change.put(other);
  world.apply(change);
  const auto place = place_anew(world.state, world.cluster(id), world.node(id));
  ASSERT_TRUE(place);
  Node node = world.node(id);
  node.move.host = place->host;
  node.move.address = place->address;
  arrive(world.state, node);
  EXPECT_EQ(node.host.str(), "h4");
  EXPECT_EQ(node.address.str(), "10.0.1.77");
  EXPECT_EQ(node.vpc_address, node.address);
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
