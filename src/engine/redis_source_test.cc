#include "engine/redis_source.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace hikae::engine {
namespace {

using codec::resp::Value;

constexpr const char* kOwn = "redis_version:7.2.4\r\nvalkey_version:8.0.1\r\nrun_id:own\r\n";

Value text(std::string words) {
  Value value;
  value.type = Value::Type::kBulk;
  value.text = std::move(words);
  return value;
}

Value error(std::string words) {
  Value value;
  value.type = Value::Type::kError;
  value.text = std::move(words);
  return value;
}

std::string info(const std::string& role = "master", const std::string& more = "") {
  return fmt::format(
      "redis_version:7.0.15\r\nrun_id:other\r\nused_memory:1000\r\nrole:{}\r\n"
      "cluster_enabled:0\r\nloading:0\r\ndb0:keys=1,expires=0,avg_ttl=0\r\n{}",
      role, more);
}

std::string judge(const std::string& source_info, core::NodeAssignment assignment = {}) {
  return why_not_migrate(assignment, kOwn, {text("PONG"), text(source_info), text("OK")});
}

TEST(RedisSource, APrimaryOfAnOlderEngineWillDo) {
  EXPECT_EQ(judge(info()), "");
}

TEST(RedisSource, WhatWillNotDo) {
  EXPECT_EQ(judge(info("slave")), "it is no primary itself");
  EXPECT_EQ(judge(info("master", "cluster_enabled:1\r\n")), "it runs with cluster mode enabled");
  EXPECT_EQ(judge(info("master", "loading:1\r\n")), "it is still loading its data");
  EXPECT_EQ(judge(info("master", "run_id:own\r\n")),
            "it is the primary of the replication group itself");
  EXPECT_EQ(judge(info("master", "redis_version:7.4.1\r\n")),
            "it runs redis 7.4.1, whose data valkey 8.0.1 cannot read");
}

TEST(RedisSource, TheDataHasToFit) {
  core::NodeAssignment assignment;
  assignment.directives = {{"maxmemory", "999"}, {"databases", "4"}};
  EXPECT_EQ(judge(info(), assignment), "its data takes 1000 bytes, and a node has room for 999");
  assignment.directives = {{"maxmemory", "1000"}, {"databases", "4"}};
  EXPECT_EQ(judge(info(), assignment), "");
  EXPECT_EQ(judge(info("master", "db4:keys=1,expires=0\r\n"), assignment),
            "it uses database 4, and the nodes have 4");
}

TEST(RedisSource, ARefusalIsToldWithoutWhatCouldBreakALine) {
  EXPECT_EQ(
      why_not_migrate({}, kOwn,
                      {error("NOAUTH Authentication required."), error("NOAUTH"), error("NOAUTH")}),
      "it asks for a password; a source must not have AUTH enabled");
  EXPECT_EQ(why_not_migrate({}, kOwn, {text("PONG"), text(info()), error("NOPERM a\nb")}),
            "it answered NOPERM a?b");
}

}  // namespace
}  // namespace hikae::engine
