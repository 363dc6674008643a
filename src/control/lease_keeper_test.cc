#include "control/lease_keeper.h"

#include <gtest/gtest.h>

#include "control/agent_test_fixture.h"
#include "control/lease_fakes.h"

namespace hikae::control {
namespace {

class LeaseKeeperTest : public AgentTest {
 protected:
  LeaseKeeperTest() { keeper_.start(); }
  ~LeaseKeeperTest() override {
    bool stopped = false;
    boost::asio::co_spawn(io_, keeper_.stop(), [&](std::exception_ptr) { stopped = true; });
    EXPECT_TRUE(run_until([&] { return stopped; }));
  }

  static NodeAssignment leased(std::uint64_t epoch) {
    NodeAssignment out = primary();
    out.epoch = core::Epoch(epoch);
    out.lease = true;
    out.peers = {*Ipv4::parse("127.64.0.5")};
    return out;
  }
  // Its process has a keeper, and it is to be known as one that has.
  NodeAssignment kept() {
    leases_.fences[kPrimary] = FenceLeases::Fence::kKeeper;
    NodeAssignment out = leased(1);
    out.kept = true;
    return out;
  }
  void take(const NodeAssignment& node) {
    core::Assignment assignment;
    assignment.nodes.emplace_back(node);
    keeper_.assign(assignment);
    settle();
  }
  // The answer to the newest question.
  void grant(std::uint64_t epoch) {
    keeper_.granted({link_.questions.back(), kLength, {{kPrimary, core::Epoch(epoch)}}});
    settle();
  }
  Monotonic until() { return leases_.all[kPrimary].until; }
  bool open() {
    return leases_.all[kPrimary].epoch == core::Epoch(0) || until() > clock_.monotonic();
  }

