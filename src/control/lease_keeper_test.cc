#include "control/lease_keeper.h"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include "control/agent_test_fixture.h"

namespace hikae::control {
namespace {

constexpr Duration kLength = milliseconds(1000);

struct FakeLeases final : FenceLeases {
  Result<std::string> path(NodeKey node, Fence) override { return "/dev/shm/" + node.str(); }
  Fence fence(NodeKey) const override { return Fence::kModule; }
  Status set(NodeKey node, Lease lease) override {
    all[node] = lease;
    return {};
  }
  std::optional<Lease> get(NodeKey node) const override {
    const auto it = all.find(node);
    return it == all.end() ? std::nullopt : std::optional(it->second);
  }
  void remove(NodeKey node) override { all.erase(node); }
  std::map<NodeKey, Lease> all;
};

struct FakePromises final : ReplicaPromises {
  Awaitable<Status> count(NodeAssignment, Duration) override {
    ++counted;
    co_return Status();
  }
  Awaitable<Status> take(NodeAssignment, Duration) override {
    ++asked;
    co_await boost::asio::post(boost::asio::use_awaitable);  // a question takes its time
    if (const auto event = std::exchange(meanwhile, nullptr)) {
      event();
    }
    co_return promise ? Status() : fail(ErrorCode::kUnavailable, "one does not follow");
  }
  Awaitable<Status> end_transactions(NodeAssignment) override {
    ++ended;
    co_return answers ? Status() : fail(ErrorCode::kTimeout, "busy");
  }
  int counted = 0;
  int asked = 0;
  int ended = 0;
  bool promise = true;
  bool answers = true;
  std::function<void()> meanwhile;
};

struct FakeLink final : LeaseLink {
  void ask_lease(Monotonic asked) override { questions.push_back(asked); }
  Duration lease_length() const override { return length; }
  std::vector<Monotonic> questions;
  Duration length = kLength;
};

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

  FakeLeases leases_;
  FakePromises promises_;
  FakeLink link_;
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

}  // namespace
}  // namespace hikae::control
