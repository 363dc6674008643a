#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/admission/settings_rules.h"
#include "core/resource/cache_cluster.h"

namespace hikae::core {

// One of LogDeliveryConfigurations, as the Create and Modify actions take them.
struct LogDeliveryRequest {
  std::string log_type;
  std::optional<std::string> destination_type;
  std::optional<std::string> log_group;        // of CloudWatchLogsDetails
  std::optional<std::string> delivery_stream;  // of KinesisFirehoseDetails
  std::optional<std::string> format;
  bool enabled = true;  // false: deliver this type of log no more
};

// Puts the requests into `logs`: new ones are `enabling`, others `modifying`, those that are turned
// off `disabling`. What is so already stays as it is. Refuses with AWS's codes what is incomplete
// or contradicts itself, and logs that the engine's version does not have.
Checked change_log_deliveries(const std::vector<LogDeliveryRequest>& requests,
                              const CacheSettings& settings, std::vector<LogDelivery>& logs);

// Some node may not have taken them yet.
bool is_changing(const std::vector<LogDelivery>& logs);

}  // namespace hikae::core
