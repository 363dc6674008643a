#pragma once

#include "core/admission/cache_settings.h"
#include "core/admission/settings_change.h"

namespace hikae::api::elasticache {

// The settings that CreateReplicationGroup and CreateCacheCluster ask for by the same names.
template <class Message>
core::CacheSettingsRequest settings_of(const Message& input) {
  core::CacheSettingsRequest out;
  out.engine = input.engine;
  out.engine_version = input.engine_version;
  out.node_type = input.cache_node_type;
  out.port = input.port;
  out.parameter_group = input.cache_parameter_group_name;
  out.subnet_group = input.cache_subnet_group_name;
  out.security_groups = input.security_group_ids;
  out.cache_security_groups = input.cache_security_group_names;
  out.maintenance_window = input.preferred_maintenance_window;
  out.snapshot_window = input.snapshot_window;
  out.snapshot_retention_days = input.snapshot_retention_limit;
  out.notification_topic_arn = input.notification_topic_arn;
  out.auto_minor_version_upgrade = input.auto_minor_version_upgrade;
  return out;
}

// The changes that ModifyReplicationGroup and ModifyCacheCluster ask for by the same names.
template <class Message>
core::SettingsChange settings_change_of(const Message& input) {
  core::SettingsChange out;
  out.engine = input.engine;
  out.engine_version = input.engine_version;
  out.node_type = input.cache_node_type;
  out.parameter_group = input.cache_parameter_group_name;
  out.apply_immediately = input.apply_immediately.value_or(false);
  out.security_groups = input.security_group_ids;
  out.cache_security_groups = input.cache_security_group_names;
  out.maintenance_window = input.preferred_maintenance_window;
  out.snapshot_window = input.snapshot_window;
  out.snapshot_retention_days = input.snapshot_retention_limit;
  out.notification_topic_arn = input.notification_topic_arn;
  out.notification_topic_status = input.notification_topic_status;
  out.auto_minor_version_upgrade = input.auto_minor_version_upgrade;
  return out;
}

}  // namespace hikae::api::elasticache
