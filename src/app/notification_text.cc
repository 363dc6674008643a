#include "app/notification_text.h"

#include <map>

#include <fmt/format.h>

#include "codec/record/record.h"

namespace hikae::app {
namespace {

// As in DescribeEvents.
struct EventText {
  std::string source_identifier;
  std::string source_type;
  std::string message;
  std::string date;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("SourceIdentifier", s.source_identifier);
    v("SourceType", s.source_type);
    v("Message", s.message);
    v("Date", s.date);
  }
};

// As SNS posts it to a subscriber, and the event itself beside that.
struct MessageText {
  std::string type = "Notification";
  std::string message_id;
  std::string topic_arn;
  std::string subject;
  std::string message;
  std::string timestamp;
  EventText event;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("Type", s.type);
    v("MessageId", s.message_id);
    v("TopicArn", s.topic_arn);
    v("Subject", s.subject);
    v("Message", s.message);
    v("Timestamp", s.timestamp);
    v("Event", s.event);
  }
};

// What ElastiCache itself writes: `{"ElastiCache:SnapshotComplete": "cache"}`. Events of which it
// sends none have the name `Event`.
std::string message_of(const core::Event& event) {
  const std::string_view name = core::notification_name(event);
  const std::map<std::string, std::string> said = {
      {fmt::format("ElastiCache:{}", name.empty() ? "Event" : name), event.source}};
  return codec::to_json(said);
}

}  // namespace

std::string notification_text(const core::Notification& notification, const std::string& region) {
  const core::Event& event = notification.event;
  MessageText out;
  out.message_id = fmt::format("{}-{}", region, event.id.value());
  out.topic_arn = notification.topic_arn;
  out.subject = "ElastiCache Notification Message";
  out.message = message_of(event);
  out.timestamp = to_iso8601(event.at);
  out.event = {event.source, event.source_type, event.message, out.timestamp};
  return codec::to_json(out);
}

}  // namespace hikae::app
