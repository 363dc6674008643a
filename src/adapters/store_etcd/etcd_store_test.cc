#include "adapters/store_etcd/etcd_store.h"

#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "adapters/store_etcd/etcd_test_cluster.h"
#include "control/store_contract_test_suite.h"
#include "net/http_client.h"

namespace hikae::control {
namespace {

// Stores of one region, each with connections of its own.
class EtcdHarness {
 public:
  explicit EtcdHarness(etcd::EtcdTestCluster& cluster)
      : cluster_(cluster), prefix_(cluster.fresh_prefix()) {}
  Store& open() { return open_store(); }
  etcd::EtcdStore& open_store() {
    client_ = std::make_unique<etcd::EtcdClient>(cluster_.options(prefix_));
    store_ = std::make_unique<etcd::EtcdStore>(*client_, random_);
    return *store_;
  }

 private:
  etcd::EtcdTestCluster& cluster_;
  std::string prefix_;
  SeededRandom random_{1};
  std::unique_ptr<etcd::EtcdClient> client_;
  std::unique_ptr<etcd::EtcdStore> store_;
};

struct OneMemberHarness : EtcdHarness {
  OneMemberHarness() : EtcdHarness(etcd::one_member()) {}
};
struct ThreeMembersHarness : EtcdHarness {
  ThreeMembersHarness() : EtcdHarness(etcd::three_members()) {}
};

// The member that the store has asked until then dies between the first and the second opening.
struct LostMemberHarness {
  LostMemberHarness() { etcd::three_members().wait_until_it_answers(); }
  ~LostMemberHarness() { etcd::three_members().start(0); }
  Store& open() {
    if (opened_++ == 1) {
      etcd::three_members().kill(0);
    }
    return harness_.open();
  }
  EtcdHarness harness_{etcd::three_members()};
  int opened_ = 0;
};

INSTANTIATE_TYPED_TEST_SUITE_P(EtcdOneMember, StoreContract, OneMemberHarness);
INSTANTIATE_TYPED_TEST_SUITE_P(EtcdThreeMembers, StoreContract, ThreeMembersHarness);
INSTANTIATE_TYPED_TEST_SUITE_P(EtcdLostMember, StoreContract, LostMemberHarness);

using etcd::EtcdClient;
using etcd::EtcdStore;
using etcd::EtcdTestCluster;
using etcd::one_member;

constexpr Duration kWait = std::chrono::seconds(10);

// One server's store, with connections of its own.
struct Server {
  Server(EtcdTestCluster& cluster, const std::string& prefix, std::uint64_t seed)
      : Server(cluster.options(prefix), seed) {}
  Server(etcd::EtcdOptions options, std::uint64_t seed)
      : random(seed), client(std::move(options)), store(client, random) {}
  SeededRandom random;
  EtcdClient client;
  EtcdStore store;
};

class EtcdStoreTest : public testing::Test {
 protected:
  Status commit(Server& server, core::Transition transition, std::uint64_t expected,
                std::optional<LeaderTerm> term = std::nullopt) {
    return run_to_end(context_,
                      server.store.commit(std::move(transition), core::Revision(expected), term));
  }
  core::State load(Server& server) {
    auto state = run_to_end(context_, server.store.load());
    EXPECT_TRUE(state) << state.error().message;
    return state ? *state : core::State();
  }
  std::size_t keys_below(Server& server, const std::string& prefix) {
    etcd::RangeRequest request;
    request.key = prefix;
    request.range_end = etcd::end_of_prefix(prefix);
    const auto answer = run_to_end(context_, server.client.range(std::move(request), kWait));
    EXPECT_TRUE(answer);
    return answer ? answer->pairs.size() : 0;
  }
  // Puts a key that is bound to nothing; answers its creation.
  LeaderTerm put_leader(Server& server) {
    etcd::TxnRequest request;
    etcd::Operation put;
    put.key = layout().leader();
    put.value = "somebody";
    request.success.push_back(put);
    const auto answer = run_to_end(context_, server.client.txn(std::move(request), kWait));
    EXPECT_TRUE(answer);
    return LeaderTerm(answer->revision);
  }
  etcd::Layout layout() const { return etcd::Layout(prefix_); }

