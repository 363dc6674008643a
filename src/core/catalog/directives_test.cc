#include "core/catalog/directives.h"

#include <gtest/gtest.h>

namespace hikae::core {
namespace {

Directives directives(std::string_view family, std::string_view version,
                      std::string_view node_type = "cache.m3.medium",
                      const ParameterValues& overrides = {}) {
  return engine_directives(*find_family(family), *find_node_type(node_type), version, overrides);
}

TEST(Directives, TheArticlesGroupOf2014) {
  const Directives all = directives("redis2.8", "2.8.6");
  EXPECT_EQ(all.at("maxmemory"), "2988441600");
  EXPECT_EQ(all.at("repl-backlog-size"), "1048576");
  EXPECT_EQ(all.at("client-output-buffer-limit"),
            "normal 0 0 0 pubsub 33554432 8388608 60 slave 309329920 309329920 60");
  EXPECT_EQ(all.at("save"), "");
  EXPECT_EQ(all.at("notify-keyspace-events"), "");
}

TEST(Directives, OverridesReachTheServer) {
  const Directives all = directives("redis2.8", "2.8.6", "cache.m3.medium",
                                    {{"maxmemory-policy", "noeviction"},
                                     {"client-output-buffer-limit-normal-soft-limit", "5"},
                                     {"no-such-parameter", "1"}});
  EXPECT_EQ(all.at("maxmemory-policy"), "noeviction");
  EXPECT_TRUE(all.at("client-output-buffer-limit").starts_with("normal 0 5 0 "));
  EXPECT_FALSE(all.contains("no-such-parameter"));
}

TEST(Directives, MemoryIsReservedByBytesOrByPercentage) {
  const NodeType& type = *find_node_type("cache.m4.large");
  const auto bytes = [&type](std::string_view family, const ParameterValues& overrides) {
    return maxmemory_bytes(*find_family(family), type, overrides);
  };
  EXPECT_EQ(bytes("redis2.8", {}), type.memory_bytes);
  EXPECT_EQ(bytes("redis2.8", {{"reserved-memory", "1000"}}), type.memory_bytes - 1000);
  EXPECT_EQ(bytes("redis7", {}), type.memory_bytes * 75 / 100);
  EXPECT_EQ(bytes("redis7", {{"reserved-memory-percent", "0"}}), type.memory_bytes);
  EXPECT_EQ(bytes("redis3.2", {{"reserved-memory", "1000"}}), type.memory_bytes - 1000);
}

TEST(Directives, MaxmemoryIsNeverUnlimited) {
  const NodeType& type = *find_node_type("cache.t2.micro");
  EXPECT_GT(maxmemory_bytes(*find_family("redis7"), type, {{"reserved-memory-percent", "100"}}),
            0u);
  EXPECT_GT(
      maxmemory_bytes(*find_family("redis2.8"), type, {{"reserved-memory", "9223372036854775807"}}),
      0u);
}

TEST(Directives, AppendonlyHasNoEffectFrom2822On) {
  const ParameterValues on{{"appendonly", "yes"}};
  EXPECT_EQ(directives("redis2.8", "2.8.21", "cache.m3.medium", on).at("appendonly"), "yes");
  EXPECT_FALSE(directives("redis2.8", "2.8.22", "cache.m3.medium", on).contains("appendonly"));
  EXPECT_EQ(directives("redis2.8", "2.8.21", "cache.t1.micro", on).at("appendonly"), "no");
}

TEST(Directives, WhatTheServiceHandlesIsNotEmitted) {
  const Directives all = directives("valkey8", "8.0", "cache.m4.large");
  for (const char* name :
       {"cluster-enabled", "reserved-memory-percent", "rename-commands", "close-on-replica-write",
        "search-default-timeout-ms", "commandlog-large-reply-max-len"}) {
    EXPECT_FALSE(all.contains(name)) << name;
  }
  EXPECT_EQ(all.at("cluster-preferred-endpoint-type"), "ip");
  EXPECT_TRUE(directives("memcached1.6", "1.6.22").empty());
}

TEST(Directives, EveryEmittedNameAndValueFitsOnOneLine) {
  for (const ParameterFamily& family : parameter_families()) {
    for (const auto& [name, value] : directives(family.name, "7.0")) {
      EXPECT_FALSE(name.empty());
      EXPECT_EQ(value.find('\n'), std::string::npos) << name;
    }
  }
}

TEST(Directives, OnlySomeChangesAreLive) {
  EXPECT_TRUE(changes_live("maxmemory"));
  EXPECT_TRUE(changes_live("client-output-buffer-limit"));
  EXPECT_TRUE(changes_live("maxmemory-policy"));
  EXPECT_FALSE(changes_live("databases"));
  EXPECT_FALSE(changes_live("activerehashing"));
}

}  // namespace
}  // namespace hikae::core
