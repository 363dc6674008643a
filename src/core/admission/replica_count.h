#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/admission/admission.h"

namespace hikae::core {

// The wish for one node group (ConfigureShard).
struct ShardReplicas {
  std::string node_group;
  int replicas = 0;
  std::vector<std::string> zones;  // of all its nodes, the primary among them; empty: any
};

struct IncreaseReplicaCount {
  std::string group;
  std::optional<int> replicas;
  std::vector<ShardReplicas> shards;
  bool apply_immediately = false;
};

// Adds replicas with the next free names, `creating`; the group is `modifying` until all are in
// service. They synchronise one after the other.
Admitted<Transition> admit(const State& state, const IncreaseReplicaCount& command,
                           AdmissionContext context);

struct DecreaseReplicaCount {
  std::string group;
  std::optional<int> replicas;
  std::vector<ShardReplicas> shards;
  std::vector<std::string> remove;  // these replicas
  bool apply_immediately = false;
};

// Marks replicas `deleting`, never the primary. Which ones, where it is not said: such as are being
// recovered, then of the zone with the most members, then the newest.
Admitted<Transition> admit(const State& state, const DecreaseReplicaCount& command,
                           AdmissionContext context);

}  // namespace hikae::core
