#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "control/agent.h"
#include "control/agent_test_fixture.h"
#include "core/failover/lease.h"

// What an agent does with processes that run under a keeper: one whose lease is over stands still.

namespace hikae::control {
namespace {

using Fence = FenceLeases::Fence;

// Leases are granted by the tests; nobody else extends them.
class KeeperTest : public AgentTest {
 protected:
  KeeperTest() {
    host_.keeper = "/lib/hikae-keeper";
    fences_ = &leases_;
  }

  static NodeAssignment leased() {
    NodeAssignment out = primary();
    out.lease = out.kept = out.replaceable = true;
    return out;
  }
  static NodeAssignment demoted() {
    NodeAssignment out = primary();
    out.role = core::Role::kReplica;
    out.attach = true;
    out.primary_address = replica(true).address;
    out.epoch = out.epoch.next();
    return out;
  }
  void grant(const NodeKey& node, core::Epoch epoch, Duration length = kLength) {
    const Monotonic now = clock_.monotonic();
    ASSERT_TRUE(leases_.set(node, {epoch, now + length}));
    agent_->granted({now, length, {{node, epoch}}});
    settle();
  }
  // A primary that works by a lease.
  void launch_leased() {
    launch();
    assign({leased()});
    settle();
    grant(kPrimary, core::Epoch(1));
    ASSERT_TRUE(run_until_ready(kPrimary));
  }
  // Its keeper stops it, as the kernel and whoever asks it can see.
  void halt() {
    pass(kLength);
    host_.mute = true;
    host_.engines[kPrimary].probe.activity.stopped = true;
    settle();
  }
  void go_on() {
    host_.mute = false;
    host_.engines[kPrimary].probe.activity.stopped = false;
    grant(kPrimary, core::Epoch(1));
  }
};

TEST_F(KeeperTest, AProcessUnderAKeeperIsReportedAsOne) {
  launch_leased();
  EXPECT_TRUE(reports_.newest(kPrimary)->kept);
  EXPECT_EQ(leases_.fence(kPrimary), Fence::kKeeper);
}

TEST_F(KeeperTest, TheNextProcessMayHaveNone) {
  leases_.fences[kPrimary] = Fence::kKeeper;
  host_.keeper.clear();
  launch();
  assign({primary()});
  ASSERT_TRUE(run_until_ready(kPrimary));
  EXPECT_FALSE(reports_.newest(kPrimary)->kept);
  EXPECT_EQ(leases_.fence(kPrimary), Fence::kModule);
}

TEST_F(KeeperTest, APrimaryIsStartedWithoutALeaseAndServesWhenItHasOne) {
  launch();
  assign({leased()});
  pass(seconds(3));
  EXPECT_EQ(leases_.all[kPrimary].epoch, core::Epoch(1));
  EXPECT_LE(leases_.all[kPrimary].until, clock_.monotonic());
  EXPECT_FALSE(reports_.newest(kPrimary)->ready);
  grant(kPrimary, core::Epoch(1));
  EXPECT_TRUE(reports_.newest(kPrimary)->ready) << "its clients wait for it";
}

TEST_F(KeeperTest, AHaltedPrimaryIsNeitherTakenForHungNorKilled) {
  launch_leased();
  halt();
  pass(seconds(30));
  EXPECT_EQ(host_.count("SIGKILL"), 0);
  EXPECT_FALSE(reports_.newest(kPrimary)->hung);
  EXPECT_FALSE(reports_.newest(kPrimary)->ready);
  EXPECT_NE(reports_.newest(kPrimary)->problem.find("lease is over"), std::string::npos)
      << reports_.newest(kPrimary)->problem;
}

TEST_F(KeeperTest, ItGoesOnWithTheNextLease) {
  launch_leased();
  const auto pid = host_.engines[kPrimary].pid;
  halt();
  pass(seconds(30));
  go_on();
  EXPECT_TRUE(reports_.newest(kPrimary)->ready) << "without a pause";
  EXPECT_TRUE(reports_.newest(kPrimary)->problem.empty());
  for (int i = 0; i < 10; ++i) {
    grant(kPrimary, core::Epoch(1));
    pass(kLength / 2);
  }
  EXPECT_EQ(host_.engines[kPrimary].pid, pid);
  EXPECT_FALSE(reports_.newest(kPrimary)->hung);
}

TEST_F(KeeperTest, WhoseLeaseRunsIsKilledWhenItHangs) {
  launch_leased();
  NodeAssignment held = leased();
  held.hold = true;  // so that no other process is started
  assign({held});
  grant(kPrimary, core::Epoch(1), seconds(60));
  host_.mute = true;
  host_.engines[kPrimary].probe.activity.stopped = true;
  EXPECT_TRUE(run_until([&] { return host_.count("SIGKILL") == 1; }, seconds(10)));
}

TEST_F(KeeperTest, AHaltedPrimaryIsKilledWhenAnotherLeads) {
  launch_leased();
  halt();
  host_.calls.clear();
  host_.mute = false;  // as the next process is
  assign({demoted()});
  settle();
  ASSERT_FALSE(host_.calls.empty());
  EXPECT_EQ(host_.calls.front(), "SIGKILL") << "nothing that it has read may be carried out";
  ASSERT_TRUE(run_until_ready(kPrimary));
  EXPECT_EQ(leases_.all[kPrimary].epoch, core::Epoch(0)) << "a replica needs no lease";
}

TEST_F(KeeperTest, ANewAgentKnowsThatItMetAHaltedProcess) {
  launch_leased();
  halt();
  stop();
  launch();
  assign({leased()});
  pass(seconds(30));
  EXPECT_EQ(host_.count("SIGKILL"), 0);
  go_on();
  EXPECT_TRUE(reports_.newest(kPrimary)->ready);
}

TEST_F(KeeperTest, WhoFollowsAgainNeedsNoLease) {
  launch_leased();
  assign({demoted()});
  ASSERT_TRUE(run_until([&] { return reports_.newest(kPrimary)->role == core::Role::kReplica; },
                        milliseconds(100)));
  EXPECT_EQ(leases_.all[kPrimary].epoch, core::Epoch(0));
  EXPECT_EQ(host_.count("SIGKILL"), 0);
}

TEST_F(KeeperTest, AReplicaIsStartedWithItsFenceOpen) {
  leases_.all[kReplica] = {core::Epoch(1), Monotonic()};  // of a time when it led
  launch();
  assign({replica(true)});
  ASSERT_TRUE(run_until_ready(kReplica));
  EXPECT_EQ(leases_.all[kReplica].epoch, core::Epoch(0));
}

TEST_F(KeeperTest, AReplicaMayBeCountedOnUntilItHasAppliedNothingForLong) {
  launch();
  assign({replica(true)});
  ASSERT_TRUE(run_until_ready(kReplica));
  pass(seconds(3));
  EXPECT_TRUE(reports_.newest(kReplica)->promised) << "nobody has asked for it";
  NodeAssignment asked = replica(true);
  asked.survey = true;
  assign({asked});
  ASSERT_TRUE(run_until([&] { return !reports_.newest(kReplica)->promised; }, seconds(5)));
  host_.engines[kReplica].status.applied += 37;
  ASSERT_TRUE(run_until([&] { return reports_.newest(kReplica)->promised; }, seconds(5)));
  const Monotonic applied = clock_.monotonic();
  ASSERT_TRUE(run_until([&] { return !reports_.newest(kReplica)->promised; }, seconds(5)));
  EXPECT_GT(clock_.monotonic() - applied, core::kFollowPromise);
}

TEST_F(KeeperTest, AFreshReplicaMayHaveBeenCountedOnBeforeItsStart) {
  launch();
  NodeAssignment asked = replica(true);
  asked.survey = true;
  assign({asked});
  ASSERT_TRUE(run_until_ready(kReplica));
  const Monotonic ready = clock_.monotonic();
  EXPECT_TRUE(reports_.newest(kReplica)->promised);
  ASSERT_TRUE(run_until([&] { return !reports_.newest(kReplica)->promised; }, seconds(5)));
  EXPECT_GT(clock_.monotonic() - ready, core::kFollowPromise);
}

TEST_F(KeeperTest, OneWithTheModuleKnowsItselfWhatItHasPromised) {
  host_.keeper.clear();
  launch();
  assign({replica(true)});
  ASSERT_TRUE(run_until_ready(kReplica));
  EXPECT_FALSE(reports_.newest(kReplica)->promised);
}

TEST_F(KeeperTest, ItIsPromotedAsSoonAsItHasItsLease) {
  launch();
  assign({replica(true)});
  ASSERT_TRUE(run_until_ready(kReplica));
  NodeAssignment promoted = replica(false);
  promoted.role = core::Role::kPrimary;
  promoted.epoch = promoted.epoch.next();
  promoted.lease = promoted.kept = true;
  assign({promoted});
  pass(seconds(1));
  EXPECT_EQ(host_.count("promote"), 0) << "it would be stopped at once";
  grant(kReplica, promoted.epoch);
  EXPECT_EQ(host_.count("promote"), 1) << "clients wait for it";
  EXPECT_EQ(leases_.all[kReplica].epoch, promoted.epoch);
  EXPECT_GT(leases_.all[kReplica].until, clock_.monotonic()) << "it goes on with that lease";
}

}  // namespace
}  // namespace hikae::control
