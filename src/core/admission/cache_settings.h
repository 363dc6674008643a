#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/admission/admission.h"
#include "core/resource/cache_cluster.h"

namespace hikae::core {

// The part of CreateReplicationGroup and CreateCacheCluster that says what nodes are like. Absent
// is not the same as empty: it means AWS's default.
struct CacheSettingsRequest {
  std::optional<std::string> engine;
  std::optional<std::string> engine_version;
  std::optional<std::string> node_type;
  std::optional<int> port;
  std::optional<std::string> parameter_group;
  std::optional<std::string> subnet_group;
  std::optional<std::vector<std::string>> security_groups;
  std::optional<std::vector<std::string>> cache_security_groups;  // EC2-Classic; always refused
  std::optional<std::string> maintenance_window;
  std::optional<std::string> snapshot_window;
  std::optional<int> snapshot_retention_days;
  std::optional<std::string> notification_topic_arn;
  std::optional<bool> auto_minor_version_upgrade;
};

// Resolves a request into complete settings: engine version from the catalog, the family's default
// parameter group, the default subnet group and the VPC's default security group where none is
// named, windows drawn at random where none is given. Refuses with AWS's codes what does not exist
// or does not fit together. May add the `default` subnet group to `transition`.
Admitted<CacheSettings> resolve_cache_settings(const State& state,
                                               const CacheSettingsRequest& request,
                                               const AdmissionContext& context,
                                               Transition& transition);

}  // namespace hikae::core
