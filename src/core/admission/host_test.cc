#include "core/admission/host.h"

#include <set>

#include <gtest/gtest.h>

#include "core/reconcile/waiting.h"
#include "core/testing/world.h"

namespace hikae::core {
namespace {

constexpr const char* kSecret = "digest of the secret";

HostFacts facts(const std::string& zone, const std::string& addresses) {
  HostFacts out;
  out.zone = zone;
  out.memory_bytes = std::uint64_t(64) << 30;
  out.addresses = {*AddressRange::parse(addresses)};
  out.engines = {"valkey 8.0.1"};
  out.software = "0.1.0";
  return out;
}

std::string identity(char c) {
  return std::string(64, c);
}

// A region of three hosts that joined, one for each zone.
class HostTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(world.admit_code(ChooseShape{false}), "");
    ASSERT_EQ(world.admit_code(CreateJoinToken{JoinTokenId("t"), kSecret, std::chrono::hours(1)}),
              "");
    ASSERT_EQ(join("h1", 'a', facts("a", "10.0.1.1-10.0.1.9")), "");
    ASSERT_EQ(join("h2", 'b', facts("b", "10.0.2.1-10.0.2.9")), "");
    ASSERT_EQ(join("h3", 'c', facts("ap-northeast-1c", "10.0.3.1-10.0.3.9")), "");
  }
  std::string join(const std::string& name, char key, HostFacts what,
                   const std::string& secret = kSecret) {
    return world.admit_code(
        JoinHost{JoinTokenId("t"), secret, name, identity(key), std::move(what)});
  }
  const Host& host(const std::string& id) { return *world.state.find<Host>(HostId(id)); }
  const Node& node(const std::string& cluster) { return world.cluster(cluster).nodes[0]; }
  std::set<std::string> hosts_of(const std::string& group) {
    std::set<std::string> out;
    for (const CacheClusterId& member : world.group(group).node_groups[0].members) {
      out.insert(node(member.str()).host.str());
    }
    return out;
  }

  World world;
};

TEST_F(HostTest, JoinsWithWhatItSaysOfItself) {
  EXPECT_EQ(world.state.all<Host>().size(), 3u);
  EXPECT_EQ(host("h1").zone.str(), "ap-northeast-1a");
  EXPECT_EQ(host("h3").zone.str(), "ap-northeast-1c");
  EXPECT_EQ(host("h2").engines, std::vector<std::string>{"valkey 8.0.1"});
  EXPECT_FALSE(host("h1").is_stand_in());
}

TEST_F(HostTest, HowItsEnginesAreFencedMayChange) {
  HostFacts now = facts("a", "10.0.1.1-10.0.1.9");
  now.fences = true;
  ASSERT_EQ(world.admit_code(RefreshHost{HostId("h1"), now}), "");
  EXPECT_FALSE(host("h1").keeps);
  now.keeps = true;
  ASSERT_EQ(world.admit_code(RefreshHost{HostId("h1"), now}), "");
  EXPECT_TRUE(host("h1").fences);
  EXPECT_TRUE(host("h1").keeps);
}

TEST_F(HostTest, TheSameAgentMayJoinAgain) {
  EXPECT_EQ(join("h1", 'a', facts("a", "10.0.1.1-10.0.1.20")), "");
  EXPECT_EQ(host("h1").addresses[0].size(), 20u);
  EXPECT_EQ(world.state.all<Host>().size(), 3u);
}

TEST_F(HostTest, RefusesWhoMayNotJoin) {
  const HostFacts good = facts("a", "10.0.4.1-10.0.4.9");
  EXPECT_EQ(join("h4", 'd', good, "another digest"), "InvalidJoinToken");
  EXPECT_EQ(join("h1", 'd', good), "HostAlreadyExists");
  EXPECT_EQ(join("h5", 'a', good), "InvalidHost");  // h1's key
  EXPECT_EQ(join("local-x", 'd', good), "InvalidHost");
  EXPECT_EQ(join("-x", 'd', good), "InvalidHost");
  EXPECT_EQ(join("h4", 'd', facts("z", "10.0.4.1")), "InvalidHost");
  EXPECT_EQ(join("h4", 'd', facts("a", "10.0.1.9-10.0.4.9")), "InvalidHost");  // h1 has 10.0.1.9
  EXPECT_EQ(join("h1", 'a', facts("b", "10.0.1.1-10.0.1.9")), "InvalidHost");  // another zone
  HostFacts twice = good;
  twice.addresses.push_back(good.addresses[0]);
  EXPECT_EQ(join("h4", 'd', twice), "InvalidHost");
  HostFacts none = good;
  none.addresses.clear();
  EXPECT_EQ(join("h4", 'd', none), "InvalidHost");
  EXPECT_EQ(join("h4", 'd', facts("a", "10.0.0.0/8")), "InvalidHost");
  EXPECT_EQ(join("h4", 'd', good), "");
}

