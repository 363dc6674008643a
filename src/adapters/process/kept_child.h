#pragma once

#include <string>
#include <sys/types.h>

#include "adapters/process/child.h"
#include "base/result.h"

namespace hikae::adapters {

struct KeptChild {
  pid_t keeper = -1;  // our child
  pid_t program = -1;
};

// Starts the program under the keeper (module/keeper.c) with that lease file. Both outlive us, and
// neither the other. kUnavailable: the keeper has ended without starting it, and said why in the
// output.
Result<KeptChild> spawn_kept_child(ChildSpec spec, const std::string& keeper,
                                   const std::string& lease);

}  // namespace hikae::adapters
