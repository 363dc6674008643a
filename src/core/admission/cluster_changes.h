#pragma once

#include <optional>
#include <string>

#include "core/admission/log_delivery.h"
#include "core/admission/settings_change.h"

namespace hikae::core {

struct ModifyCacheCluster {
  std::string id;
  std::optional<int> num_nodes;
  std::vector<LogDeliveryRequest> logs;
  SettingsChange settings;
};

// Modifies a standalone cluster: what its node runs, AUTH tokens among that, at once or in the
// maintenance window, the rest with the commit. Of a member of a replication group only what is its
// own may be changed: its maintenance window and notifications.
Admitted<Transition> admit(const State& state, const ModifyCacheCluster& command,
                           AdmissionContext context);

}  // namespace hikae::core
