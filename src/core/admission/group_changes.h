#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "core/admission/admission.h"

namespace hikae::core {

// ModifyReplicationGroup, as far as it changes the group without touching what its nodes run.
// Everything given is applied at once.
struct ModifyReplicationGroup {
  std::string id;
  std::optional<std::string> description;
  std::optional<bool> automatic_failover;
  std::optional<bool> multi_az;
  // Promotes this member by a planned switchover, whether Multi-AZ is on or off: no acknowledged
  // write is lost. It is given up, and nothing changed, when the member does not catch up in time.
  std::optional<std::string> primary_cluster;
  std::optional<std::string> maintenance_window;
  std::optional<std::string> snapshot_window;
  std::optional<std::string> notification_topic_arn;
  std::optional<bool> auto_minor_version_upgrade;
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
