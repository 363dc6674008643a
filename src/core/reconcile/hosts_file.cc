#include "core/reconcile/hosts_file.h"

#include <fmt/format.h>

namespace hikae::core {

std::string render_hosts_file(const NodeAssignment& assignment) {
  std::string out = "127.0.0.1 localhost\n::1 localhost\n";
  // A primary whose host was lost has no address until it has another place.
  if (!assignment.primary_name.empty() && assignment.primary_address != Ipv4()) {
    out += fmt::format("{} {}\n", assignment.primary_address.str(), assignment.primary_name);
  }
  return out;
}

}  // namespace hikae::core
