#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/strings.h"
#include "core/admission/admission.h"
#include "core/resource/ids.h"

namespace hikae::core {

// Names that clients give to new things (ElastiCache API reference, the Create actions): a letter
// first, then letters, digits and single hyphens, no hyphen at the end. They are stored in lower
// case. A refusal is InvalidParameterValue in AWS's words.

inline constexpr std::size_t kMaxCacheClusterId = 50;
inline constexpr std::size_t kMaxReplicationGroupId = 40;
inline constexpr std::size_t kMaxGroupName = 255;
inline constexpr std::size_t kMaxUserId = 40;  // of users and user groups

Admitted<CacheClusterId> parse_cache_cluster_id(std::string_view text);
Admitted<ReplicationGroupId> parse_replication_group_id(std::string_view text);
Admitted<ParameterGroupName> parse_parameter_group_name(std::string_view text);
Admitted<SubnetGroupName> parse_subnet_group_name(std::string_view text);
Admitted<SnapshotName> parse_snapshot_name(std::string_view text);
Admitted<UserId> parse_user_id(std::string_view text);
Admitted<UserGroupId> parse_user_group_id(std::string_view text);

// For looking up what exists: never refuses, since what can't exist is not found.
template <class Id>
Id lookup_id(std::string_view text) {
  return Id(to_lower(text));
}

// The not-found faults that more than one action answers.
Fault cache_cluster_not_found(std::string_view id);
Fault replication_group_not_found(std::string_view id);
Fault parameter_group_not_found(std::string_view name);
Fault subnet_group_not_found(std::string_view name);
Fault user_not_found(std::string_view id);
Fault user_group_not_found(std::string_view id);

}  // namespace hikae::core
