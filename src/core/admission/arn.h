#pragma once

#include <string>
#include <string_view>

#include "core/admission/admission.h"
#include "core/resource/region.h"

namespace hikae::core {

// Types of resources in ElastiCache's ARNs.
inline constexpr std::string_view kArnCluster = "cluster";
inline constexpr std::string_view kArnReplicationGroup = "replicationgroup";
inline constexpr std::string_view kArnParameterGroup = "parametergroup";
inline constexpr std::string_view kArnSubnetGroup = "subnetgroup";
inline constexpr std::string_view kArnSnapshot = "snapshot";
inline constexpr std::string_view kArnUser = "user";
inline constexpr std::string_view kArnUserGroup = "usergroup";

// `aws`, `aws-cn`, `aws-us-gov`.
std::string_view partition_of(std::string_view region);

// `arn:aws:elasticache:ap-northeast-1:123456789012:subnetgroup:foosubnet`
std::string build_arn(const Region& region, std::string_view type, std::string_view name);

struct ResourceName {
  std::string type;
  std::string name;  // lower case, as stored
};

// Takes apart an ARN that names a resource of this region and account. InvalidARN otherwise, in
// AWS's words; whether the type exists is not looked at.
Admitted<ResourceName> parse_arn(const Region& region, std::string_view text);

}  // namespace hikae::core
