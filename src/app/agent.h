#pragma once

#include "app/agent_config.h"

namespace hikae::app {

// Runs the nodes of this host until SIGINT or SIGTERM, joining the region first where the host has
// not yet. Answers the exit code: 0 after an orderly stop, 1 when it could not start, or the region
// refused the host. Engines keep running; see down.h.
int run_agent(const AgentConfig& config);

}  // namespace hikae::app
