#pragma once

#include <string>

#include "adapters/lease_memory/lease_memory.h"

namespace hikae::app {

// Where the leases of the nodes below an agent's data directory lie, which is an absolute path.
adapters::LeaseMemory::Options lease_files(const std::string& data_directory);

}  // namespace hikae::app
