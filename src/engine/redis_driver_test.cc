#include "engine/redis_driver.h"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "engine/fake_engine.h"
#include "engine/mock_driver.h"

namespace hikae::engine {
namespace {

using Fence = control::FenceLeases::Fence;

const InstalledEngine kOldRedis{"redis", "5.0.14", "/usr/bin/redis-server"};
const InstalledEngine kValkey{"valkey", "8.0.1", "/usr/bin/valkey-server"};

core::NodeAssignment member(const std::string& engine) {
  core::NodeAssignment out;
  out.node = core::NodeKey{core::CacheClusterId("foo-001"), core::NodeId("0001")};
  out.group = core::ReplicationGroupId("foo");
  out.engine = engine;
  out.address = *Ipv4::parse("127.64.0.4");
  return out;
}

// Of the one node that is asked about.
struct OneLease final : control::FenceLeases {
  Result<std::string> path(core::NodeKey node) override { return "/dev/shm/" + node.str(); }
  Status set(core::NodeKey, Lease with) override {
    lease = with;
    return {};
  }
  std::optional<Lease> get(core::NodeKey) const override { return lease; }
  Status set_fence(core::NodeKey, Fence with) override {
    which = with;
    return {};
  }
  Fence fence(core::NodeKey) const override { return which; }
  void remove(core::NodeKey) override { lease.reset(); }
  std::optional<Lease> lease;
  Fence which = Fence::kModule;
};

class DriverFence : public ::testing::Test {
 protected:
  RedisDriver driver(bool with_module = true) {
    RedisDriver::Options options;
    options.secrets = secrets_from("secret");
    options.installed =
        std::make_shared<InstalledEngines>(InstalledEngines::List{kOldRedis, kValkey});
    options.fence_module = with_module ? "/lib/fence.so" : "";
    options.keeper = keeper_;
    options.leases = &leases_;
    return RedisDriver(std::move(options), host_, engine_);
  }
  control::LaunchSpec spec_of(const core::NodeAssignment& node, bool with_module = true) {
    return driver(with_module).launch_spec(node).value();
  }
  // What the engine says of itself, as its agent hears it.
  control::EngineStatus inspect(const std::string& replication) {
    engine_.answer("INFO replication", replication);
    RedisDriver asker = driver();
    const auto node = member("redis");
    auto status = run_to_end(io_, asker.inspect(node));
    asker.disconnect(node.node);
    io_.restart();
    io_.run();
    return status.value();
  }
  boost::asio::io_context io_{1};
  MockEngines host_;
  OneLease leases_;
  FakeEngine engine_;
  std::string keeper_ = "/lib/hikae-keeper";
};

TEST_F(DriverFence, AMemberWhoseEngineCannotLoadTheModuleRunsUnderAKeeper) {
  const auto spec = spec_of(member("redis"));
  EXPECT_EQ(spec.keeper, keeper_);
  EXPECT_EQ(spec.lease, *leases_.path(spec.node));
}

TEST_F(DriverFence, SoDoesEveryMemberWhereTheModuleIsMissing) {
  EXPECT_EQ(spec_of(member("valkey"), false).keeper, keeper_);
}

TEST_F(DriverFence, AModuleNeedsNoKeeper) {
  const auto spec = spec_of(member("valkey"));
  EXPECT_EQ(spec.keeper, "");
  EXPECT_EQ(spec.lease, "");
}

TEST_F(DriverFence, NobodyReplacesAStandaloneNode) {
  auto alone = member("redis");
  alone.group = {};
  EXPECT_EQ(spec_of(alone).keeper, "");
}

TEST_F(DriverFence, WithoutAKeeperItRunsWithoutAFence) {
  keeper_.clear();
  const auto spec = spec_of(member("redis"));
  EXPECT_EQ(spec.keeper, "");
  EXPECT_EQ(spec.lease, "");
}

TEST_F(DriverFence, WhatRunsUnderAKeeperHasAFenceThatItDoesNotKnowOf) {
  leases_.which = Fence::kKeeper;
  const auto open = inspect("role:master\r\n");
  EXPECT_TRUE(open.has_fence);
  EXPECT_TRUE(open.kept);
  EXPECT_FALSE(open.fenced) << "it takes writes without a lease";
  leases_.lease = {core::Epoch(3), Monotonic()};
  EXPECT_TRUE(inspect("role:master\r\n").fenced);
}

TEST_F(DriverFence, WhatRunsWithoutOneHasNone) {
  const auto status = inspect("role:slave\r\n");
  EXPECT_FALSE(status.has_fence);
  EXPECT_FALSE(status.kept);
  EXPECT_FALSE(status.promised);
}

TEST_F(DriverFence, OfAReplicaItTellsHowFarItIsInTheStream) {
  leases_.which = Fence::kKeeper;
  const auto status = inspect("role:slave\r\nslave_repl_offset:70\r\n");
  EXPECT_EQ(status.applied, 70U);
  EXPECT_FALSE(status.promised) << "it does not know that it is counted on";
}

}  // namespace
}  // namespace hikae::engine
