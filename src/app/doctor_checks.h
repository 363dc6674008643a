#pragma once

#include <vector>

#include "app/doctor.h"
#include "app/fence_module.h"

// The single checks of doctor.h.

namespace hikae::app {

std::vector<Finding> check_engines(const ServeConfig& config);
std::vector<Finding> check_data_directory(const ServeConfig& config);
std::vector<Finding> check_node_ports();
std::vector<Finding> check_own_ports(const ServeConfig& config);
std::vector<Finding> check_dns(const ServeConfig& config);
std::vector<Finding> check_namespaces();
std::vector<Finding> check_limits();
std::vector<Finding> check_priority();
// Whether clients of a dying primary can be sent away at once.
std::vector<Finding> check_socket_resets();
// Whether engines can load the module by which they refuse writes without a lease.
std::vector<Finding> check_fence();
Finding finding_of(const Fences& found);
// Whether they can load the one by which they take clients with and without TLS on one port.
std::vector<Finding> check_front();
// What a running serve watches, and the share of a core that it takes now; takes a second.
std::vector<Finding> check_agents(const ServeConfig& config);
std::vector<Finding> check_store(const ServeConfig& config);

}  // namespace hikae::app