TEST_F(HostTest, ATokenEnds) {
  world.now = world.now + std::chrono::hours(1);
  EXPECT_EQ(join("h4", 'd', facts("a", "10.0.4.1")), "InvalidJoinToken");
  ASSERT_EQ(world.admit_code(CreateJoinToken{JoinTokenId("u"), "x", std::chrono::minutes(1)}), "");
  EXPECT_EQ(world.state.find<JoinToken>(JoinTokenId("t")), nullptr);  // nothing expired is kept
  EXPECT_EQ(world.admit_code(CreateJoinToken{JoinTokenId("v"), "x", Duration()}),
            "InvalidJoinToken");
}

TEST_F(HostTest, TellingTheSameChangesNothing) {
  const auto same = admit(world.state, RefreshHost{HostId("h1"), facts("a", "10.0.1.1-10.0.1.9")},
                          world.context());
  ASSERT_TRUE(same);
  EXPECT_TRUE(same->empty());
  EXPECT_EQ(world.admit_code(RefreshHost{HostId("h9"), facts("a", "10.0.9.1")}), "HostNotFound");
}

TEST_F(HostTest, NodesGetAddressesOfTheirHostAndKeepThem) {
  world.make_group("foo", 3);
  EXPECT_EQ(node("foo-001").address.str(), "10.0.1.1");
  EXPECT_EQ(node("foo-002").address.str(), "10.0.2.1");
  EXPECT_NE(node("foo-001").vpc_address, node("foo-001").address);
  EXPECT_EQ(world.admit_code(RefreshHost{HostId("h1"), facts("a", "10.0.1.2-10.0.1.9")}),
            "InvalidHost");
  EXPECT_EQ(world.admit_code(RefreshHost{HostId("h1"), facts("a", "10.0.1.1-10.0.1.2")}), "");
}

TEST_F(HostTest, ACordonedHostGetsNothingNew) {
  ASSERT_EQ(join("h4", 'd', facts("a", "10.0.4.1-10.0.4.9")), "");
  ASSERT_EQ(world.admit_code(CordonHost{HostId("h1"), true}), "");
  world.make_group("foo", 3);
  EXPECT_EQ(hosts_of("foo"), (std::set<std::string>{"h2", "h3", "h4"}));
  ASSERT_EQ(world.admit_code(CordonHost{HostId("h4"), true}), "");
  ASSERT_EQ(world.admit_code(CordonHost{HostId("h1"), false}), "");
  world.make_group("bar", 3);
  EXPECT_EQ(hosts_of("bar"), (std::set<std::string>{"h1", "h2", "h3"}));
}

TEST_F(HostTest, OnlyALostHostIsRemovedWithItsNodes) {
  world.make_group("foo", 3);
  EXPECT_EQ(world.admit_code(RemoveHost{HostId("h1"), false}), "HostInUse");
  EXPECT_EQ(world.admit_code(RemoveHost{HostId("h9"), false}), "HostNotFound");
  ASSERT_EQ(world.admit_code(RemoveHost{HostId("h1"), true}), "");
  EXPECT_EQ(world.state.find<Host>(HostId("h1")), nullptr);
  EXPECT_TRUE(node("foo-001").host.empty());
  EXPECT_TRUE(node("foo-001").recovering);
  EXPECT_EQ(node("foo-002").host.str(), "h2");
}

