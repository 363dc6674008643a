#include "api/handlers/elasticache/log_delivery.h"

namespace hikae::api::elasticache {
namespace {

core::LogDeliveryRequest request_of(const LogDeliveryConfigurationRequest& request) {
  core::LogDeliveryRequest out;
  out.log_type = request.log_type.value_or("");
  out.destination_type = request.destination_type;
  if (request.destination_details && request.destination_details->cloud_watch_logs_details) {
    out.log_group = request.destination_details->cloud_watch_logs_details->log_group;
  }
  if (request.destination_details && request.destination_details->kinesis_firehose_details) {
    out.delivery_stream = request.destination_details->kinesis_firehose_details->delivery_stream;
  }
  out.format = request.log_format;
  out.enabled = request.enabled.value_or(true);
  return out;
}

// By the names that both forms share.
template <class Shape>
Shape shape_of(const core::LogDelivery& log) {
  Shape out;
  out.log_type = log.log_type;
  out.destination_type = log.destination_type;
  DestinationDetails details;
  if (log.destination_type == "cloudwatch-logs") {
    details.cloud_watch_logs_details.emplace().log_group = log.destination;
  } else {
    details.kinesis_firehose_details.emplace().delivery_stream = log.destination;
  }
  out.destination_details = std::move(details);
  out.log_format = log.format;
  return out;
}

}  // namespace

std::vector<core::LogDeliveryRequest> log_requests_of(const LogRequests& requests) {
  std::vector<core::LogDeliveryRequest> out;
  for (const auto& one : requests.value_or(LogRequests::value_type())) {
    out.push_back(request_of(one));
  }
  return out;
}

std::vector<LogDeliveryConfiguration> describe_logs(const std::vector<core::LogDelivery>& logs) {
  std::vector<LogDeliveryConfiguration> out;
  for (const core::LogDelivery& log : logs) {
    auto one = shape_of<LogDeliveryConfiguration>(log);
    one.status = log.status;
    if (!log.message.empty()) {
      one.message = log.message;
    }
    out.push_back(std::move(one));
  }
  return out;
}

std::optional<std::vector<PendingLogDeliveryConfiguration>> pending_logs(
    const std::vector<core::LogDelivery>& logs) {
  std::vector<PendingLogDeliveryConfiguration> out;
  for (const core::LogDelivery& log : logs) {
    if (log.status == "enabling" || log.status == "modifying") {
      out.push_back(shape_of<PendingLogDeliveryConfiguration>(log));
    }
  }
  return out.empty() ? std::nullopt : std::optional(std::move(out));
}

}  // namespace hikae::api::elasticache
