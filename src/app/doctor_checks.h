#pragma once

#include <vector>

#include "adapters/system/proc.h"
#include "app/doctor.h"

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
// Whether they can load the one by which they take clients with and without TLS on one port.
std::vector<Finding> check_front();
// What a running serve watches, and the share of a core that it takes now; takes a second.
std::vector<Finding> check_agents(const ServeConfig& config);
std::vector<Finding> check_store(const ServeConfig& config);

// The sockets that take away `port` from an address of loopback: on all addresses, or on that one
// (`address` 0.0.0.0: on all addresses only).
std::vector<adapters::ListeningSocket> sockets_in_the_way(
    const std::vector<adapters::ListeningSocket>& sockets,
    adapters::ListeningSocket::Protocol protocol, Ipv4 address, std::uint16_t port);

}  // namespace hikae::app