// The primary's host is lost and nothing can take its place: a replica becomes primary, and the
// group waits for a host in the zone of the lost one.
TEST_F(HostTest, AGroupGoesOnWithoutALostHost) {
  world.make_group("foo", 3);
  ASSERT_EQ(world.admit_code(RemoveHost{HostId("h1"), true}), "");
  world.observed.nodes.erase(NodeKey{CacheClusterId("foo-001"), NodeId("0001")});
  for (auto& [key, seen] : world.observed.nodes) {
    seen.surveyed = seen.offset_settled = true;
  }
  const Plan plan = world.settle_group("foo");
  EXPECT_EQ(world.group("foo").node_groups[0].primary.str(), "foo-002");
  EXPECT_EQ(world.group("foo").node_groups[0].epoch, Epoch(2));
  EXPECT_FALSE(plan.settled);
  world.agents_work();
  const Plan waiting = world.settle_group("foo");
  EXPECT_NE(waiting.reason.find("foo-001/0001 needs a host with"), std::string::npos)
      << waiting.reason;

  ASSERT_EQ(join("h4", 'd', facts("a", "10.0.4.1-10.0.4.9")), "");
  world.settle_group("foo");
  world.agents_work();
  EXPECT_TRUE(world.settle_group("foo").settled);
  EXPECT_EQ(node("foo-001").host.str(), "h4");
  EXPECT_EQ(node("foo-001").zone.str(), "ap-northeast-1a");
  EXPECT_FALSE(node("foo-001").recovering);
}

TEST_F(HostTest, TheShapeChangesOnlyWithoutNodes) {
  EXPECT_EQ(world.admit_code(ChooseShape{true}), "HostInUse");
  EXPECT_EQ(world.admit_code(ChooseShape{false}), "");
  World one;
  one.make_group("foo", 2);
  EXPECT_EQ(one.admit_code(ChooseShape{true}), "");
  EXPECT_EQ(one.admit_code(ChooseShape{false}), "HostInUse");
  World empty;
  EXPECT_EQ(empty.admit_code(ChooseShape{false}), "");
  EXPECT_TRUE(empty.state.all<Host>().empty());
  EXPECT_EQ(empty.admit_code(ChooseShape{true}), "");
  EXPECT_EQ(empty.state.all<Host>().size(), 3u);
  EXPECT_TRUE(empty.state.find<Host>(HostId("local-ap-northeast-1a"))->fronts);
  EXPECT_EQ(empty.admit_code(ChooseShape{true, false}), "") << "another program serves it";
  EXPECT_FALSE(empty.state.find<Host>(HostId("local-ap-northeast-1a"))->fronts);
  EXPECT_EQ(empty.admit_code(RemoveHost{HostId("local-ap-northeast-1a"), true}), "InvalidHost");
}

TEST_F(HostTest, SaysWhatANodeWouldNeed) {
  for (const char* id : {"h1", "h2"}) {
    HostFacts small = facts(id[1] == '1' ? "a" : "b", std::string("10.0.") + id[1] + ".1");
    small.memory_bytes = std::uint64_t(1) << 30;
    ASSERT_EQ(world.admit_code(RefreshHost{HostId(id), small}), "");
  }
  ASSERT_EQ(world.admit_code(CordonHost{HostId("h3"), true}), "");
  CreateReplicationGroup command;
  command.id = "foo";
  command.num_cache_clusters = 1;
  command.settings.node_type = "cache.m3.medium";
  ASSERT_EQ(world.admit_code(command), "");
  const Plan plan = world.settle_group("foo");
  EXPECT_EQ(nodes_without_place(world.state).size(), 1u);
  EXPECT_NE(plan.reason.find("foo-001/0001 needs a host with 2.8 GiB of memory and an address in "
                             "ap-northeast-1a or ap-northeast-1b or ap-northeast-1c; h1 has 1.0 "
                             "GiB of 1.0 GiB left, h2 has 1.0 GiB of 1.0 GiB left, h3 is cordoned"),
            std::string::npos)
      << plan.reason;
}

TEST_F(HostTest, SpreadsOverZonesFirstThenOverHosts) {
  ASSERT_EQ(join("h4", 'd', facts("a", "10.0.4.1-10.0.4.9")), "");
  ASSERT_EQ(join("h5", 'e', facts("b", "10.0.5.1-10.0.5.9")), "");
  world.make_group("foo", 5);
  EXPECT_EQ(hosts_of("foo").size(), 5u);
}

}  // namespace
}  // namespace hikae::core
