#include "core/admission/log_delivery.h"

#include <gtest/gtest.h>

#include "core/admission/cluster_changes.h"
#include "core/admission/group_changes.h"
#include "core/testing/world.h"

// Log deliveries, from the request until every node has taken them.

namespace hikae::core {
namespace {

LogDeliveryRequest slow_log(const std::string& group = "/cache/slow") {
  LogDeliveryRequest out;
  out.log_type = "slow-log";
  out.destination_type = "cloudwatch-logs";
  out.log_group = group;
  out.format = "json";
  return out;
}

LogDeliveryRequest engine_log() {
  LogDeliveryRequest out;
  out.log_type = "engine-log";
  out.destination_type = "kinesis-firehose";
  out.delivery_stream = "engines";
  out.format = "text";
  return out;
}

LogDeliveryRequest off(const std::string& type) {
  LogDeliveryRequest out;
  out.log_type = type;
  out.enabled = false;
  return out;
}

CacheSettings of(const std::string& engine, const std::string& version) {
  CacheSettings out;
  out.engine = engine;
  out.engine_version = version;
  return out;
}

std::string code_of(const LogDeliveryRequest& request,
                    const CacheSettings& settings = of("redis", "7.1")) {
  std::vector<LogDelivery> logs;
  const auto checked = change_log_deliveries({request}, settings, logs);
  return checked ? "" : checked.error().code;
}

TEST(LogDelivery, RefusesWhatIsIncompleteOrContradictsItself) {
  EXPECT_EQ(code_of(slow_log()), "");
  EXPECT_EQ(code_of(engine_log()), "");
  LogDeliveryRequest request = slow_log();
  request.log_type.clear();
  EXPECT_EQ(code_of(request), "InvalidParameterValue");
  request = slow_log();
  request.format.reset();
  EXPECT_EQ(code_of(request), "InvalidParameterCombination");
  request = slow_log();
  request.destination_type = "kinesis-firehose";
  EXPECT_EQ(code_of(request), "InvalidParameterCombination");
  request = slow_log();
  request.delivery_stream = "both";
  EXPECT_EQ(code_of(request), "InvalidParameterCombination");
  EXPECT_EQ(code_of(slow_log("with blanks")), "InvalidParameterValue");
  EXPECT_EQ(code_of(slow_log(std::string(513, 'x'))), "InvalidParameterValue");
  std::vector<LogDelivery> logs;
  EXPECT_FALSE(change_log_deliveries({slow_log(), slow_log()}, of("valkey", "8.0"), logs));
}

TEST(LogDelivery, IsOfTheVersionsThatHaveTheLog) {
  EXPECT_EQ(code_of(slow_log(), of("redis", "5.0.6")), "InvalidParameterCombination");
  EXPECT_EQ(code_of(slow_log(), of("redis", "6.0")), "");
  EXPECT_EQ(code_of(engine_log(), of("redis", "6.0")), "InvalidParameterCombination");
  EXPECT_EQ(code_of(engine_log(), of("redis", "6.2")), "");
  EXPECT_EQ(code_of(engine_log(), of("valkey", "7.2")), "");
}

class GroupLogs : public ::testing::Test {
 protected:
  void make(std::vector<LogDeliveryRequest> logs) {
    CreateReplicationGroup command;
    command.id = "foo";
    command.description = "test";
    command.num_cache_clusters = 2;
    command.settings.node_type = "cache.t3.micro";
    command.logs = std::move(logs);
    ASSERT_EQ(world.admit_code(command), "");
    settle();
    ASSERT_EQ(world.group("foo").status, "available");
  }
  void settle() {
    for (int turn = 0; turn < 4; ++turn) {
      world.settle_group("foo");
      world.agents_work();
    }
    world.settle_group("foo");
  }
  std::string modify(std::vector<LogDeliveryRequest> logs) {
    ModifyReplicationGroup command;
    command.id = "foo";
    command.logs = std::move(logs);
    return world.admit_code(command);
  }
  std::string statuses() {
    std::string out;
    for (const LogDelivery& log : world.group("foo").log_deliveries) {
      out += (out.empty() ? "" : " ") + log.log_type + ":" + log.status;
    }
    return out;
  }
  std::vector<LogDelivery> assigned() {
    const CacheCluster& member = world.cluster("foo-002");
    return node_assignment(world.state, world.observed, member, member.nodes[0])->logs;
  }

