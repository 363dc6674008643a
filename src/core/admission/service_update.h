#pragma once

#include <string>
#include <vector>

#include "core/admission/admission.h"

namespace hikae::core {

// BatchApplyUpdateAction and BatchStopUpdateAction: the same update for many groups and clusters,
// each of which is done or refused by itself.
struct UpdateRequest {
  std::string update;
  std::vector<std::string> groups;
  std::vector<std::string> clusters;
};

// What has become of one of them.
struct UpdateResult {
  bool group = false;  // else a cluster
  std::string id;
  std::string status;  // UpdateActionStatus; empty: refused
  Fault refusal;
};

struct UpdateOutcome {
  Transition transition;
  std::vector<UpdateResult> results;
};

// Has the nodes restarted with the newest installed program, as a modification that is rolled
// through them. Refused for whoever is not available, and where there is nothing to apply.
Admitted<UpdateOutcome> apply_update(const State& state, const UpdateRequest& request,
                                     AdmissionContext context);

// The node that is being updated is finished; those after it stay as they are.
Admitted<UpdateOutcome> stop_update(const State& state, const UpdateRequest& request,
                                    AdmissionContext context);

Fault service_update_not_found(const std::string& name);

}  // namespace hikae::core
