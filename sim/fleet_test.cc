#include "sim/fleet.h"

#include <gtest/gtest.h>

namespace hikae::sim {
namespace {

using core::Role;
using std::chrono::milliseconds;
using std::chrono::seconds;

class FleetTest : public ::testing::Test {
 protected:
  FleetTest() {
    options_.replication_lag = milliseconds(5);
    options_.full_resync = milliseconds(50);
    options_.longest_dying = milliseconds(20);
    options_.backlog_bytes = 10'000;
  }

  Pid start(int number, Role role) {
    Fleet::Launch launch;
    launch.node = {core::CacheClusterId("n" + std::to_string(number)), core::NodeId("0001")};
    launch.address = address(number);
    launch.port = 6379;
    launch.role = role;
    if (role == Role::kReplica) {
      launch.target = address(1).str();
      launch.target_port = 6379;
    }
    return fleet_.start(std::move(launch));
  }
  static Ipv4 address(int number) { return Ipv4(0x7f400000 + std::uint32_t(number)); }
  void pass(Duration time) {
    bool over = false;
    timeline_.call(time, [&] { over = true; });
    while (!over && timeline_.step()) {
    }
  }
  Engine& engine(Pid pid) { return *fleet_.find(pid); }

  Options options_;
  SeededRandom random_{1};
  Timeline timeline_;
  Trace trace_{timeline_, false};
  Fleet fleet_{Env{random_, timeline_, trace_, options_}};
};

TEST_F(FleetTest, AReplicaSynchronisesAndThenFollowsEveryWrite) {
  const Pid primary = start(1, Role::kPrimary);
  pass(milliseconds(100));
  fleet_.write(engine(primary), 1);
  const Pid replica = start(2, Role::kReplica);
  pass(seconds(2));
  ASSERT_TRUE(engine(replica).link_up);
  EXPECT_EQ(engine(replica).data, engine(primary).data);
  fleet_.write(engine(primary), 2);
  EXPECT_NE(engine(replica).data, engine(primary).data);  // asynchronous
  pass(milliseconds(10));
  EXPECT_EQ(engine(replica).data, engine(primary).data);
}

TEST_F(FleetTest, WhatAKilledPrimaryHadSentStillArrives) {
  const Pid primary = start(1, Role::kPrimary);
  const Pid replica = start(2, Role::kReplica);
  pass(seconds(3));
  const History::Place place = fleet_.write(engine(primary), 1);
  fleet_.kill(primary);
  EXPECT_FALSE(engine(primary).writable(timeline_.now()));
  pass(seconds(1));
  EXPECT_EQ(fleet_.find(primary), nullptr);
  EXPECT_EQ(engine(replica).data, place);
  EXPECT_FALSE(engine(replica).link_up);
}

TEST_F(FleetTest, ARestartedPrimaryIsEmptyAndItsReplicaTakesThatOver) {
  const Pid primary = start(1, Role::kPrimary);
  const Pid replica = start(2, Role::kReplica);
  pass(seconds(3));
  fleet_.write(engine(primary), 1);
  pass(milliseconds(10));
  fleet_.kill(primary);
  pass(milliseconds(50));
  start(1, Role::kPrimary);
  EXPECT_NE(engine(replica).data, History::kEmpty);
  pass(seconds(5));
  EXPECT_TRUE(engine(replica).link_up);
  EXPECT_EQ(engine(replica).data, History::kEmpty);
}

TEST_F(FleetTest, APromotedReplicaFeedsTheOthersByPartialResynchronisation) {
  const Pid primary = start(1, Role::kPrimary);
  const Pid second = start(2, Role::kReplica);
  const Pid third = start(3, Role::kReplica);
  pass(seconds(3));
  const History::Place before = fleet_.write(engine(primary), 1);
  pass(milliseconds(10));
  fleet_.kill(primary);
  pass(milliseconds(50));
  fleet_.promote(engine(second));
  EXPECT_TRUE(engine(second).writable(timeline_.now()));
  fleet_.write(engine(second), 2);
  fleet_.follow(engine(third), address(2).str(), 6379);
  EXPECT_TRUE(engine(third).has_copy);
  pass(milliseconds(30));
  EXPECT_TRUE(engine(third).link_up);
  EXPECT_TRUE(fleet_.history().leads_to(before, engine(third).data));
  EXPECT_EQ(engine(third).data, engine(second).data);
}

TEST_F(FleetTest, AStoppedPrimaryCountsAsWritableUntilItIsKilled) {
  const Pid primary = start(1, Role::kPrimary);
  pass(milliseconds(100));
  fleet_.set_pace(primary, Engine::Pace::kStopped);
  EXPECT_TRUE(engine(primary).writable(timeline_.now()));
  fleet_.terminate(primary);
  EXPECT_FALSE(engine(primary).dying);  // it cannot take the signal
  fleet_.kill(primary);
  EXPECT_FALSE(engine(primary).writable(timeline_.now()));
}

}  // namespace
}  // namespace hikae::sim
