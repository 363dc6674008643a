#pragma once

#include <optional>
#include <vector>

#include "api/generated/elasticache_shapes.h"
#include "core/admission/log_delivery.h"

namespace hikae::api::elasticache {

using LogRequests = std::optional<std::vector<LogDeliveryConfigurationRequest>>;

std::vector<core::LogDeliveryRequest> log_requests_of(const LogRequests& requests);

// LogDeliveryConfigurations of an answer.
std::vector<LogDeliveryConfiguration> describe_logs(const std::vector<core::LogDelivery>& logs);
// Those that some node may not have taken yet, for PendingModifiedValues; absent when there is
// none.
std::optional<std::vector<PendingLogDeliveryConfiguration>> pending_logs(
    const std::vector<core::LogDelivery>& logs);

}  // namespace hikae::api::elasticache
