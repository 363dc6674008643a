#pragma once

#include <optional>
#include <string>

#include "core/admission/admission.h"
#include "core/failover/failover.h"
#include "core/reconcile/observed.h"
#include "core/state/state.h"

namespace hikae::core {

// The next step of one resource towards what is desired of it. Agents do the work by themselves
// from their assignments; a plan only moves the state along.
struct Plan {
  Transition transition;  // empty: nothing to change now
  std::string reason;     // one line: what is done, or what is waited for
  bool settled = false;   // desired and observed agree; nothing is waited for
  // Ask again after this time even if nothing was observed; zero: no need.
  Duration recheck_after{};
  // Set by the step that commits a new primary.
  struct Failover {
    NodeGroup before;
    FailoverDecision decision;
  };
  std::optional<Failover> failover = std::nullopt;
  std::string alarm = "";  // not empty: one line that the operator has to know, as an error
};

// Both re-read everything each time and need no memory: after a crash at any point the next call
// continues. They are called when the resource or an observation of it changed.
Plan plan_replication_group(const State& state, const Observed& observed,
                            const ReplicationGroupId& id, AdmissionContext context);
Plan plan_standalone_cluster(const State& state, const Observed& observed, const CacheClusterId& id,
                             AdmissionContext context);

}  // namespace hikae::core