  FakePromises promises_{clock_};
  FakeLeaseLink link_;
  LeaseKeeper keeper_{io_.get_executor(), {leases_, promises_, link_, clock_, log_}};
};

TEST_F(LeaseKeeperTest, AsksOftenAndAtOnceForANewPrimary) {
  pass(seconds(2));
  EXPECT_GE(link_.questions.size(), 7U);
  EXPECT_LE(link_.questions.size(), 9U);
  const auto before = link_.questions.size();
  take(leased(1));
  EXPECT_EQ(link_.questions.size(), before + 1);
}

TEST_F(LeaseKeeperTest, ALeaseCountsFromTheQuestion) {
  take(leased(1));
  const Monotonic asked = link_.questions.back();
  grant(1);
  EXPECT_EQ(until(), asked + kLength);
  EXPECT_EQ(leases_.all[kPrimary].epoch, core::Epoch(1));
}

TEST_F(LeaseKeeperTest, AGrantOfAnotherEpochChangesNothing) {
  take(leased(2));
  grant(1);
  EXPECT_FALSE(leases_.all.contains(kPrimary));
  take(replica(true));
  grant(2);
  EXPECT_FALSE(leases_.all.contains(kPrimary));
}

TEST_F(LeaseKeeperTest, ReplicasExtendItWhenNoServerAnswers) {
  take(leased(1));
  grant(1);
  pass(milliseconds(400));
  EXPECT_EQ(promises_.asked, 0) << "half of it is not over yet";
  pass(seconds(10));
  EXPECT_TRUE(open());
  EXPECT_GT(promises_.asked, 10);
  promises_.promise = false;
  pass(kLength + milliseconds(200));
  EXPECT_FALSE(open());
}

TEST_F(LeaseKeeperTest, APromiseOfOtherReplicasDoesNotCount) {
  take(leased(1));
  grant(1);
  promises_.meanwhile = [this] {
    NodeAssignment more = leased(1);
    more.peers.push_back(*Ipv4::parse("127.64.0.6"));
    core::Assignment assignment;
    assignment.nodes.emplace_back(more);
    promises_.promise = true;
    keeper_.assign(assignment);
    link_.length = Duration();  // and never again
  };
  const Monotonic end = until();
  pass(milliseconds(600));
  EXPECT_GE(promises_.asked, 1);
  EXPECT_EQ(until(), end);
}

TEST_F(LeaseKeeperTest, WithoutReplicasTheServersAloneCount) {
  NodeAssignment alone = leased(1);
  alone.peers.clear();
  take(alone);
  grant(1);
  pass(seconds(2));
  EXPECT_EQ(promises_.asked, 0);
  EXPECT_EQ(promises_.counted, 0);
  EXPECT_FALSE(open());
}

TEST_F(LeaseKeeperTest, NoTransactionOutlivesAnEnd) {
  take(leased(1));
  grant(1);
  EXPECT_EQ(promises_.ended, 0) << "it had none before";
  promises_.promise = false;
  pass(seconds(3));
  ASSERT_FALSE(open());
  promises_.answers = false;
  grant(1);
  EXPECT_EQ(promises_.ended, 1);
  EXPECT_FALSE(open()) << "its clients are still there";
  promises_.answers = true;
  grant(1);
  EXPECT_EQ(promises_.ended, 2);
  EXPECT_TRUE(open());
  grant(1);
  EXPECT_EQ(promises_.ended, 2);
}

TEST_F(LeaseKeeperTest, ReplicasLearnThatTheyAreCountedOn) {
  const auto follow_for = [this](int quarters) {
    promises_.counted = 0;
    for (int i = 0; i < quarters; ++i) {
      grant(1);
      pass(milliseconds(250));
    }
  };
  take(leased(1));
  follow_for(8);
  EXPECT_GE(promises_.counted, 8) << "they find their new primary one after the other";
  follow_for(8);
  follow_for(20);
  EXPECT_GE(promises_.counted, 4);
  EXPECT_LE(promises_.counted, 7);
  EXPECT_EQ(promises_.asked, 0);
}

TEST_F(LeaseKeeperTest, AFenceIsOpenedForGoodWhenNoLeaseIsNeeded) {
  take(leased(1));
  grant(1);
  NodeAssignment free = leased(1);
  free.lease = false;
  take(free);
  EXPECT_EQ(leases_.all[kPrimary].epoch, core::Epoch(0));
  leases_.all[kPrimary].epoch = core::Epoch(1);
  NodeAssignment demoted = replica(true);
  demoted.node = kPrimary;
  take(demoted);
  EXPECT_EQ(leases_.all[kPrimary].epoch, core::Epoch(1)) << "a replica's stays as it is";
}

TEST_F(LeaseKeeperTest, AnAgentThatStopsLeavesALongerLease) {
  take(leased(1));
  grant(1);
  const Monotonic now = clock_.monotonic();
  bool stopped = false;
  boost::asio::co_spawn(io_, keeper_.stop(), [&](std::exception_ptr) { stopped = true; });
  ASSERT_TRUE(run_until([&] { return stopped; }));
  EXPECT_EQ(until(), now + core::kLongestLease);
  EXPECT_EQ(promises_.asked, 1);
}

// What an earlier agent set counts: an engine that it left without a lease has one no more.
TEST_F(LeaseKeeperTest, AnEarlierAgentsLeaseIsMet) {
  leases_.all[kPrimary] = {core::Epoch(1), clock_.monotonic() + -milliseconds(500)};
  take(leased(1));
  grant(1);
  EXPECT_EQ(promises_.ended, 1);
  EXPECT_TRUE(open());
}

TEST_F(LeaseKeeperTest, ReplicasExtendTheLeaseOfAKeptPrimaryForAsLongAsFollowingPromises) {
  link_.length = milliseconds(600);
  take(kept());
  keeper_.granted({link_.questions.back(), link_.length, {{kPrimary, core::Epoch(1)}}});
  Monotonic asked;
  promises_.meanwhile = [&] { asked = clock_.monotonic(); };
  ASSERT_TRUE(run_until([&] { return asked != Monotonic(); }, link_.length));
  EXPECT_EQ(promises_.length, core::kFollowPromise);
  EXPECT_EQ(until(), asked + core::kFollowPromise);
}

TEST_F(LeaseKeeperTest, ReplicasOfAKeptPrimaryAreToldNothing) {
  take(kept());
  for (int i = 0; i < 20; ++i) {
    grant(1);
    pass(milliseconds(250));
  }
  EXPECT_EQ(promises_.counted, 0) << "they would not understand it";
}

TEST_F(LeaseKeeperTest, NobodyIsAskedWhileItsFenceIsAnotherThanIsKnown) {
  NodeAssignment known = kept();
  leases_.fences[kPrimary] = FenceLeases::Fence::kModule;
  take(known);
  grant(1);
  pass(seconds(3));
  leases_.fences[kPrimary] = FenceLeases::Fence::kKeeper;
  known.kept = false;
  take(known);
  grant(1);
  pass(seconds(3));
  EXPECT_EQ(promises_.asked, 0);
  EXPECT_EQ(promises_.counted, 0);
}

TEST_F(LeaseKeeperTest, ReplicasDoNotBringBackTheLeaseOfAKeptPrimary) {
  take(kept());
  grant(1);
  promises_.promise = false;
  pass(kLength + milliseconds(200));
  ASSERT_FALSE(open());
  const Monotonic end = until();
  promises_.promise = true;
  promises_.asked = 0;
  pass(seconds(5));
  EXPECT_EQ(promises_.asked, 0);
  EXPECT_EQ(until(), end) << "the leader may have replaced it meanwhile";
}

TEST_F(LeaseKeeperTest, AnAnswerOfReplicasThatComesTooLateDoesNotEither) {
  promises_.takes = milliseconds(600);
  take(kept());
  grant(1);
  const Monotonic end = until();
  pass(milliseconds(1100));
  EXPECT_EQ(promises_.asked, 1) << "after half of it";
  pass(seconds(1));
  EXPECT_EQ(until(), end);
}

TEST_F(LeaseKeeperTest, OneWithTheModuleMayHaveSuchAnAnswer) {
  promises_.takes = milliseconds(600);
  take(leased(1));
  grant(1);
  const Monotonic end = until();
  pass(milliseconds(1500));
  EXPECT_GT(promises_.ended, 0) << "for this it is opened again";
  EXPECT_GT(until(), end);
}

TEST_F(LeaseKeeperTest, AServerBringsItBackAtOnce) {
  take(kept());
  grant(1);
  promises_.promise = promises_.answers = false;
  pass(seconds(3));
  ASSERT_FALSE(open());
  grant(1);
  EXPECT_TRUE(open());
  EXPECT_EQ(promises_.ended, 0) << "nothing was refused, and it could not answer";
}

TEST_F(LeaseKeeperTest, AnAgentThatStopsLeavesAKeptPrimaryWhatFollowingGives) {
  link_.length = Duration();  // whatever is asked is asked for the leave
  take(kept());
  const Monotonic now = clock_.monotonic();
  keeper_.granted({now, milliseconds(600), {{kPrimary, core::Epoch(1)}}});
  bool stopped = false;
  boost::asio::co_spawn(io_, keeper_.stop(), [&](std::exception_ptr) { stopped = true; });
  ASSERT_TRUE(run_until([&] { return stopped; }));
  EXPECT_EQ(until(), now + core::kFollowPromise);
}

}  // namespace
}  // namespace hikae::control
