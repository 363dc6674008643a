#include "core/admission/access.h"

#include <gtest/gtest.h>

#include "core/admission/group_changes.h"
#include "core/testing/world.h"

namespace hikae::core {
namespace {

const std::string kFirst(64, '1');
const std::string kSecond(64, '2');
const std::string kThird(64, '3');

Access encrypted(std::vector<std::string> tokens) {
  return Access{"required", std::move(tokens), false};
}

std::string code_of(const Checked& checked) {
  return checked ? "" : checked.error().code;
}

TEST(AuthToken, IsOfTheLengthAndCharactersThatAwsTakes) {
  EXPECT_TRUE(check_auth_token("0123456789abcDEF"));
  EXPECT_TRUE(check_auth_token(std::string(120, 'x') + "!&#$^<>-"));
  for (const std::string& token :
       {std::string(15, 'x'), std::string(129, 'x'), std::string(20, '/'), std::string(20, '@'),
        std::string(20, '"'), std::string(20, ' '), std::string(20, '\n'), std::string()}) {
    const auto checked = check_auth_token(token);
    ASSERT_FALSE(checked) << token;
    EXPECT_EQ(checked.error().message, "Invalid AuthToken provided.");
  }
}

TEST(AuthToken, RotateKeepsTheTwoNewest) {
  Access access = encrypted({kFirst});
  ASSERT_TRUE(change_tokens({kSecond, "ROTATE"}, access));
  EXPECT_EQ(access, encrypted({kFirst, kSecond}));
  ASSERT_TRUE(change_tokens({kThird, ""}, access)) << "ROTATE is the default";
  EXPECT_EQ(access, encrypted({kSecond, kThird}));
  ASSERT_TRUE(change_tokens({kThird, "ROTATE"}, access));
  EXPECT_EQ(access, encrypted({kSecond, kThird})) << "it counts already";
}

TEST(AuthToken, AFirstOneIsOptionalUntilItIsSet) {
  Access access = encrypted({});
  ASSERT_TRUE(change_tokens({kFirst, "ROTATE"}, access));
  EXPECT_TRUE(access.token_optional);
  Access again = access;
  ASSERT_TRUE(change_tokens({kSecond, "ROTATE"}, again));
  EXPECT_FALSE(again.token_optional);
  ASSERT_TRUE(change_tokens({kFirst, "SET"}, access));
  EXPECT_EQ(access, encrypted({kFirst}));
}

TEST(AuthToken, SetIsForOneThatCountsOrTheFirst) {
  Access access = encrypted({kFirst, kSecond});
  EXPECT_EQ(code_of(change_tokens({kThird, "SET"}, access)), "InvalidParameterCombination");
  ASSERT_TRUE(change_tokens({kSecond, "SET"}, access));
  EXPECT_EQ(access, encrypted({kSecond}));
  Access none = encrypted({});
  ASSERT_TRUE(change_tokens({kFirst, "SET"}, none));
  EXPECT_EQ(none, encrypted({kFirst}));
}

TEST(AuthToken, DeleteLeavesNoneAndNamesNone) {
  Access access = encrypted({kFirst, kSecond});
  EXPECT_EQ(code_of(change_tokens({kFirst, "DELETE"}, access)), "InvalidParameterCombination");
  ASSERT_TRUE(change_tokens({std::nullopt, "DELETE"}, access));
  EXPECT_EQ(access, encrypted({}));
  EXPECT_EQ(code_of(change_tokens({std::nullopt, "SET"}, access)), "InvalidParameterCombination");
}

TEST(AuthToken, NeedsEncryption) {
  Access plain;
  EXPECT_EQ(code_of(change_tokens({kFirst, "SET"}, plain)), "InvalidParameterValue");
  CacheSettings settings;
  settings.engine = "valkey";
  settings.engine_version = "8.0";
  AccessRequest request;
  request.token = kFirst;
  EXPECT_EQ(code_of(resolve_access(request, settings)), "InvalidParameterValue");
  request.transit_encryption = true;
  ASSERT_TRUE(resolve_access(request, settings));
  EXPECT_EQ(settings.access, encrypted({kFirst}));
}

TEST(TransitEncryption, IsOfTheVersionsThatAwsEncrypts) {
  for (const auto& [version, good] : std::vector<std::pair<std::string, bool>>{{"2.8.24", false},
                                                                               {"3.2.4", false},
                                                                               {"3.2.6", true},
                                                                               {"3.2.10", false},
                                                                               {"4.0.10", true},
                                                                               {"7.1", true}}) {
    CacheSettings settings;
    settings.engine = "redis";
    settings.engine_version = version;
    AccessRequest request;
    request.transit_encryption = true;
    EXPECT_EQ(bool(resolve_access(request, settings)), good) << version;
  }
}

struct EncryptionCase {
  std::string running;
  std::optional<bool> enabled;
  std::optional<std::string> mode;
  std::string result;  // the mode, or the beginning of the refusal
};

TEST(TransitEncryption, GoesByOneStepAtATime) {
  const std::string first = "To enable encryption-in-transit";
  const std::string last = "To disable encryption-in-transit";
  const std::string off = "To modify transit encryption mode";
  const std::vector<EncryptionCase> cases = {
      {"", true, "preferred", "preferred"},
      {"", true, {}, first},
      {"", true, "required", first},
      {"", {}, "preferred", off},
      {"", false, "preferred", off},
      {"", false, {}, ""},
      {"preferred", {}, "required", "required"},
      {"preferred", true, "required", "required"},
      {"preferred", true, {}, "preferred"},
      {"preferred", false, {}, ""},
      {"preferred", false, "preferred", off},
      {"required", {}, "preferred", "preferred"},
      {"required", true, {}, "required"},
      {"required", true, "required", "required"},
      {"required", false, {}, last},
  };
  for (const auto& one : cases) {
    CacheSettings running;
    running.engine = "redis";
    running.engine_version = "7.0";
    running.access.transit_encryption = one.running;
    CacheSettings out = running;
    const auto checked = change_encryption({one.enabled, one.mode}, running, out);
    const std::string result = checked ? out.access.transit_encryption
                                       : checked.error().message.substr(0, one.result.size());
    EXPECT_EQ(result, one.result) << "from " << one.running;
    EXPECT_EQ(code_of(checked), checked ? "" : "InvalidParameterCombination");
  }
}

TEST(TransitEncryption, WhatWaitsForTheWindowStaysUnlessSomethingElseIsAskedFor) {
  CacheSettings running;
  running.engine = "valkey";
  running.engine_version = "8.0";
  running.access.transit_encryption = "preferred";
  CacheSettings planned = running;
  planned.access.transit_encryption = "required";
  CacheSettings out = planned;
  ASSERT_TRUE(change_encryption({true, {}}, running, out)) << "Terraform sends what is so";
  EXPECT_EQ(out.access.transit_encryption, "required");
  ASSERT_TRUE(change_encryption({true, "preferred"}, running, out));
  EXPECT_EQ(out.access.transit_encryption, "preferred") << "taken back";
}

TEST(TransitEncryption, IsNotChangedOfOldVersionsNorBesideTokens) {
  CacheSettings running;
  running.engine = "redis";
  running.engine_version = "6.2";
  CacheSettings out = running;
  EXPECT_EQ(change_encryption({true, "preferred"}, running, out).error().message,
            "Modification of transit encryption is not supported for engine version 6.2.");
  running.engine_version = "7.0";
  running.access = encrypted({kFirst});
  out = running;
  EXPECT_EQ(change_encryption({{}, "preferred"}, running, out).error().message,
            "Modification of transit encryption is not supported for access control enabled "
            "clusters.");
  out = running;
  EXPECT_TRUE(change_encryption({true, {}}, running, out)) << "nothing changes";
  Access both{"preferred", {}, false};
  EXPECT_EQ(change_tokens({kFirst, "SET"}, both).error().message,
            "Transit encryption preferred is not supported with redis access control.");
}

TEST(TransitEncryption, MayBePreferredFromTheBeginning) {
  CacheSettings settings;
  settings.engine = "redis";
  settings.engine_version = "7.0";
  AccessRequest request;
  request.transit_encryption = true;
  request.transit_encryption_mode = "preferred";
  ASSERT_TRUE(resolve_access(request, settings));
  EXPECT_TRUE(settings.access.takes_both());
  settings.engine_version = "6.2";
  EXPECT_FALSE(resolve_access(request, settings));
  settings.engine_version = "7.0";
  request.token = kFirst;
  EXPECT_EQ(resolve_access(request, settings).error().message,
            "Transit encryption preferred is not supported with redis access control.");
}

class RolledTokens : public ::testing::Test {
 protected:
  RolledTokens() {
    CreateReplicationGroup command;
    command.id = "foo";
    command.num_cache_clusters = 2;
    command.automatic_failover = true;
    command.settings.node_type = "cache.m3.medium";
    command.settings.engine_version = "7.1";
    command.access.transit_encryption = true;
    command.access.token = kFirst;
    EXPECT_EQ(world.admit_code(command), "");
    settle();
  }
  void settle() {
    for (int i = 0; i < 6; ++i) {
      world.settle_group("foo");
      world.agents_work();
    }
    EXPECT_TRUE(world.settle_group("foo").settled);
  }
  const Access& access_of(const std::string& cluster) {
    return world.cluster(cluster).settings.access;
  }
  World world;
};

TEST_F(RolledTokens, ReachTheReplicaFirstAndNoMemberIsRestarted) {
  const std::optional<Instant> before = world.group("foo").auth_token_modified_at;
  ModifyReplicationGroup command;
  command.id = "foo";
  command.settings.token = TokenChange{kSecond, "ROTATE"};
  command.settings.apply_immediately = true;
  ASSERT_EQ(world.admit_code(command), "");
  EXPECT_EQ(world.group("foo").status, "modifying");
  EXPECT_GT(world.group("foo").auth_token_modified_at, before);
  world.settle_group("foo");
  EXPECT_EQ(effective_settings(world.cluster("foo-002")).access, encrypted({kFirst, kSecond}));
  EXPECT_EQ(effective_settings(world.cluster("foo-001")).access, encrypted({kFirst}));
  settle();
  EXPECT_EQ(world.group("foo").status, "available");
  for (const char* member : {"foo-001", "foo-002"}) {
    EXPECT_EQ(access_of(member), encrypted({kFirst, kSecond}));
    EXPECT_EQ(world.cluster(member).nodes[0].generation, 1u);
    EXPECT_EQ(world.cluster(member).nodes[0].parameter_status, "in-sync");
  }
}

TEST_F(RolledTokens, ANewReplicaHasThem) {
  ASSERT_EQ(world.admit_code(AddReplica{"foo", "more", "", {}}), "");
  EXPECT_EQ(access_of("more"), encrypted({kFirst}));
}

}  // namespace
}  // namespace hikae::core
