#include "engine/engine_binaries.h"

#include <gtest/gtest.h>

namespace hikae::engine {
namespace {

const InstalledEngine kRedis{"redis", "7.0.15", "/usr/bin/redis-server"};
const InstalledEngine kValkey80{"valkey", "8.0.1", "/usr/bin/valkey-server"};
const InstalledEngine kValkey81{"valkey", "8.1.3", "/opt/valkey-server"};

TEST(EngineBinaries, ReadsWhatTheProgramsPrint) {
  const auto redis = parse_version_output(
      "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=ae4d\n", "/r");
  EXPECT_EQ(redis, (InstalledEngine{"redis", "7.0.15", "/r"}));
  // Debian's compatibility link: the name says Redis, the program is Valkey.
  const auto valkey = parse_version_output("Valkey server v=8.0.1 sha=0", "/usr/bin/redis-server");
  EXPECT_EQ(valkey->engine, "valkey");
  EXPECT_EQ(parse_version_output("memcached 1.6.18\n", "/m")->version, "1.6.18");
  for (const char* text :
       {"", "bash, version 5.2", "Redis server v=", "Redis server v=unstable x"}) {
    EXPECT_EQ(parse_version_output(text, "/x"), std::nullopt) << text;
  }
}

TEST(EngineBinaries, DiscoversEachEngineOnce) {
  const auto found =
      discover_engines({"/a", "/b", "/c", "/broken"}, [](const std::string& program) {
        return program == "/broken" ? Result<std::string>(fail(ErrorCode::kTimeout, "slow"))
               : program == "/b"    ? Result<std::string>("something else")
                                    : Result<std::string>("Redis server v=7.0.15 x");
      });
  EXPECT_EQ(found, (std::vector<InstalledEngine>{{"redis", "7.0.15", "/a"}}));
}

TEST(EngineBinaries, PicksTheNearestNewerOfTheSameEngine) {
  const std::vector<InstalledEngine> all = {kValkey81, kRedis, kValkey80};
  const auto old = choose_engine("valkey", "7.2", all, false);
  EXPECT_EQ(old->installed, kValkey80);
  EXPECT_NE(old->substitution.find("Valkey 8.0.1"), std::string::npos);
  EXPECT_EQ(choose_engine("valkey", "8.1", all, false)->installed, kValkey81);
  EXPECT_EQ(choose_engine("redis", "2.8.6", all, false)->installed, kRedis);
  // Nothing newer: the newest there is, said openly.
  const auto future = choose_engine("valkey", "9.0", all, false);
  EXPECT_EQ(future->installed, kValkey81);
  EXPECT_FALSE(future->substitution.empty());
}

TEST(EngineBinaries, ExactSeriesNeedsNoRemarkAndPassesStrict) {
  EXPECT_EQ(choose_engine("redis", "7.0", {kRedis}, true)->substitution, "");
  EXPECT_EQ(choose_engine("valkey", "8.0", {kValkey80}, true)->substitution, "");
  EXPECT_EQ(choose_engine("redis", "2.8.6", {kRedis}, true).error().code, ErrorCode::kNotFound);
}

TEST(EngineBinaries, OfOneMinorVersionTheNewestServes) {
  const InstalledEngine old{"valkey", "8.0.1", "/usr/bin/valkey-server"};
  const InstalledEngine patched{"valkey", "8.0.10", "/opt/valkey-server"};
  const InstalledEngine later{"valkey", "8.1.0", "/opt/valkey-8.1"};
  for (const auto& list :
       {InstalledEngines::List{old, patched, later}, InstalledEngines::List{later, patched, old}}) {
    EXPECT_EQ(choose_engine("valkey", "8.0", list, false)->installed, patched);
    EXPECT_EQ(choose_engine("valkey", "8.1", list, false)->installed, later);
    EXPECT_EQ(choose_engine("valkey", "7.2", list, false)->installed, patched);
  }
}

TEST(EngineBinaries, TheListIsReplacedAsAWhole) {
  InstalledEngines engines({kRedis});
  const auto before = engines.list();
  const auto edition = engines.edition();
  engines.replace({kRedis, kValkey80});
  EXPECT_GT(engines.edition(), edition);
  EXPECT_EQ(engines.list()->size(), 2u);
  EXPECT_EQ(before->size(), 1u) << "who reads it goes on with what it has";
}

TEST(EngineBinaries, ValkeyStandsInForRedisButNotTheReverse) {
  const auto stand_in = choose_engine("redis", "7.0", {kValkey80}, false);
  EXPECT_EQ(stand_in->installed, kValkey80);
  EXPECT_NE(stand_in->substitution.find("Redis 7.0"), std::string::npos);
  const auto refused = choose_engine("valkey", "8.0", {kRedis}, false);
  EXPECT_EQ(refused.error().code, ErrorCode::kNotFound);
  EXPECT_NE(refused.error().message.find("valkey-server"), std::string::npos);
  EXPECT_EQ(choose_engine("mysql", "8", {kRedis}, false).error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace hikae::engine
