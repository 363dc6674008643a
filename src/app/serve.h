#pragma once

#include "app/config.h"

namespace hikae::app {

// Serves the region until SIGINT or SIGTERM and answers the exit code: 0 after an orderly stop, 1
// when it could not start or had to give up. Engines keep running; see down.h.
int run_serve(const ServeConfig& config);

}  // namespace hikae::app
