#include "core/admission/arn.h"

#include <vector>

#include <fmt/format.h>

#include "base/strings.h"

namespace hikae::core {

std::string_view partition_of(std::string_view region) {
  if (region.starts_with("cn-")) {
    return "aws-cn";
  }
  return region.starts_with("us-gov-") ? "aws-us-gov" : "aws";
}

std::string build_arn(const Region& region, std::string_view type, std::string_view name) {
  return fmt::format("arn:{}:elasticache:{}:{}:{}:{}", partition_of(region.name), region.name,
                     region.account_id, type, name);
}

Admitted<ResourceName> parse_arn(const Region& region, std::string_view text) {
  constexpr std::size_t kComponents = 7;
  constexpr std::size_t kLongest = 2048;
  if (text.size() > kLongest) {
    return refuse("InvalidARN", "The ARN is longer than 2048 characters");
  }
  const std::vector<std::string> parts = split(text, ':');
  if (parts.size() != kComponents || parts[0] != "arn") {
    return refuse("InvalidARN", fmt::format("ARN {} does not have 7 components", text));
  }
  if (parts[1] != partition_of(region.name)) {
    return refuse("InvalidARN", fmt::format("ARN {}: the partition field is wrong", text));
  }
  if (parts[2] != "elasticache") {
    return refuse("InvalidARN", fmt::format("ARN {}: the service field is wrong", text));
  }
  if (parts[3] != region.name) {
    return refuse("InvalidARN",
                  fmt::format("ARN {} is not of this region. Please check the region", text));
  }
  if (parts[4] != region.account_id) {
    return refuse("InvalidARN", fmt::format("ARN {} does not belong to the caller", text));
  }
  if (parts[5].empty() || parts[6].empty()) {
    return refuse("InvalidARN", fmt::format("ARN {} names no resource", text));
  }
  return ResourceName{parts[5], to_lower(parts[6])};
}

}  // namespace hikae::core
