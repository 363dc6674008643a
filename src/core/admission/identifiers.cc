#include "core/admission/identifiers.h"

#include <fmt/format.h>

namespace hikae::core {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_identifier(std::string_view text) {
  if (text.empty() || !is_letter(text.front()) || text.back() == '-') {
    return false;
  }
  char previous = 0;
  for (const char c : text) {
    const bool allowed = is_letter(c) || is_digit(c) || (c == '-' && previous != '-');
    if (!allowed) {
      return false;
    }
    previous = c;
  }
  return true;
}

// `parameter` and `label` are the names that AWS uses in the two messages.
Admitted<std::string> parse(std::string_view text, std::string_view parameter,
                            std::string_view label, std::size_t longest) {
  if (!is_identifier(text)) {
    return refuse("InvalidParameterValue",
                  fmt::format("The parameter {} is not a valid identifier. Identifiers must begin "
                              "with a letter; must contain only ASCII letters, digits, and "
                              "hyphens; and must not end with a hyphen or contain two consecutive "
                              "hyphens.",
                              parameter));
  }
  if (text.size() > longest) {
    return refuse("InvalidParameterValue",
                  fmt::format("{} should be no more than {} characters.", label, longest));
  }
  return to_lower(text);
}

template <class Id>
Admitted<Id> as_id(Admitted<std::string> text) {
  return std::move(text).map([](std::string value) { return Id(std::move(value)); });
}

}  // namespace

Admitted<CacheClusterId> parse_cache_cluster_id(std::string_view text) {
  return as_id<CacheClusterId>(
      parse(text, "CacheClusterIdentifier", "Cache cluster id", kMaxCacheClusterId));
}

Admitted<ReplicationGroupId> parse_replication_group_id(std::string_view text) {
  return as_id<ReplicationGroupId>(
      parse(text, "ReplicationGroupId", "Replication group id", kMaxReplicationGroupId));
}

Admitted<ParameterGroupName> parse_parameter_group_name(std::string_view text) {
  return as_id<ParameterGroupName>(
      parse(text, "CacheParameterGroupName", "Cache parameter group name", kMaxGroupName));
}

Admitted<SubnetGroupName> parse_subnet_group_name(std::string_view text) {
  return as_id<SubnetGroupName>(
      parse(text, "CacheSubnetGroupName", "Cache subnet group name", kMaxGroupName));
}

Admitted<SnapshotName> parse_snapshot_name(std::string_view text) {
  return as_id<SnapshotName>(parse(text, "SnapshotName", "Snapshot name", kMaxGroupName));
}

Admitted<UserId> parse_user_id(std::string_view text) {
  return as_id<UserId>(parse(text, "UserId", "User id", kMaxUserId));
}

Admitted<UserGroupId> parse_user_group_id(std::string_view text) {
  return as_id<UserGroupId>(parse(text, "UserGroupId", "User group id", kMaxUserId));
}

Fault cache_cluster_not_found(std::string_view id) {
  return Fault{"CacheClusterNotFound", fmt::format("CacheCluster not found: {}", id)};
}

Fault replication_group_not_found(std::string_view id) {
  return Fault{"ReplicationGroupNotFoundFault", fmt::format("ReplicationGroup {} not found.", id)};
}

Fault parameter_group_not_found(std::string_view name) {
  return Fault{"CacheParameterGroupNotFound",
               fmt::format("CacheParameterGroup {} not found.", name)};
}

Fault subnet_group_not_found(std::string_view name) {
  return Fault{"CacheSubnetGroupNotFoundFault",
               fmt::format("Cache Subnet Group {} does not exist.", name)};
}

Fault user_not_found(std::string_view id) {
  return Fault{"UserNotFound", fmt::format("User {} not found.", id)};
}

Fault user_group_not_found(std::string_view id) {
  return Fault{"UserGroupNotFound", fmt::format("UserGroup {} not found.", id)};
}

}  // namespace hikae::core
