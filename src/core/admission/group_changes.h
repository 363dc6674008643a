#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "core/admission/admission.h"
#include "core/admission/group_access.h"
#include "core/admission/log_delivery.h"
#include "core/admission/settings_change.h"

namespace hikae::core {

// ModifyReplicationGroup. What nodes run is rolled through the members at once, or waits for the
// maintenance window; everything else takes effect with the commit.
struct ModifyReplicationGroup {
  std::string id;
  std::optional<std::string> description;
  std::optional<bool> automatic_failover;
  std::optional<bool> multi_az;
  // Promotes this member by a planned switchover, whether Multi-AZ is on or off: no acknowledged
  // write is lost. It is given up, and nothing changed, when the member does not catch up in time.
  std::optional<std::string> primary_cluster;
  std::optional<std::string> snapshotting_cluster;
  UserGroupsChange user_groups;
  std::vector<LogDeliveryRequest> logs;
  SettingsChange settings;
};
Admitted<Transition> admit(const State& state, const ModifyReplicationGroup& command,
                           AdmissionContext context);

// Kills the primary of a node group for real; the automatic failover does the rest (AWS User Guide,
// "Testing automatic failover"). Needs automatic failover, and no failover or repair under way.
// Every call that is accepted counts against the quota for 24 hours, whatever becomes of its group;
// its event is the record.
struct TestFailover {
  std::string group;
  std::string node_group;
  std::size_t quota = 0;  // node groups in any rolling 24 hours; 0: any number
};
Admitted<Transition> admit(const State& state, const TestFailover& command,
                           AdmissionContext context);

// How long clients may be kept waiting by a planned switchover.
inline constexpr Duration kSwitchoverBound = std::chrono::seconds(2);

}  // namespace hikae::core
