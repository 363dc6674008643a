#include "engine/redis_promises.h"

#include <gtest/gtest.h>

namespace hikae::engine {
namespace {

const std::vector<Ipv4> kPeers = {*Ipv4::parse("10.0.0.2"), *Ipv4::parse("10.0.0.3")};

std::string info(const std::string& second_state, int second_offset, int syncs = 2,
                 const std::string& stream = "abc") {
  return "role:master\r\nconnected_slaves:3\r\n"
         "slave0:ip=10.0.0.9,port=6379,state=online,offset=0,lag=0\r\n"
         "slave1:ip=10.0.0.2,port=6379,state=online,offset=500,lag=0\r\n"
         "slave2:ip=10.0.0.3,port=6379,state=" +
         second_state + ",offset=" + std::to_string(second_offset) +
         ",lag=1\r\nmaster_replid:" + stream + "\r\nsync_full:" + std::to_string(syncs) + "\r\n";
}

TEST(Promises, AllPeersHaveToAcknowledge) {
  EXPECT_TRUE(all_have_promised(info("online", 300), info("online", 400), 400, kPeers));
  EXPECT_FALSE(all_have_promised(info("online", 300), info("online", 399), 400, kPeers));
  EXPECT_FALSE(all_have_promised(info("online", 300), info("online", 400), 400, {}));
  EXPECT_FALSE(
      all_have_promised(info("online", 300), info("online", 400), 400, {*Ipv4::parse("10.0.0.4")}));
}

TEST(Promises, OneThatSynchronisesMeanwhileMayNotHaveIt) {
  EXPECT_FALSE(all_have_promised(info("online", 300), info("online", 400, 3), 400, kPeers));
  EXPECT_FALSE(all_have_promised(info("wait_bgsave", 0), info("online", 400), 400, kPeers));
  EXPECT_FALSE(all_have_promised(info("online", 300), info("send_bulk", 400), 400, kPeers));
  EXPECT_FALSE(all_have_promised(info("online", 300), info("online", 400, 2, "xyz"), 400, kPeers));
}

TEST(Promises, WhoIsAReplicaItselfHasNone) {
  EXPECT_FALSE(
      all_have_promised("role:slave\r\nsync_full:2\r\n", info("online", 400), 400, kPeers));
  EXPECT_FALSE(all_have_promised("", "", 0, kPeers));
}

}  // namespace
}  // namespace hikae::engine
