#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/admission/log_delivery.h"
#include "core/admission/restore.h"

namespace hikae::core {

struct CreateCacheCluster {
  std::string id;
  std::optional<int> num_nodes;
  std::string preferred_zone;
  CacheSettingsRequest settings;
  RestoreRequest restore;
  std::vector<LogDeliveryRequest> logs;
  Tags tags;
};

// A standalone cluster of one node, `creating`.
Admitted<Transition> admit(const State& state, const CreateCacheCluster& command,
                           AdmissionContext context);

struct DeleteCacheCluster {
  std::string id;
  std::optional<std::string> final_snapshot;  // of a standalone cluster, as for groups
};

// Marks a standalone cluster or a replica `deleting`. Refuses a primary, the last replica of a
// group with automatic failover, and the only member of a group.
Admitted<Transition> admit(const State& state, const DeleteCacheCluster& command,
                           AdmissionContext context);

struct RebootCacheCluster {
  std::string id;
  std::vector<std::string> nodes;
};

// Restarts the nodes with the current parameters: memory is lost, as with AWS. It never makes a
// group fail over.
Admitted<Transition> admit(const State& state, const RebootCacheCluster& command,
                           AdmissionContext context);

// One new node that waits for its placement.
CacheCluster new_cluster(CacheClusterId id, CacheSettings settings, ZoneName preferred_zone,
                         Tags tags);

// Why the node group may not be left with so few replicas: its parameter group has writes confirmed
// by more, and with fewer none would be taken.
std::optional<Fault> too_few_to_confirm(const State& state, const NodeGroup& node_group,
                                        int replicas);

// The refusal when one more or `more` nodes would exceed the region's quota.
std::optional<Fault> quota_exceeded(const State& state, std::size_t more);

// Wanted zone of a node: one that the region has, or InvalidParameterValue.
Admitted<ZoneName> check_zone(const State& state, const std::string& zone);

// Marks a cluster and its automatic snapshots `deleting`, in a transition to be committed next.
void begin_deletion(const State& state, CacheCluster cluster, Transition& transition);

// The cluster's part of that.
void retire(const State& state, CacheCluster& cluster);

}  // namespace hikae::core
