#include "core/state/notifications.h"

#include <gtest/gtest.h>

#include "core/admission/cluster_changes.h"
#include "core/admission/group_changes.h"
#include "core/state/events.h"
#include "core/testing/world.h"

namespace hikae::core {
namespace {

constexpr const char* kTopic = "arn:aws:sns:ap-northeast-1:123456789012:cache";

Transition told(const World& world, std::string_view type, std::string_view source,
                const std::string& message) {
  Transition out;
  EventWriter events(world.state, world.now);
  events.add(type, source, message);
  events.finish(out);
  return out;
}

void subscribe(World& world, const std::string& group) {
  ModifyReplicationGroup modify;
  modify.id = group;
  modify.settings.notification_topic_arn = kTopic;
  ASSERT_EQ(world.admit_code(modify), "");
}

TEST(Notifications, EventsOfAGroupAndItsMembersGoToItsTopic) {
  World world;
  world.make_group("foo", 2);
  world.make_group("bar", 1);
  subscribe(world, "foo");
  NotificationTopics topics(world.state);
  const auto of_group =
      topics.follow(told(world, kSourceReplicationGroup, "foo", "Replication group foo created"));
  ASSERT_EQ(of_group.size(), 1u);
  EXPECT_EQ(of_group[0].topic_arn, kTopic);
  EXPECT_EQ(of_group[0].event.source, "foo");
  EXPECT_EQ(
      topics.follow(told(world, kSourceCacheCluster, "foo-002", "Cache cluster created")).size(),
      1u);
  EXPECT_TRUE(
      topics.follow(told(world, kSourceCacheCluster, "bar-001", "Cache cluster created")).empty());
  EXPECT_TRUE(topics.follow(told(world, kSourceCacheCluster, "foo", "of another type")).empty());
}

TEST(Notifications, AnInactiveTopicIsToldNothing) {
  World world;
  world.make_group("foo", 1);
  subscribe(world, "foo");
  NotificationTopics topics(world.state);
  ModifyReplicationGroup modify;
  modify.id = "foo";
  modify.settings.notification_topic_status = "inactive";
  const auto quiet = admit(world.state, modify, world.context());
  ASSERT_TRUE(quiet);
  topics.follow(*quiet);
  EXPECT_TRUE(topics.follow(told(world, kSourceReplicationGroup, "foo", "anything")).empty());
}

TEST(Notifications, TheLastEventOfACacheIsToldToo) {
  World world;
  world.make_group("foo", 1);
  subscribe(world, "foo");
  NotificationTopics topics(world.state);
  Transition last = told(world, kSourceCacheCluster, "foo-001", "Cache cluster deleted");
  last.remove<CacheCluster>(CacheClusterId("foo-001"));
  EXPECT_EQ(topics.follow(last).size(), 1u);
  EXPECT_TRUE(topics.follow(told(world, kSourceCacheCluster, "foo-001", "after it")).empty());
}

TEST(Notifications, AreNamedAsAwsNamesThem) {
  const auto name = [](std::string_view type, const std::string& message) {
    Event event;
    event.source_type = type;
    event.message = message;
    return std::string(notification_name(event));
  };
  EXPECT_EQ(name(kSourceCacheCluster, "Cache cluster created"), "CacheClusterProvisioningComplete");
  EXPECT_EQ(name(kSourceReplicationGroup, "Replication group foo created"),
            "CreateReplicationGroupComplete");
  EXPECT_EQ(name(kSourceReplicationGroup, "Replication group foo deleted"), "");
  EXPECT_EQ(name(kSourceCacheCluster, "Cache node 0001 restarted"), "CacheNodesRebooted");
  EXPECT_EQ(name(kSourceCacheCluster, "Cache node 0001 shutdown"), "");
  EXPECT_EQ(name(kSourceReplicationGroup,
                 "Succeeded applying modification to cache node type to cache.m5.large."),
            "ReplicationGroupScalingComplete");
  EXPECT_EQ(name(kSourceCacheCluster,
                 "Succeeded applying modification to cache node type to cache.m5.large."),
            "CacheClusterScalingComplete");
}

}  // namespace
}  // namespace hikae::core
