#pragma once

#include <set>

#include "core/admission/admission.h"

namespace hikae::core {

// The nodes of these groups have other users from now on: each will tell when it has taken them.
// False: there is no node to tell, because the groups are none or on their way out.
bool tell_nodes(const State& state, const std::set<ReplicationGroupId>& groups,
                Transition& transition);

}  // namespace hikae::core