  boost::asio::io_context context_{1};
  std::string prefix_ = one_member().fresh_prefix();
  Server a_{one_member(), prefix_, 1};
  Server b_{one_member(), prefix_, 2};
};

TEST_F(EtcdStoreTest, TwoServersChangeTheSameState) {
  ASSERT_TRUE(commit(a_, put_host("a1"), 0));
  ASSERT_TRUE(commit(b_, put_host("b1"), 1));
  EXPECT_EQ(commit(a_, put_host("a2"), 1).error().code, ErrorCode::kConflict);
  ASSERT_TRUE(commit(a_, put_host("a2"), 2));
  EXPECT_EQ(commit(b_, put_host("b2"), 2).error().code, ErrorCode::kConflict);
  EXPECT_EQ(load(b_).all<core::Host>().size(), 3u);
}

TEST_F(EtcdStoreTest, RegionsBesideEachOtherDoNotMeet) {
  Server other(one_member(), prefix_ + "0", 3);
  ASSERT_TRUE(commit(a_, put_host("mine"), 0));
  ASSERT_TRUE(commit(other, put_host("theirs"), 0));
  EXPECT_EQ(load(a_).find<core::Host>(core::HostId("theirs")), nullptr);
  EXPECT_EQ(load(other).find<core::Host>(core::HostId("mine")), nullptr);
}

TEST_F(EtcdStoreTest, AStagedChangeIsSeenAtOnceAndUnfoldedByWhoeverIsNext) {
  ASSERT_TRUE(commit(a_, put_events(500, 4'000), 0));
  EXPECT_GT(keys_below(a_, layout().staged()), 1u);
  EXPECT_EQ(keys_below(a_, layout().rows()), 0u);
  EXPECT_EQ(load(b_).all<core::Event>().size(), 500u);
  core::Transition removal;
  removal.remove<core::Event>(core::Event::Key(1));
  ASSERT_TRUE(commit(b_, removal, 1));
  EXPECT_EQ(keys_below(b_, layout().staged()), 0u);
  EXPECT_EQ(keys_below(b_, layout().rows()), 499u);
  EXPECT_EQ(load(a_).all<core::Event>().size(), 499u);
  EXPECT_EQ(load(a_).revision(), core::Revision(2));
}

TEST_F(EtcdStoreTest, WhoStagedAChangeMeetsThatAnotherHasUnfoldedIt) {
  ASSERT_TRUE(commit(a_, put_events(300, 4'000), 0));
  ASSERT_TRUE(commit(b_, put_host("next"), 1));
  EXPECT_EQ(commit(a_, put_host("late"), 1).error().code, ErrorCode::kConflict);
  EXPECT_TRUE(commit(a_, put_host("late"), 2));
}

TEST_F(EtcdStoreTest, AHalfUnfoldedChangeIsStillWhole) {
  ASSERT_TRUE(commit(a_, put_events(500, 4'000), 0));
  // As a server leaves it that dies on the way.
  const auto first = put_events(100, 4'000);
  etcd::TxnRequest half;
  for (const core::Change& change : first.changes) {
    const auto row = storage::to_row(change);
    half.success.push_back(
        etcd::Operation{etcd::Operation::What::kPut, layout().row(row), row.body, "", 0});
  }
  ASSERT_TRUE(run_to_end(context_, a_.client.txn(std::move(half), kWait)));
  EXPECT_EQ(load(b_).all<core::Event>().size(), 500u);
  ASSERT_TRUE(commit(b_, put_host("next"), 1));
  EXPECT_EQ(load(a_).all<core::Event>().size(), 500u);
}

TEST_F(EtcdStoreTest, AnOvertakenLargeChangeLeavesNothing) {
  ASSERT_TRUE(commit(a_, put_host("h"), 0));
  ASSERT_TRUE(commit(b_, put_host("h"), 1));
  EXPECT_EQ(commit(a_, put_events(500, 4'000), 1).error().code, ErrorCode::kConflict);
  EXPECT_EQ(keys_below(a_, layout().staged()), 0u);
  EXPECT_TRUE(load(a_).all<core::Event>().empty());
}

TEST_F(EtcdStoreTest, AResourceThatEtcdCannotTakeIsRefusedByName) {
  const Status refused = commit(a_, put_events(1, 600'000), 0);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kExhausted);
  EXPECT_NE(refused.error().message.find("event 1"), std::string::npos) << refused.error().message;
  EXPECT_TRUE(commit(a_, put_host("h"), 0));
}

TEST_F(EtcdStoreTest, OnlyTheTermThatLastsMayCommit) {
  EXPECT_EQ(commit(a_, put_host("h"), 0, LeaderTerm(4)).error().code, ErrorCode::kDenied);
  const LeaderTerm term = put_leader(b_);
  EXPECT_EQ(commit(a_, put_host("h"), 0, LeaderTerm(term.value() - 1)).error().code,
            ErrorCode::kDenied);
  EXPECT_EQ(load(a_).revision(), core::Revision(0));
  ASSERT_TRUE(commit(a_, put_host("h"), 0, term));
  // A large change passes the same gate.
  EXPECT_EQ(commit(a_, put_events(500, 4'000), 1, LeaderTerm(1)).error().code, ErrorCode::kDenied);
  ASSERT_TRUE(commit(a_, put_events(500, 4'000), 1, term));
  // Who is behind and deposed learns first that it is behind.
  ASSERT_TRUE(commit(b_, put_host("x"), 2));
  EXPECT_EQ(commit(a_, put_host("y"), 2, LeaderTerm(1)).error().code, ErrorCode::kConflict);
}

TEST_F(EtcdStoreTest, ARestoredStateKeepsItsRevisionAndOverwritesNothing) {
  core::State state;
  state.apply(put_events(300, 4'000), core::Revision(4'711));
  ASSERT_TRUE(run_to_end(context_, a_.store.restore(state)));
  EXPECT_EQ(load(b_).revision(), core::Revision(4'711));
  EXPECT_EQ(load(b_).all<core::Event>().size(), 300u);
  EXPECT_EQ(run_to_end(context_, b_.store.restore(state)).error().code, ErrorCode::kConflict);
  ASSERT_TRUE(commit(b_, put_host("h"), 4'711));
}

TEST_F(EtcdStoreTest, ADamagedStateIsRefused) {
  ASSERT_TRUE(commit(a_, put_host("h"), 0));
  etcd::TxnRequest damage;
  damage.success.push_back(etcd::Operation{etcd::Operation::What::kPut, layout().rows() + "host/h",
                                           "{\"id\":7}", "", 0});
  ASSERT_TRUE(run_to_end(context_, a_.client.txn(std::move(damage), kWait)));
  const auto state = run_to_end(context_, b_.store.load());
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().message, "stored host h is damaged: id is not a string");
}

TEST_F(EtcdStoreTest, NobodyThereIsUnavailableAndNamesTheMember) {
  etcd::EtcdOptions options = one_member().options(prefix_);
  options.endpoints = {net::Peer{"127.0.0.1", 1}};
  Server lost(std::move(options), 9);
  const auto state = run_to_end(context_, lost.store.load());
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(state.error().message.find("127.0.0.1:1"), std::string::npos);
  EXPECT_EQ(commit(lost, put_host("h"), 0).error().code, ErrorCode::kUnavailable);
}

TEST_F(EtcdStoreTest, WithoutAMajorityNothingHappensAndLaterEverythingGoesOn) {
  EtcdTestCluster cluster(3);
  Server server(cluster, "/quorum", 1);
  ASSERT_TRUE(commit(server, put_host("h1"), 0));
  cluster.kill(1);
  cluster.kill(2);
  const Status lost = commit(server, put_host("h2"), 1);
  ASSERT_FALSE(lost);
  EXPECT_TRUE(lost.error().code == ErrorCode::kTimeout ||
              lost.error().code == ErrorCode::kUnavailable)
      << lost.error().message;
  EXPECT_EQ(run_to_end(context_, server.store.load()).error().code, ErrorCode::kUnavailable);
  cluster.start(1);
  cluster.start(2);
  cluster.wait_until_it_answers();
  // What timed out has happened or not; the store says which.
  const std::uint64_t revision = load(server).revision().value();
  EXPECT_TRUE(revision == 1 || (revision == 2 && lost.error().code == ErrorCode::kTimeout));
  ASSERT_TRUE(commit(server, put_host("h3"), revision));
}

TEST_F(EtcdStoreTest, AServerProvesWhoItIsAgainWheneverEtcdForgets) {
  EtcdTestCluster cluster(1);
  const auto setup = [&](const char* path, const char* body) {
    auto client = run_to_end(
        context_, net::HttpClient::open(cluster.options("/").endpoints[0], nullptr, kWait));
    net::HttpRequest request;
    request.target = path;
    request.body = body;
    const auto answer = run_to_end(context_, client->send(std::move(request), kWait));
    ASSERT_TRUE(answer && answer->status == 200) << path << (answer ? answer->body : "");
  };
  setup("/v3/auth/user/add", R"({"name":"root","password":"toor"})");
  setup("/v3/auth/user/grant", R"({"user":"root","role":"root"})");
  setup("/v3/auth/enable", "{}");
  etcd::EtcdOptions options = cluster.options("/auth");
  Server nobody(options, 1);
  EXPECT_EQ(commit(nobody, put_host("h"), 0).error().code, ErrorCode::kDenied);
  options.user = "root";
  options.password = "wrong";
  Server wrong(options, 2);
  const Status refused = commit(wrong, put_host("h"), 0);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kDenied) << refused.error().message;
  EXPECT_EQ(refused.error().message.find("wrong"), std::string::npos);
  options.password = "toor";
  Server right(options, 3);
  ASSERT_TRUE(commit(right, put_host("h"), 0));
  // A restarted member knows no token any more.
  cluster.kill(0);
  cluster.start(0);
  const Status again = commit(right, put_host("h"), 1);
  ASSERT_TRUE(again) << again.error().message;
}

}  // namespace
}  // namespace hikae::control
