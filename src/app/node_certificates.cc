#include "app/node_certificates.h"

#include <utility>

namespace hikae::app {

Result<std::string> NodeCertificates::for_node(const core::NodeAssignment& assignment) {
  const Instant now = clock_.now();
  const auto known = made_.find(assignment.node);
  if (known != made_.end() && known->second.renew_at > now &&
      known->second.name == assignment.certificate_name &&
      known->second.aliases == assignment.certificate_aliases &&
      known->second.address == assignment.address) {
    return known->second.pem;
  }
  auto made = ca_.make_named(assignment.certificate_name, assignment.certificate_aliases,
                             assignment.address, now, lifetime_);
  if (!made) {
    return tl::unexpected(made.error());
  }
  // Also those of nodes that are gone.
  std::erase_if(made_, [&](const auto& one) { return one.second.renew_at <= now; });
  Made& kept = made_[assignment.node];
  kept = {assignment.certificate_name, assignment.certificate_aliases, assignment.address,
          now + lifetime_ * 2 / 3, std::move(made->key) + made->chain};
  return kept.pem;
}

}  // namespace hikae::app
