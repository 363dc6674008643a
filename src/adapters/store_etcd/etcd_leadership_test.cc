#include "adapters/store_etcd/etcd_leadership.h"

#include <chrono>
#include <optional>

#include <gtest/gtest.h>

#include "adapters/store_etcd/etcd_store.h"
#include "adapters/store_etcd/etcd_test_clock.h"
#include "adapters/store_etcd/etcd_test_cluster.h"

namespace hikae::etcd {
namespace {

using control::LeaderTerm;
using control::run_to_end;

struct Candidate {
  Candidate(boost::asio::io_context& context, EtcdTestCluster& cluster, const std::string& prefix,
            const char* name)
      : client(cluster.options(prefix)),
        leadership(context.get_executor(), client, clock, name),
        store(client, random) {}
  TestClock clock;
  SeededRandom random{1};
  EtcdClient client;
  EtcdLeadership leadership;
  EtcdStore store;
};

class EtcdLeadershipTest : public testing::Test {
 protected:
  LeaderTerm elect(Candidate& candidate) {
    const auto term = run_to_end(context_, candidate.leadership.campaign());
    EXPECT_TRUE(term) << term.error().message;
    return term ? *term : LeaderTerm();
  }
  void run(control::Awaitable<void> operation) {
    bool done = false;
    boost::asio::co_spawn(context_, std::move(operation), [&](std::exception_ptr) { done = true; });
    context_.restart();
    context_.run();
    ASSERT_TRUE(done);
  }
  Status commit(Candidate& candidate, std::uint64_t expected, LeaderTerm term) {
    core::Host host;
    host.id = core::HostId("h");
    core::Transition transition;
    transition.put(host);
    return run_to_end(
        context_, candidate.store.commit(std::move(transition), core::Revision(expected), term));
  }

  boost::asio::io_context context_{1};
  std::string prefix_ = one_member().fresh_prefix();
  Candidate a_{context_, one_member(), prefix_, "a"};
  Candidate b_{context_, one_member(), prefix_, "b"};
};

TEST_F(EtcdLeadershipTest, WhoResignsIsFollowedAtOnceByALaterTerm) {
  const LeaderTerm first = elect(a_);
  EXPECT_NE(first.value(), 0u);
  ASSERT_TRUE(commit(a_, 0, first));
  run(a_.leadership.resign());
  EXPECT_EQ(commit(a_, 1, first).error().code, ErrorCode::kDenied);
  const LeaderTerm second = elect(b_);
  EXPECT_GT(second, first);
  EXPECT_EQ(commit(a_, 1, first).error().code, ErrorCode::kDenied);
  EXPECT_TRUE(commit(b_, 1, second));
}

TEST_F(EtcdLeadershipTest, OnlyOneIsElectedAndKeepsItsTermBeyondTheLease) {
  const LeaderTerm term = elect(a_);
  bool over = false;
  boost::asio::co_spawn(context_, a_.leadership.hold(), [&](std::exception_ptr) { over = true; });
  std::optional<Result<LeaderTerm>> other;
  boost::asio::co_spawn(
      context_, b_.leadership.campaign(),
      [&](std::exception_ptr, Result<LeaderTerm> result) { other = std::move(result); });
  context_.restart();
  context_.run_for(std::chrono::seconds(7));
  EXPECT_FALSE(over);
  EXPECT_FALSE(other);
  a_.leadership.stop();
  b_.leadership.stop();
  context_.restart();
  context_.run();
  EXPECT_TRUE(over);
  ASSERT_TRUE(other);
  EXPECT_FALSE(*other);
  EXPECT_TRUE(commit(a_, 0, term));
}

TEST_F(EtcdLeadershipTest, WhoDoesNotRenewIsReplacedAndCanChangeNothing) {
  const LeaderTerm first = elect(a_);
  EXPECT_TRUE(a_.leadership.is_certain());
  ASSERT_TRUE(commit(a_, 0, first));
  const LeaderTerm second = elect(b_);  // when a's lease has run out
  EXPECT_FALSE(a_.leadership.is_certain());
  EXPECT_TRUE(b_.leadership.is_certain());
  EXPECT_GT(second, first);
  EXPECT_EQ(commit(a_, 1, first).error().code, ErrorCode::kDenied);
  run(a_.leadership.hold());  // knows by itself, asks nobody
  ASSERT_TRUE(commit(b_, 1, second));
}

TEST_F(EtcdLeadershipTest, AKeyThatWasRemovedByHandEndsTheTerm) {
  elect(a_);
  TxnRequest removal;
  removal.success.push_back(
      Operation{Operation::What::kDelete, Layout(prefix_).leader(), "", "", 0});
  ASSERT_TRUE(run_to_end(context_, b_.client.txn(std::move(removal), std::chrono::seconds(5))));
  run(a_.leadership.hold());
  EXPECT_NE(elect(b_).value(), 0u);
}

TEST_F(EtcdLeadershipTest, ALostEtcdEndsTheTermInTime) {
  EtcdTestCluster cluster(1);
  Candidate lonely(context_, cluster, "/lonely", "lonely");
  const LeaderTerm term = elect(lonely);
  EXPECT_NE(term.value(), 0u);
  cluster.kill(0);
  run(lonely.leadership.hold());
  const auto again = run_to_end(context_, lonely.leadership.campaign());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace hikae::etcd
