#pragma once

#include <string>

#include "core/reconcile/assignment.h"

namespace hikae::core {

// What the node's process sees as /etc/hosts: localhost, and the primary's name where it is now. So
// a replica can follow a name without any name server, and the name can be moved under it.
std::string render_hosts_file(const NodeAssignment& assignment);

}  // namespace hikae::core
