#pragma once

#include <map>
#include <string>
#include <vector>

#include "adapters/certificates/certificate_authority.h"
#include "control/ports.h"
#include "engine/certificate.h"

namespace hikae::app {

// Makes the certificates of encrypted nodes, and makes others in good time. Keys are kept in memory
// alone: another run of the program makes new ones. For one thread.
class NodeCertificates {
 public:
  // `clock` must outlive it.
  NodeCertificates(adapters::CertificateAuthority ca, const control::Clock& clock,
                   Duration lifetime)
      : ca_(std::move(ca)), clock_(clock), lifetime_(lifetime) {}

  // As engine::CertificateSource: the same until two thirds of its life are over.
  Result<std::string> for_node(const core::NodeAssignment& assignment);

  const std::string& ca_certificate() const { return ca_.certificate(); }  // PEM

 private:
  struct Made {
    std::string name;
    std::vector<std::string> aliases;
    Ipv4 address;
    Instant renew_at;
    std::string pem;
  };

  adapters::CertificateAuthority ca_;
  const control::Clock& clock_;
  Duration lifetime_;
  std::map<core::NodeKey, Made> made_;
};

}  // namespace hikae::app
