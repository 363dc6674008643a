#include "core/admission/parameter_value.h"

#include <gtest/gtest.h>

namespace hikae::core {
namespace {

bool allowed(std::string_view family, std::string_view parameter, std::string_view value) {
  return is_allowed_value(*find_parameter(*find_family(family), parameter), value);
}

TEST(ParameterValue, IntegersFollowTheirRanges) {
  EXPECT_TRUE(allowed("redis7", "maxmemory-samples", "1"));
  EXPECT_FALSE(allowed("redis7", "maxmemory-samples", "0"));
  EXPECT_FALSE(allowed("redis7", "maxmemory-samples", "1.5"));
  EXPECT_FALSE(allowed("redis7", "maxmemory-samples", ""));
  EXPECT_FALSE(allowed("redis7", "maxmemory-samples", "99999999999999999999"));
  EXPECT_TRUE(allowed("redis7", "timeout", "0"));
  EXPECT_FALSE(allowed("redis7", "timeout", "19"));
  EXPECT_TRUE(allowed("redis7", "timeout", "20"));
  EXPECT_TRUE(allowed("redis7", "slowlog-log-slower-than", "-1"));
  EXPECT_TRUE(allowed("redis5.0", "list-max-ziplist-size", "-5"));
  EXPECT_FALSE(allowed("redis5.0", "list-max-ziplist-size", "-6"));
}

TEST(ParameterValue, WhatTheEngineRefusesIsRefusedHere) {
  EXPECT_TRUE(allowed("redis7", "timeout", "2147483647"));
  EXPECT_FALSE(allowed("redis7", "timeout", "2147483648"));
  EXPECT_TRUE(allowed("valkey8", "notify-keyspace-events", "KEA"));
  EXPECT_TRUE(allowed("valkey8", "notify-keyspace-events", ""));
  EXPECT_FALSE(allowed("valkey8", "notify-keyspace-events", "Q"));
}

TEST(ParameterValue, EnumerationsDecimalsAndCommands) {
  EXPECT_TRUE(allowed("redis2.8", "maxmemory-policy", "allkeys-random"));
  EXPECT_FALSE(allowed("redis2.8", "maxmemory-policy", "allkeys-lfu"));
  EXPECT_TRUE(allowed("memcached1.6", "chunk_size_growth_factor", "1.25"));
  EXPECT_FALSE(allowed("memcached1.6", "chunk_size_growth_factor", "0.5"));
  EXPECT_TRUE(allowed("redis5.0", "rename-commands", "KEYS hidden flushall other"));
  EXPECT_FALSE(allowed("redis5.0", "rename-commands", "KEYS"));
  EXPECT_FALSE(allowed("redis5.0", "rename-commands", "CONFIG c"));
}

TEST(ParameterValue, NothingLeavesItsLineOfAConfigurationFile) {
  EXPECT_FALSE(allowed("redis7", "notify-keyspace-events", "K\nsave 1 1"));
  EXPECT_FALSE(allowed("redis5.0", "rename-commands", "KEYS a\nsave b"));
}

TEST(ParameterValue, EveryDefaultOfAModifiableParameterIsAllowed) {
  for (const ParameterFamily& family : parameter_families()) {
    for (const Parameter& parameter : family.parameters) {
      if (parameter.modifiable && parameter.value) {
        EXPECT_TRUE(is_allowed_value(parameter, *parameter.value))
            << family.name << " " << parameter.name;
      }
    }
  }
}

}  // namespace
}  // namespace hikae::core
