#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/admission/access.h"
#include "core/admission/log_delivery.h"
#include "core/admission/restore.h"

namespace hikae::core {

// AWS User Guide, "Quotas for ElastiCache".
inline constexpr int kMaxMembers = 6;  // one primary and five replicas
inline constexpr std::size_t kMaxNodesPerRegion = 5000;

struct CreateReplicationGroup {
  std::string id;
  std::string description;
  std::optional<std::string> primary_cluster;
  std::optional<bool> automatic_failover;
  std::optional<bool> multi_az;
  std::optional<int> num_cache_clusters;
  std::optional<int> num_node_groups;
  std::optional<int> replicas_per_node_group;
  std::vector<std::string> preferred_zones;  // one for each member, the primary's first
  CacheSettingsRequest settings;
  AccessRequest access;
  RestoreRequest restore;
  std::vector<std::string> user_groups;
  std::vector<LogDeliveryRequest> logs;
  std::string network_type = "ipv4";
  std::string ip_discovery = "ipv4";
  Tags tags;
};

// Makes the group and its members, all `creating`. With a primary cluster the group forms around it
// and takes over its settings (CreateReplicationGroup, PrimaryClusterId).
Admitted<Transition> admit(const State& state, const CreateReplicationGroup& command,
                           AdmissionContext context);

struct DeleteReplicationGroup {
  std::string id;
  bool retain_primary = false;
  std::optional<std::string> final_snapshot;  // taken first; if it fails, nothing is deleted
};

// Marks the group and its members `deleting`; they go once their hosts let them go.
Admitted<Transition> admit(const State& state, const DeleteReplicationGroup& command,
                           AdmissionContext context);

// Marks the group, its members and its automatic snapshots `deleting`, in a transition to be
// committed next.
void begin_deletion(const State& state, ReplicationGroup group, Transition& transition);

// Adds a replica with a name of its own to an available group.
// Everything else is the group's (CreateCacheCluster with ReplicationGroupId).
struct AddReplica {
  std::string group;
  std::string cluster_id;
  std::string preferred_zone;
  Tags tags;
};
Admitted<Transition> admit(const State& state, const AddReplica& command, AdmissionContext context);

}  // namespace hikae::core
