#include "engine/redis_promises.h"

#include <algorithm>

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "engine/fake_engine.h"
#include "engine/mock_driver.h"

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

// A primary with a keeper, whose replicas promise by following it.
class Following : public ::testing::Test {
 protected:
  // What INFO says of the stream, and how far each of the replicas has acknowledged it.
  void say(int offset, int first, int second) {
    const auto replica = [](int number, int acknowledged) {
      return fmt::format("slave{}:ip=10.0.0.{},port=6379,state=online,offset={},lag=0\r\n", number,
                         number + 2, acknowledged);
    };
    engine_.answer("INFO replication",
                   fmt::format("role:master\r\nconnected_slaves:2\r\n{}{}master_replid:abc\r\n"
                               "master_repl_offset:{}\r\n",
                               replica(0, first), replica(1, second), offset));
  }
  Status take() {
    engine_.answer("INFO stats", "sync_full:2\r\n");
    core::NodeAssignment primary;
    primary.node = core::NodeKey{core::CacheClusterId("foo-001"), core::NodeId("0001")};
    primary.peers = kPeers;
    primary.kept = true;
    RedisPromises promises(secrets_from("secret"), host_, engine_);
    return run_to_end(io_, promises.take(std::move(primary), std::chrono::seconds(4)));
  }

  boost::asio::io_context io_{1};
  MockEngines host_;
  FakeEngine engine_;
};

TEST_F(Following, WhoHasAppliedWhatWasWrittenSinceHasPromised) {
  say(100, 90, 100);
  say(137, 90, 100);
  say(174, 137, 174);
  EXPECT_TRUE(take());
  const auto& commands = engine_.commands();
  EXPECT_EQ(std::count_if(commands.begin(), commands.end(),
                          [](const auto& one) { return one.starts_with("HIKAE"); }),
            0)
      << "it has no module";
}

TEST_F(Following, WhoHasAppliedAllButThatHasNot) {
  say(100, 100, 100);
  say(137, 100, 137);
  say(174, 136, 174);
  EXPECT_FALSE(take());
}

TEST_F(Following, WhereNothingWasWrittenAcknowledgementsAreOld) {
  say(100, 100, 100);
  say(100, 100, 100);
  say(100, 100, 100);
  EXPECT_FALSE(take());
}

TEST_F(Following, TheEngineIsMadeToAskByMoreReplicasThanThereAre) {
  say(100, 100, 100);
  take();
  std::vector<std::string> waits;
  for (const std::string& command : engine_.commands()) {
    if (command.starts_with("WAIT")) {
      waits.push_back(command);
    }
  }
  ASSERT_EQ(waits.size(), 2U) << "the second one acknowledges the first";
  EXPECT_TRUE(waits[0].starts_with("WAIT 1002 ")) << waits[0];
  EXPECT_TRUE(waits[1].starts_with("WAIT 1002 ")) << waits[1];
}

}  // namespace
}  // namespace hikae::engine
