#pragma once

#include <optional>
#include <string>

#include "core/state/state.h"

namespace hikae::core {

// The first broken rule among the resources that `transition` touched, in words, or nullopt.
// `after` is the state with the transition applied. Rules: references lead to something that
// exists; every member of a node group is a cache cluster that names the group back; the primary is
// a member; an epoch never falls; no two nodes share an address and port.
std::optional<std::string> broken_invariant(const State& after, const Transition& transition);

}  // namespace hikae::core
