#include "adapters/store_etcd/etcd_watch.h"

#include <memory>
#include <optional>

#include <gtest/gtest.h>

#include "adapters/store_etcd/etcd_test_cluster.h"
#include "net/http_client.h"

namespace hikae::etcd {
namespace {

using control::Commit;
using control::put_events;
using control::put_host;
using control::run_to_end;

// One server writes, another follows with a state of its own.
class EtcdWatchTest : public testing::Test {
 protected:
  explicit EtcdWatchTest(EtcdTestCluster& cluster = one_member())
      : cluster_(cluster),
        prefix_(cluster.fresh_prefix()),
        writer_client_(cluster.options(prefix_)),
        writer_(writer_client_, random_),
        client_(cluster.options(prefix_)),
        store_(client_, random_),
        watch_(client_, store_) {}

  void write(core::Transition transition) {
    const core::Revision expected(written_++);
    const Status done =
        run_to_end(context_, writer_.commit(std::move(transition), expected, std::nullopt));
    ASSERT_TRUE(done) << done.error().message;
  }
  void load() {
    auto loaded = run_to_end(context_, store_.load());
    ASSERT_TRUE(loaded) << loaded.error().message;
    state_ = std::move(*loaded);
  }
  // Takes over the next commit; false when the state has to be loaded.
  bool follow() {
    for (int tries = 0; tries < 100; ++tries) {
      const auto next = run_to_end(context_, watch_.next(state_.revision()));
      if (!next) {
        EXPECT_EQ(next.error().code, ErrorCode::kUnavailable) << next.error().message;
        continue;  // a member that is gone; the next one is asked
      }
      if (!*next) {
        return false;
      }
      EXPECT_EQ((*next)->revision, state_.revision().next());
      state_.apply((*next)->transition, (*next)->revision);
      return true;
    }
    ADD_FAILURE() << "nothing came";
    return false;
  }
  void expect_the_same_as_written() {
    const auto written = run_to_end(context_, writer_.load());
    ASSERT_TRUE(written);
    EXPECT_EQ(state_.revision(), written->revision());
    EXPECT_EQ(storage::to_rows(state_), storage::to_rows(*written));
  }
  // As an operator or etcd's own schedule does it: nothing before now can be told any more.
  void compact() {
    RangeRequest look;
    look.key = "/";
    const auto now = run_to_end(context_, client_.range(std::move(look), std::chrono::seconds(5)));
    ASSERT_TRUE(now);
    auto client = run_to_end(context_, net::HttpClient::open(cluster_.options("/").endpoints[0],
                                                             nullptr, std::chrono::seconds(5)));
    ASSERT_TRUE(client);
    net::HttpRequest request;
    request.target = "/v3/kv/compaction";
    request.body = fmt::format(R"({{"revision":"{}","physical":true}})", now->revision);
    const auto answer =
        run_to_end(context_, client->send(std::move(request), std::chrono::seconds(5)));
    ASSERT_TRUE(answer && answer->status == 200);
  }

  boost::asio::io_context context_{1};
  EtcdTestCluster& cluster_;
  std::string prefix_;
  SeededRandom random_{1};
  EtcdClient writer_client_;
  EtcdStore writer_;
  EtcdClient client_;
  EtcdStore store_;
  EtcdWatch watch_;
  core::State state_;
  std::uint64_t written_ = 0;
};

TEST_F(EtcdWatchTest, EveryCommitIsToldInOrder) {
  load();
  write(put_host("h1"));
  write(put_host("h2"));
  core::Transition removal;
  removal.remove<core::Host>(core::HostId("h1"));
  write(removal);
  write(core::Transition());
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(follow());
  }
  expect_the_same_as_written();
}

TEST_F(EtcdWatchTest, WhatWasLoadedIsNotToldAgain) {
  write(put_host("h1"));
  write(put_host("h2"));
  load();
  write(put_host("h3"));
  ASSERT_TRUE(follow());
  expect_the_same_as_written();
}

TEST_F(EtcdWatchTest, AStagedChangeIsToldOnce) {
  load();
  write(put_events(500, 4'000));
  ASSERT_TRUE(follow());
  EXPECT_EQ(state_.all<core::Event>().size(), 500u);
  write(put_host("h1"));  // unfolds it first
  ASSERT_TRUE(follow());
  expect_the_same_as_written();
  write(put_events(500, 5'000));
  write(put_host("h2"));
  ASSERT_TRUE(follow());  // its parts are gone by now, and are read as they were
  ASSERT_TRUE(follow());
  expect_the_same_as_written();
}

TEST_F(EtcdWatchTest, AfterACompactionTheStateIsLoadedAndFollowedOn) {
  write(put_host("h1"));
  load();
  for (int i = 0; i < 5; ++i) {
    write(put_host("more" + std::to_string(i)));
  }
  compact();
  EXPECT_FALSE(follow());
  load();
  expect_the_same_as_written();
  write(put_host("last"));
  ASSERT_TRUE(follow());
  expect_the_same_as_written();
}

TEST_F(EtcdWatchTest, ACompactionDuringAWatchDisturbsNobodyWhoIsUpToDate) {
  load();
  write(put_host("h1"));
  ASSERT_TRUE(follow());
  write(put_host("h2"));
  ASSERT_TRUE(follow());
  compact();
  write(put_host("h3"));
  ASSERT_TRUE(follow());
  expect_the_same_as_written();
}

TEST_F(EtcdWatchTest, StopEndsAWaitingNext) {
  load();
  std::optional<Result<std::optional<Commit>>> result;
  boost::asio::co_spawn(
      context_, watch_.next(state_.revision()),
      [&](std::exception_ptr, Result<std::optional<Commit>> value) { result = std::move(value); });
  context_.restart();
  context_.run_for(std::chrono::milliseconds(100));
  EXPECT_FALSE(result);
  watch_.stop();
  context_.restart();
  context_.run();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->error().code, ErrorCode::kUnavailable);
}

class EtcdWatchThreeTest : public EtcdWatchTest {
 protected:
  EtcdWatchThreeTest() : EtcdWatchTest(three_members()) {}
  ~EtcdWatchThreeTest() override {
    for (int member = 0; member < 3; ++member) {
      cluster_.kill(member);
      cluster_.start(member);
      cluster_.wait_until_it_answers();
    }
  }
};

TEST_F(EtcdWatchThreeTest, ALostMemberIsReplacedByTheNextWithoutAGap) {
  load();
  write(put_host("h1"));
  ASSERT_TRUE(follow());
  cluster_.kill(0);
  write(put_host("h2"));
  write(put_host("h3"));
  ASSERT_TRUE(follow());
  ASSERT_TRUE(follow());
  cluster_.start(0);
  cluster_.wait_until_it_answers();
  write(put_host("h4"));
  ASSERT_TRUE(follow());
  expect_the_same_as_written();
}

}  // namespace
}  // namespace hikae::etcd
