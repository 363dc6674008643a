#include "core/admission/log_delivery.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/catalog/catalog.h"

namespace hikae::core {
namespace {

// CloudWatch Logs API reference, CreateLogGroup; Firehose API reference, CreateDeliveryStream.
constexpr std::size_t kLongestLogGroup = 512;
constexpr std::size_t kLongestStream = 64;
constexpr std::string_view kLogGroupMarks = ".-_/#";
constexpr std::string_view kStreamMarks = ".-_";

bool is_name(std::string_view text, std::size_t longest, std::string_view marks) {
  return !text.empty() && text.size() <= longest &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           const bool plain =
               (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
           return plain || marks.find(c) != std::string_view::npos;
         });
}

tl::unexpected<Fault> combination(std::string message) {
  return refuse("InvalidParameterCombination", std::move(message));
}

// The slow log from Redis 6.0 on, the engine's log from 6.2 on; Valkey has both (AWS User Guide,
// "Log delivery").
Checked check_version(const std::string& log_type, const CacheSettings& settings) {
  const char* least = log_type == "slow-log" ? "6.0" : "6.2";
  if (settings.engine == "valkey" ||
      (settings.engine == "redis" && compare_versions(settings.engine_version, least) >= 0)) {
    return {};
  }
  return combination(fmt::format("Log type {} is not supported for {} {}.", log_type,
                                 settings.engine, settings.engine_version));
}

Admitted<LogDelivery> read_one(const LogDeliveryRequest& request, const CacheSettings& settings) {
  if (!request.destination_type || !request.format ||
      (!request.log_group && !request.delivery_stream)) {
    return combination(
        fmt::format("DestinationType, DestinationDetails and LogFormat must be given to deliver "
                    "the log type {}.",
                    request.log_type));
  }
  const bool cloudwatch = *request.destination_type == "cloudwatch-logs";
  const auto& name = cloudwatch ? request.log_group : request.delivery_stream;
  if (!name || (cloudwatch ? request.delivery_stream : request.log_group)) {
    return combination(fmt::format("DestinationDetails do not match the DestinationType {}.",
                                   *request.destination_type));
  }
  const bool good = cloudwatch ? is_name(*name, kLongestLogGroup, kLogGroupMarks)
                               : is_name(*name, kLongestStream, kStreamMarks);
  if (!good) {
    return refuse("InvalidParameterValue",
                  fmt::format("Invalid {} for the log type {}.",
                              cloudwatch ? "LogGroup" : "DeliveryStream", request.log_type));
  }
  if (auto checked = check_version(request.log_type, settings); !checked) {
    return tl::unexpected(checked.error());
  }
  return LogDelivery{request.log_type, *request.destination_type, *name, *request.format, "", ""};
}

bool means_the_same(const LogDelivery& a, const LogDelivery& b) {
  return a.destination_type == b.destination_type && a.destination == b.destination &&
         a.format == b.format;
}

void put(LogDelivery wanted, std::vector<LogDelivery>& logs) {
  const auto known = std::find_if(logs.begin(), logs.end(), [&](const LogDelivery& one) {
    return one.log_type == wanted.log_type;
  });
  if (known == logs.end()) {
    wanted.status = "enabling";
    logs.push_back(std::move(wanted));
  } else if (!known->wanted() || !means_the_same(*known, wanted)) {
    wanted.status = known->wanted() ? "modifying" : "enabling";
    *known = std::move(wanted);
  }
}

}  // namespace

Checked change_log_deliveries(const std::vector<LogDeliveryRequest>& requests,
                              const CacheSettings& settings, std::vector<LogDelivery>& logs) {
  std::set<std::string> types;
  for (const LogDeliveryRequest& request : requests) {
    if (request.log_type.empty()) {
      return refuse("InvalidParameterValue", "The parameter LogType must be provided.");
    }
    if (!types.insert(request.log_type).second) {
      return combination(fmt::format("The log type {} is given more than once.", request.log_type));
    }
    if (request.enabled) {
      auto wanted = read_one(request, settings);
      if (!wanted) {
        return tl::unexpected(wanted.error());
      }
      put(std::move(*wanted), logs);
      continue;
    }
    for (LogDelivery& one : logs) {
      if (one.log_type == request.log_type) {
        one.status = "disabling";
        one.message.clear();
      }
    }
  }
  return {};
}

bool is_changing(const std::vector<LogDelivery>& logs) {
  return std::any_of(logs.begin(), logs.end(), [](const LogDelivery& one) {
    return one.status == "enabling" || one.status == "modifying" || one.status == "disabling";
  });
}

}  // namespace hikae::core
