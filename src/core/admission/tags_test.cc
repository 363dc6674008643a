#include "core/admission/tags.h"

#include <gmock/gmock.h>

#include "core/admission/arn.h"
#include "core/admission/cache_test_state.h"

namespace hikae::core {
namespace {

class CacheTagsTest : public CacheAdmissionTest {
 protected:
  CacheTagsTest() {
    ReplicationGroup group;
    group.id = ReplicationGroupId("foo");
    group.status = "available";
    NodeGroup& shard = group.node_groups.emplace_back();
    for (const char* id : {"foo-001", "foo-002"}) {
      add_cluster(id, "sg", "default.redis2.8", "subnet-1");
      CacheCluster member = *state_.find<CacheCluster>(CacheClusterId(id));
      member.replication_group = group.id;
      put(member);
      shard.members.push_back(member.id);
    }
    shard.primary = shard.members[0];
    put(group);
  }
  std::string arn(std::string_view type, std::string_view name) {
    return build_arn(state_.region(), type, name);
  }
  Tags tags(std::string_view type, std::string_view name) {
    return tags_of(state_, arn(type, name)).value();
  }
};

TEST_F(CacheTagsTest, AGroupsTagsAreItsMembersToo) {
  ASSERT_EQ(perform(AddTags{arn("replicationgroup", "foo"), {{"team", "a"}, {"env", ""}}}), "ok");
  const Tags expected{{"env", ""}, {"team", "a"}};
  EXPECT_EQ(tags("replicationgroup", "FOO"), expected);
  EXPECT_EQ(tags("cluster", "foo-001"), expected);
  EXPECT_EQ(tags("cluster", "foo-002"), expected);
  ASSERT_EQ(perform(RemoveTags{arn("replicationgroup", "foo"), {"env"}}), "ok");
  EXPECT_EQ(tags("cluster", "foo-002"), (Tags{{"team", "a"}}));
}

TEST_F(CacheTagsTest, AddingReplacesValuesAndHoldsTheQuota) {
  ASSERT_EQ(perform(AddTags{arn("subnetgroup", "sg"), {{"k", "1"}}}), "ok");
  ASSERT_EQ(perform(AddTags{arn("subnetgroup", "sg"), {{"k", "2"}}}), "ok");
  EXPECT_EQ(tags("subnetgroup", "sg"), (Tags{{"k", "2"}}));
  TagList many;
  for (std::size_t i = 0; i < kMaxTagsPerResource; ++i) {
    many.emplace_back("t" + std::to_string(i), "");
  }
  EXPECT_EQ(perform(AddTags{arn("subnetgroup", "sg"), many}), "TagQuotaPerResourceExceeded");
  many.pop_back();
  EXPECT_EQ(perform(AddTags{arn("subnetgroup", "sg"), many}), "ok");
}

TEST_F(CacheTagsTest, RemovingAnUnknownKeyIsRefused) {
  EXPECT_EQ(perform(RemoveTags{arn("subnetgroup", "sg"), {"k"}}), "TagNotFound");
}

TEST_F(CacheTagsTest, AGroupMustBeAvailable) {
  ReplicationGroup group = *state_.find<ReplicationGroup>(ReplicationGroupId("foo"));
  group.status = "creating";
  put(group);
  EXPECT_EQ(message_of(AddTags{arn("replicationgroup", "foo"), {{"k", "v"}}}),
            "Cluster not in available state to perform tagging operations.");
}

TEST_F(CacheTagsTest, EveryTypeHasItsNotFoundCode) {
  const std::pair<const char*, const char*> kExpected[] = {
      {"cluster", "CacheClusterNotFound"},
      {"replicationgroup", "ReplicationGroupNotFoundFault"},
      {"parametergroup", "CacheParameterGroupNotFound"},
      {"subnetgroup", "CacheSubnetGroupNotFoundFault"},
      {"snapshot", "SnapshotNotFoundFault"},
      {"user", "UserNotFound"},
      {"serverlesscache", "ServerlessCacheNotFoundFault"},
      {"bucket", "InvalidARN"},
  };
  for (const auto& [type, code] : kExpected) {
    EXPECT_EQ(tags_of(state_, arn(type, "none")).error().code, code) << type;
    EXPECT_EQ(perform(AddTags{arn(type, "none"), {{"k", "v"}}}), code) << type;
  }
  EXPECT_EQ(tags_of(state_, arn("cluster", "none")).error().message, "none is not present");
}

TEST_F(CacheTagsTest, DefaultParameterGroupsHaveNoTags) {
  EXPECT_TRUE(tags("parametergroup", "default.redis2.8").empty());
  EXPECT_EQ(perform(AddTags{arn("parametergroup", "default.redis2.8"), {{"k", "v"}}}),
            "InvalidParameterValue");
}

TEST_F(CacheTagsTest, ArnsOfElsewhereAreRefused) {
  const auto message = [this](const std::string& text) {
    return tags_of(state_, text).error().message;
  };
  EXPECT_THAT(message("foo"), testing::HasSubstr("does not have 7 components"));
  EXPECT_THAT(message("arn:aws:elasticache:us-east-1:123456789012:cluster:a"),
              testing::HasSubstr("Please check the region"));
  EXPECT_THAT(message("arn:aws:elasticache:ap-northeast-1:999999999999:cluster:a"),
              testing::HasSubstr("does not belong to the caller"));
  EXPECT_THAT(message("arn:aws:rds:ap-northeast-1:123456789012:cluster:a"),
              testing::HasSubstr("service field is wrong"));
  EXPECT_THAT(message("arn:aws-cn:elasticache:ap-northeast-1:123456789012:cluster:a"),
              testing::HasSubstr("partition field is wrong"));
}

TEST(CheckTags, KeysAndValuesFollowTheRules) {
  const auto code = [](const TagList& list) {
    const auto checked = check_tags(list);
    return checked ? std::string("ok") : checked.error().code;
  };
  EXPECT_EQ(code({{"Name", "a b_.:/=+-@"}}), "ok");
  EXPECT_EQ(code({{"名前", "控え"}}), "ok");
  EXPECT_EQ(code({{std::string(128, 'k'), std::string(256, 'v')}}), "ok");
  EXPECT_EQ(code({{std::string(129, 'k'), ""}}), "InvalidParameterValue");
  EXPECT_EQ(code({{"k", std::string(257, 'v')}}), "InvalidParameterValue");
  EXPECT_EQ(code({{"", "v"}}), "InvalidParameterValue");
  EXPECT_EQ(code({{"a*b", "v"}}), "InvalidParameterValue");
  EXPECT_EQ(code({{"AWS:x", "v"}}), "InvalidParameterValue");
  EXPECT_EQ(code({{"k", "1"}, {"k", "2"}}), "InvalidParameterValue");
}

}  // namespace
}  // namespace hikae::core
