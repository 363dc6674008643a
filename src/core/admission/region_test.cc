#include "core/admission/region.h"

#include <gtest/gtest.h>

#include "core/admission/ec2_test_world.h"

namespace hikae::core {
namespace {

using RegionTest = Ec2World;

TEST_F(RegionTest, FirstStartMakesHostsAndDefaultVpc) {
  const Region& region = state.region();
  EXPECT_EQ(region.endpoint_hash.size(), 6u);
  EXPECT_EQ(region.zones.size(), 3u);
  ASSERT_EQ(state.all<Host>().size(), 3u);
  const Host* host = state.find<Host>(HostId("local-ap-northeast-1b"));
  ASSERT_NE(host, nullptr);
  EXPECT_EQ(host->zone, ZoneName("ap-northeast-1b"));

  const Vpc* vpc = find_default_vpc(state);
  ASSERT_NE(vpc, nullptr);
  EXPECT_EQ(vpc->cidr.str(), "172.31.0.0/16");
  EXPECT_EQ(vpc->ordinal, 0u);
  std::map<ZoneName, std::string> cidrs;
  for (const auto& [id, subnet] : state.all<Subnet>()) {
    EXPECT_TRUE(subnet.default_for_az);
    cidrs[subnet.zone] = subnet.cidr.str();
  }
  EXPECT_EQ(cidrs[ZoneName("ap-northeast-1a")], "172.31.0.0/20");
  EXPECT_EQ(cidrs[ZoneName("ap-northeast-1b")], "172.31.16.0/20");
  EXPECT_EQ(cidrs[ZoneName("ap-northeast-1c")], "172.31.32.0/20");
  EXPECT_EQ(state.all<SecurityGroup>().size(), 1u);
  EXPECT_EQ(state.all<NetworkAcl>().size(), 1u);
  ASSERT_EQ(state.all<RouteTable>().size(), 1u);
  EXPECT_TRUE(state.all<RouteTable>().begin()->second.main);
  ASSERT_EQ(state.all<InternetGateway>().size(), 1u);
  EXPECT_EQ(state.all<InternetGateway>().begin()->second.vpc, vpc->id);
}

TEST_F(RegionTest, RefusesWhatCannotBeARegion) {
  CreateRegion good;
  good.name = "home-1";
  good.account_id = "000000000001";
  good.endpoint_hash = "abc123";
  good.domain = "cache.example";
  good.zones = {ZoneName("home-1a")};
  ASSERT_TRUE(initial_region(good, context()));

  const auto refused = [&](auto spoil) {
    CreateRegion bad = good;
    spoil(bad);
    return code_of(initial_region(bad, context())) == "InvalidParameterValue";
  };
  EXPECT_TRUE(refused([](CreateRegion& r) { r.name = "Home 1"; }));
  EXPECT_TRUE(refused([](CreateRegion& r) { r.account_id = "12"; }));
  EXPECT_TRUE(refused([](CreateRegion& r) { r.endpoint_hash = "ABC123"; }));
  EXPECT_TRUE(refused([](CreateRegion& r) { r.domain.clear(); }));
  EXPECT_TRUE(refused([](CreateRegion& r) { r.zones.clear(); }));
  EXPECT_TRUE(refused([](CreateRegion& r) { r.zones = {ZoneName("elsewhere-1a")}; }));
  EXPECT_TRUE(refused([](CreateRegion& r) { r.zones.push_back(r.zones.front()); }));
}

}  // namespace
}  // namespace hikae::core
