#include "core/naming/records.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "core/admission/host.h"
#include "core/naming/names.h"
#include "core/testing/world.h"

namespace hikae::core {
namespace {

const NameRecord* find(const std::vector<NameRecord>& records, const std::string& name) {
  const auto it = std::find_if(records.begin(), records.end(),
                               [&](const NameRecord& record) { return record.name == name; });
  return it == records.end() ? nullptr : &*it;
}

TEST(Names, HaveTheFormOfElastiCache) {
  World world;
  const Region& region = world.state.region();
  const ReplicationGroupId foo("foo");
  const NodeGroupId shard("0001");
  EXPECT_EQ(primary_endpoint(region, foo, shard), "foo.abcdef.ng.0001.apne1.cache.hikae.internal");
  EXPECT_EQ(reader_endpoint(region, foo, shard),
            "foo-ro.abcdef.ng.0001.apne1.cache.hikae.internal");
  EXPECT_EQ(node_endpoint(region, CacheClusterId("foo-001"), NodeId("0001")),
            "foo-001.abcdef.0001.apne1.cache.hikae.internal");
  EXPECT_EQ(internal_name(region, foo, shard),
            "foo.abcdef.0001.internal.apne1.cache.hikae.internal");
}

TEST(Names, OfAnEncryptedGroupLieBelowOneName) {
  World world;
  CreateReplicationGroup command;
  command.id = "foo";
  command.num_cache_clusters = 2;
  command.settings.node_type = "cache.m3.medium";
  command.settings.engine_version = "7.1";
  command.access.transit_encryption = true;
  ASSERT_EQ(world.admit_code(command), "");
  world.settle_group("foo");
  world.agents_work();
  ASSERT_TRUE(world.settle_group("foo").settled);
  const auto records = group_records(world.state, ReplicationGroupId("foo"));
  const std::string below = ".foo.abcdef.apne1.cache.hikae.internal";
  const auto* primary = find(records, "master" + below);
  const auto* reader = find(records, "replica" + below);
  ASSERT_TRUE(primary != nullptr && reader != nullptr);
  EXPECT_EQ(primary->targets, std::vector<std::string>{"foo-001" + below});
  EXPECT_EQ(reader->targets, std::vector<std::string>{"foo-002" + below});
  EXPECT_NE(find(records, "foo-002" + below), nullptr);
  EXPECT_EQ(find(records, "foo.abcdef.ng.0001.apne1.cache.hikae.internal"), nullptr);
  const auto assigned = node_assignment(world.state, world.observed, world.cluster("foo-001"),
                                        world.cluster("foo-001").nodes[0]);
  ASSERT_TRUE(assigned);
  EXPECT_EQ(assigned->certificate_name, "*" + below);
  EXPECT_TRUE(assigned->access.encrypted());
}

TEST(Names, OfAGroupThatTakesBothKindsOfClientsAreOfBothForms) {
  World world;
  ASSERT_EQ(world.admit_code(ChooseShape{true, true}), "");
  CreateReplicationGroup command;
  command.id = "foo";
  command.num_cache_clusters = 2;
  command.settings.node_type = "cache.m3.medium";
  command.settings.engine_version = "7.1";
  command.access.transit_encryption = true;
  command.access.transit_encryption_mode = "preferred";
  ASSERT_EQ(world.admit_code(command), "");
  world.settle_group("foo");
  world.agents_work();
  ASSERT_TRUE(world.settle_group("foo").settled);
  const auto records = group_records(world.state, ReplicationGroupId("foo"));
  const std::string below = ".foo.abcdef.apne1.cache.hikae.internal";
  const std::string rest = ".0001.apne1.cache.hikae.internal";
  EXPECT_EQ(records.size(), 2u * 2 + 2 * 2 + 1);
  for (const auto& [encrypted, plain] : std::vector<std::pair<std::string, std::string>>{
           {"master", "foo.abcdef.ng"}, {"replica", "foo-ro.abcdef.ng"}}) {
    const auto* one = find(records, encrypted + below);
    const auto* other = find(records, plain + rest);
    ASSERT_TRUE(one != nullptr && other != nullptr) << plain;
    EXPECT_EQ(one->targets, other->targets);
  }
  ASSERT_NE(find(records, "foo-002" + below), nullptr);
  EXPECT_EQ(find(records, "foo-002" + below)->addresses,
            find(records, "foo-002.abcdef" + rest)->addresses);
  const auto assigned = node_assignment(world.state, world.observed, world.cluster("foo-002"),
                                        world.cluster("foo-002").nodes[0]);
  EXPECT_EQ(assigned->certificate_name, "*" + below);
  EXPECT_EQ(assigned->certificate_aliases,
            (std::vector<std::string>{"foo-002.abcdef" + rest, "foo.abcdef.ng" + rest,
                                      "foo-ro.abcdef.ng" + rest}));
}

TEST(Records, AnAvailableGroupHasPrimaryReaderInternalAndNodeNames) {
  World world;
  world.make_group("foo", 3);
  const auto records = group_records(world.state, ReplicationGroupId("foo"));
  EXPECT_EQ(records.size(), 6u);
  const auto* primary = find(records, "foo.abcdef.ng.0001.apne1.cache.hikae.internal");
  ASSERT_NE(primary, nullptr);
  EXPECT_EQ(primary->kind, NameRecord::Kind::kAlias);
  EXPECT_EQ(primary->targets,
            std::vector<std::string>{"foo-001.abcdef.0001.apne1.cache.hikae.internal"});
  const auto* reader = find(records, "foo-ro.abcdef.ng.0001.apne1.cache.hikae.internal");
  ASSERT_NE(reader, nullptr);
  EXPECT_EQ(reader->kind, NameRecord::Kind::kRotating);
  EXPECT_EQ(reader->targets.size(), 2u);
}

TEST(Records, TheReaderIsThePrimaryWhenNoReplicaIsLeft) {
  World world;
  world.make_group("foo", 1);
  const auto records = group_records(world.state, ReplicationGroupId("foo"));
  const auto* reader = find(records, "foo-ro.abcdef.ng.0001.apne1.cache.hikae.internal");
  ASSERT_NE(reader, nullptr);
  EXPECT_EQ(reader->targets,
            std::vector<std::string>{"foo-001.abcdef.0001.apne1.cache.hikae.internal"});
}

TEST(Records, NoNameBeforeANodeWasInService) {
  World world;
  CreateReplicationGroup command;
  command.id = "foo";
  command.num_cache_clusters = 2;
  command.settings.node_type = "cache.m3.medium";
  ASSERT_EQ(world.admit_code(command), "");
  world.settle_group("foo");
  EXPECT_TRUE(group_records(world.state, ReplicationGroupId("foo")).empty());
}

TEST(Records, ADeletedGroupLosesItsNamesAtOnce) {
  World world;
  world.make_group("foo", 2);
  ASSERT_EQ(world.admit_code(DeleteReplicationGroup{"foo", false}), "");
  EXPECT_TRUE(group_records(world.state, ReplicationGroupId("foo")).empty());
}

}  // namespace
}  // namespace hikae::core
