#pragma once

#include "adapters/process/linux_process_runner.h"
#include "control/ports.h"

namespace hikae::app {

// Engines that start at the same time on this machine.
int starts_at_once();

// Tells what this machine does not permit to whoever runs engines on it, and what that means.
void tell_limits(const adapters::LinuxProcessRunner& runner, control::Log& log);

}  // namespace hikae::app
