#pragma once

#include <string>
#include <vector>

#include "core/state/state.h"

namespace hikae::core {

// What nodes that have no place would need, one line for each replication group and standalone
// cluster with such nodes.
std::vector<std::string> nodes_without_place(const State& state);

}  // namespace hikae::core
