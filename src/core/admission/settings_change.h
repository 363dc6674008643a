#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/admission/access.h"
#include "core/admission/admission.h"
#include "core/admission/settings_rules.h"
#include "core/resource/cache_cluster.h"

namespace hikae::core {

// What ModifyReplicationGroup and ModifyCacheCluster have in common. Absent: stays as it is.
struct SettingsChange {
  // What nodes run: at once, or in the maintenance window.
  std::optional<std::string> engine;
  std::optional<std::string> engine_version;
  std::optional<std::string> node_type;
  std::optional<std::string> parameter_group;
  std::optional<TokenChange> token;
  EncryptionChange encryption;  // of a replication group
  bool apply_immediately = false;
  // The rest takes effect at once.
  std::optional<std::vector<std::string>> security_groups;
  std::optional<std::vector<std::string>> cache_security_groups;  // EC2-Classic; always refused
  std::optional<std::string> maintenance_window;
  std::optional<std::string> snapshot_window;
  std::optional<int> snapshot_retention_days;
  std::optional<std::string> notification_topic_arn;
  std::optional<std::string> notification_topic_status;
  std::optional<bool> auto_minor_version_upgrade;

  bool asks_for_nothing() const;
  bool changes_nodes() const {
    return engine || engine_version || node_type || parameter_group || token ||
           !encryption.asks_for_nothing();
  }
};

// Puts the part that takes effect at once into `settings`.
Checked change_at_once(const State& state, const SettingsChange& change, CacheSettings& settings);

// The changes of what nodes run that lead from `settings` to what is asked for, on top of `pending`
// ones. Refuses with AWS's codes: an unknown or an older engine version, a parameter group of
// another family, a node type that the engine version is not offered on. A default parameter group
// gives way to the default of the new family; a customer's group has to be named.
Admitted<NodeChanges> change_nodes(const State& state, const SettingsChange& change,
                                   const CacheSettings& settings, const NodeChanges& pending);

}  // namespace hikae::core
