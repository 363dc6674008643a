#include "app/log_text.h"

#include <gtest/gtest.h>

#include "app/host_logs.h"
#include "app/notification_text.h"
#include "core/state/events.h"

namespace hikae::app {
namespace {

const core::NodeKey kNode{core::CacheClusterId("foo-001"), core::NodeId("0001")};

TEST(LogText, EntriesOfTheSlowLogTellNoArguments) {
  const control::SlowEntry entry{7, 1'700'000'000, 15'000, "SET", 2, "127.0.0.1:5000", "app"};
  EXPECT_EQ(slow_log_line(entry, kNode, "text"),
            "foo-001,0001,1700000000,15000,SET ... (2 more arguments),127.0.0.1:5000,app");
  EXPECT_EQ(slow_log_line(entry, kNode, "json"),
            R"({"CacheClusterId":"foo-001","CacheNodeId":"0001","Id":7,"Timestamp":1700000000,)"
            R"-("Duration (us)":15000,"Command":"SET ... (2 more arguments)",)-"
            R"("ClientAddress":"127.0.0.1:5000","ClientName":"app"})");
  EXPECT_EQ(slow_log_line({1, 2, 3, "GET", 1, "", ""}, kNode, "text"),
            "foo-001,0001,2,3,GET ... (1 more argument),,");
  EXPECT_EQ(slow_log_line({1, 2, 3, "PING", 0, "", ""}, kNode, "text"), "foo-001,0001,2,3,PING,,");
}

TEST(LogText, LinesOfTheEngineAreTakenApart) {
  const std::string line = "4711:M 26 Nov 2026 11:20:01.123 * Ready to accept connections tcp";
  EXPECT_EQ(engine_log_line(line, kNode, "text"), "foo-001/0001 " + line);
  EXPECT_EQ(engine_log_line(line, kNode, "json"),
            R"({"CacheClusterId":"foo-001","CacheNodeId":"0001","LogLevel":"NOTICE",)"
            R"("Role":"Master","Time":"26 Nov 2026 11:20:01.123",)"
            R"("Message":"Ready to accept connections tcp"})");
  EXPECT_EQ(engine_log_line("=== BUG REPORT \"quoted\" ===", kNode, "json"),
            R"({"CacheClusterId":"foo-001","CacheNodeId":"0001","LogLevel":"","Role":"",)"
            R"("Time":"","Message":"=== BUG REPORT \"quoted\" ==="})");
}

TEST(LogFiles, LieBelowTheirDirectoryWhateverTheCustomerCallsThem) {
  control::LogBatch batch;
  batch.to.destination_type = "cloudwatch-logs";
  batch.stream = "elasticache/valkey/foo-001/0001/slow-log";
  const auto path = [&](const std::string& group) {
    batch.to.destination = group;
    return log_file_path({"/srv/logs", ""}, batch);
  };
  const std::string stream = "/elasticache/valkey/foo-001/0001/slow-log.log";
  EXPECT_EQ(path("/aws/cache"), "/srv/logs/cloudwatch-logs/aws/cache" + stream);
  EXPECT_EQ(path("../../etc"), "/srv/logs/cloudwatch-logs/__/__/etc" + stream);
  EXPECT_EQ(path("a//./b"), "/srv/logs/cloudwatch-logs/a/_/b" + stream);
}

TEST(NotificationText, IsThatOfSnsWithTheEventBesideIt) {
  core::Notification notification;
  notification.topic_arn = "arn:aws:sns:ap-northeast-1:123456789012:cache";
  notification.event.id = core::Event::Key(12);
  notification.event.at = Instant(1'700'000'000'000'000);
  notification.event.source_type = core::kSourceCacheCluster;
  notification.event.source = "foo-001";
  notification.event.message = "Cache cluster created";
  EXPECT_EQ(notification_text(notification, "ap-northeast-1"),
            R"({"Type":"Notification","MessageId":"ap-northeast-1-12",)"
            R"("TopicArn":"arn:aws:sns:ap-northeast-1:123456789012:cache",)"
            R"("Subject":"ElastiCache Notification Message",)"
            R"("Message":"{\"ElastiCache:CacheClusterProvisioningComplete\":\"foo-001\"}",)"
            R"("Timestamp":")" +
                to_iso8601(notification.event.at) +
                R"(","Event":{"SourceIdentifier":"foo-001","SourceType":"cache-cluster",)"
                R"("Message":"Cache cluster created","Date":")" +
                to_iso8601(notification.event.at) + R"("}})");
}

}  // namespace
}  // namespace hikae::app