  World world;
};

TEST_F(GroupLogs, OfANewGroupAreActiveWithIt) {
  make({slow_log(), engine_log()});
  EXPECT_EQ(statuses(), "slow-log:active engine-log:active");
  ASSERT_EQ(assigned().size(), 2u);
  EXPECT_EQ(assigned()[0].destination, "/cache/slow");
}

TEST_F(GroupLogs, AreOnTheirWayUntilAllNodesHaveTakenThem) {
  make({});
  ASSERT_EQ(modify({slow_log()}), "");
  EXPECT_EQ(statuses(), "slow-log:enabling");
  EXPECT_EQ(world.group("foo").status, "modifying");
  EXPECT_EQ(assigned().size(), 1u);
  world.agents_work();
  world.observed.nodes.at(NodeKey{CacheClusterId("foo-002"), NodeId("0001")}).edition = 1;
  world.settle_group("foo");
  EXPECT_EQ(statuses(), "slow-log:enabling") << "one node has not";
  settle();
  EXPECT_EQ(statuses(), "slow-log:active");
  EXPECT_EQ(world.group("foo").status, "available");
  // The same again changes nothing; another destination does.
  ASSERT_EQ(modify({slow_log()}), "");
  EXPECT_EQ(world.group("foo").status, "available");
  ASSERT_EQ(modify({slow_log("other")}), "");
  EXPECT_EQ(statuses(), "slow-log:modifying");
  settle();
  ASSERT_EQ(modify({off("slow-log"), off("engine-log")}), "");
  EXPECT_EQ(statuses(), "slow-log:disabling");
  EXPECT_TRUE(assigned().empty());
  settle();
  EXPECT_EQ(statuses(), "");
  EXPECT_EQ(world.group("foo").status, "available");
}

TEST_F(GroupLogs, ThatCannotBeDeliveredSayWhy) {
  make({slow_log()});
  auto& seen = world.observed.nodes.at(NodeKey{CacheClusterId("foo-002"), NodeId("0001")});
  seen.log_problem = "the disk is full";
  world.settle_group("foo");
  EXPECT_EQ(statuses(), "slow-log:error");
  EXPECT_EQ(world.group("foo").log_deliveries[0].message, "the disk is full");
  EXPECT_EQ(world.group("foo").status, "available");
  seen.log_problem.clear();
  world.settle_group("foo");
  EXPECT_EQ(statuses(), "slow-log:active");
  EXPECT_EQ(world.group("foo").log_deliveries[0].message, "");
}

TEST_F(GroupLogs, OfMembersAreTheGroups) {
  make({});
  ModifyCacheCluster command;
  command.id = "foo-001";
  command.logs = {slow_log()};
  EXPECT_EQ(world.admit_code(command), "InvalidParameterCombination");
}

TEST(ClusterLogs, OfAStandaloneCluster) {
  World world;
  CreateCacheCluster create;
  create.id = "one";
  create.settings.node_type = "cache.t3.micro";
  create.logs = {slow_log()};
  ASSERT_EQ(world.admit_code(create), "");
  const auto settle = [&] {
    for (int turn = 0; turn < 4; ++turn) {
      world.settle_cluster("one");
      world.agents_work();
    }
    world.settle_cluster("one");
  };
  settle();
  ASSERT_EQ(world.cluster("one").status, "available");
  EXPECT_EQ(world.cluster("one").log_deliveries[0].status, "active");
  ModifyCacheCluster command;
  command.id = "one";
  command.logs = {off("slow-log")};
  ASSERT_EQ(world.admit_code(command), "");
  EXPECT_EQ(world.cluster("one").status, "modifying");
  settle();
  EXPECT_EQ(world.cluster("one").status, "available");
  EXPECT_TRUE(world.cluster("one").log_deliveries.empty());
}

}  // namespace
}  // namespace hikae::core
