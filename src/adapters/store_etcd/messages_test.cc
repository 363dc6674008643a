#include "adapters/store_etcd/messages.h"

#include <gtest/gtest.h>

namespace hikae::etcd {
namespace {

// Answers as etcd 3.4 writes them.
constexpr const char* kFound =
    R"({"header":{"cluster_id":"324952591200643719","member_id":"3319814642761637952",)"
    R"("revision":"7","raft_term":"2"},"kvs":[{"key":"L2EvYg==","create_revision":"2",)"
    R"("mod_revision":"5","version":"1","value":"aGVsbG8="}],"more":true,"count":"3"})";

TEST(EtcdMessages, RequestsCarryBytesAndBigNumbersAsText) {
  RangeRequest range;
  range.key = std::string("/a\0b", 4);
  range.range_end = "/b";
  range.revision = 18'446'744'073'709'551'615u;
  range.limit = 250;
  EXPECT_EQ(to_json(range),
            R"({"key":"L2EAYg==","range_end":"L2I=","revision":"18446744073709551615",)"
            R"("limit":"250"})");
  TxnRequest txn;
  txn.compare.push_back(Compare{Compare::What::kModRevision, "h", 4});
  txn.compare.push_back(Compare{Compare::What::kCreateRevision, "l", 9});
  txn.success.push_back(Operation{Operation::What::kPut, "h", "v", "", 12});
  txn.success.push_back(Operation{Operation::What::kDelete, "x", "", "y", 0});
  txn.failure.push_back(Operation{Operation::What::kRange, "h", "", "", 0});
  EXPECT_EQ(to_json(txn),
            R"({"compare":[{"target":"MOD","key":"aA==","mod_revision":"4"},)"
            R"({"target":"CREATE","key":"bA==","create_revision":"9"}],)"
            R"("success":[{"request_put":{"key":"aA==","value":"dg==","lease":"12"}},)"
            R"({"request_delete_range":{"key":"eA==","range_end":"eQ=="}}],)"
            R"("failure":[{"request_range":{"key":"aA=="}}]})");
  EXPECT_EQ(grant_json(5), R"({"TTL":"5"})");
  EXPECT_EQ(lease_json(-7), R"({"ID":"-7"})");
  EXPECT_EQ(authenticate_json("u", "p\"w"), R"({"name":"u","password":"p\"w"})");
  EXPECT_EQ(watch_json("a", "b", 3),
            R"({"create_request":{"key":"YQ==","range_end":"Yg==","start_revision":"3"}})");
}

TEST(EtcdMessages, ThePrefixEndsBehindItsLastKey) {
  EXPECT_EQ(end_of_prefix("/state/"), "/state0");
  EXPECT_EQ(end_of_prefix("a\xff"), "b");
}

TEST(EtcdMessages, ARangeIsRead) {
  const auto answer = read_range(kFound);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->revision, 7u);
  EXPECT_TRUE(answer->more);
  ASSERT_EQ(answer->pairs.size(), 1u);
  EXPECT_EQ(answer->pairs[0].key, "/a/b");
  EXPECT_EQ(answer->pairs[0].value, "hello");
  EXPECT_EQ(answer->pairs[0].create_revision, 2u);
  EXPECT_EQ(answer->pairs[0].mod_revision, 5u);
  const auto none = read_range(R"({"header":{"revision":"7"}})");
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->pairs.empty());
}

TEST(EtcdMessages, ATransactionIsReadAlsoWhereFalseIsLeftOut) {
  const auto done =
      read_txn(R"({"header":{"revision":"2"},"succeeded":true,"responses":[{"response_put":{}}]})");
  ASSERT_TRUE(done);
  EXPECT_TRUE(done->succeeded);
  const auto refused = read_txn(
      R"({"header":{"revision":"2"},"responses":[{"response_range":{"kvs":[{"key":"aA==",)"
      R"("mod_revision":"2","value":"dg=="}]}},{"response_range":{"header":{"revision":"2"}}}]})");
  ASSERT_TRUE(refused) << refused.error().message;
  EXPECT_FALSE(refused->succeeded);
  ASSERT_EQ(refused->pairs.size(), 1u);
  EXPECT_EQ(refused->pairs[0].key, "h");
}

TEST(EtcdMessages, LeasesAreRead) {
  EXPECT_EQ(read_grant(R"({"header":{"revision":"2"},"ID":"2324035615778286858","TTL":"5"})")->id,
            2'324'035'615'778'286'858);
  EXPECT_EQ(read_keep_alive(R"({"result":{"header":{},"ID":"12","TTL":"5"}})")->ttl_seconds, 5);
  EXPECT_EQ(read_keep_alive(R"({"result":{"header":{},"ID":"12"}})")->ttl_seconds, 0);
  EXPECT_FALSE(read_grant(R"({"ID":"0"})"));
}

TEST(EtcdMessages, AWatchIsRead) {
  EXPECT_TRUE(read_watch(R"({"result":{"header":{"revision":"2"},"created":true}})")->created);
  const auto events = read_watch(
      R"({"result":{"header":{"revision":"9"},"events":[{"kv":{"key":"YQ==","mod_revision":"8",)"
      R"("value":"dg=="}},{"type":"DELETE","kv":{"key":"Yg==","mod_revision":"8"}}]}})");
  ASSERT_TRUE(events) << events.error().message;
  ASSERT_EQ(events->events.size(), 2u);
  EXPECT_FALSE(events->events[0].removed);
  EXPECT_TRUE(events->events[1].removed);
  EXPECT_EQ(events->events[1].pair.key, "b");
  const auto compacted =
      read_watch(R"({"result":{"header":{},"canceled":true,"compact_revision":"40"}})");
  ASSERT_TRUE(compacted);
  EXPECT_TRUE(compacted->cancelled);
  EXPECT_EQ(compacted->compact_revision, 40u);
}

TEST(EtcdMessages, RefusalsSayWhyInEveryForm) {
  const Refusal plain =
      read_refusal(R"({"error":"e","message":"etcdserver: requested lease not found","code":5})");
  EXPECT_EQ(plain.code, Refusal::kNotFound);
  EXPECT_EQ(plain.message, "etcdserver: requested lease not found");
  const Refusal stream =
      read_refusal(R"({"error":{"grpc_code":14,"http_code":503,"message":"no leader"}})");
  EXPECT_EQ(stream.code, Refusal::kUnavailable);
  EXPECT_EQ(stream.message, "no leader");
  EXPECT_EQ(read_refusal("Not Found\n").code, 0);
}

TEST(EtcdMessages, JunkIsNoAnswer) {
  for (const char* junk :
       {"", "null", "[]", "{", "{}", R"({"header":7})", R"({"header":{"revision":"x"}})",
        R"({"header":{"revision":"2"},"kvs":[7]})",
        R"({"header":{"revision":"2"},"kvs":[{"key":"*"}]})"}) {
    EXPECT_FALSE(read_range(junk)) << junk;
    EXPECT_FALSE(read_grant(junk)) << junk;
    EXPECT_FALSE(read_keep_alive(junk)) << junk;
    EXPECT_FALSE(read_watch(junk)) << junk;
    EXPECT_FALSE(read_token(junk)) << junk;
    EXPECT_TRUE(read_refusal(junk).message.empty()) << junk;
  }
  EXPECT_FALSE(read_txn("{}"));
  EXPECT_FALSE(read_watch(R"({"result":{"events":[{"kv":{}}]}})"));
}

}  // namespace
}  // namespace hikae::etcd
