#pragma once

#include <string>

namespace hikae::core {

// Where one kind of log of a cache's nodes goes, and in which form (AWS API reference,
// "LogDeliveryConfiguration").
struct LogDelivery {
  std::string log_type;          // slow-log, engine-log
  std::string destination_type;  // cloudwatch-logs, kinesis-firehose
  std::string destination;       // the log group, or the delivery stream
  std::string format;            // text, json
  // LogDeliveryConfigurationStatus: enabling, modifying, disabling until every node has taken it,
  // then active or gone; error while some node cannot deliver. Empty in assignments.
  std::string status;
  std::string message;  // why, of an error
  bool wanted() const { return status != "disabling"; }
  friend bool operator==(const LogDelivery&, const LogDelivery&) = default;
  template <class Self, class V>
  static void visit(Self& s, V&& v) {
    v("log_type", s.log_type);
    v("destination_type", s.destination_type);
    v("destination", s.destination);
    v("format", s.format);
    v("status", s.status);
    v("message", s.message);
  }
};

}  // namespace hikae::core
