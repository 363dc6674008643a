#include "engine/redis_access.h"

#include <fmt/format.h>

#include "engine/certificate.h"

namespace hikae::engine {

std::string listening_lines(const core::NodeAssignment& assignment) {
  const std::string address = assignment.address.str();
  if (!assignment.access.encrypted()) {
    return fmt::format("bind {}\nport {}\n", address, assignment.port);
  }
  return fmt::format(
      "bind {0}\nport 0\ntls-port {1}\ntls-replication yes\ntls-cert-file {2}\ntls-key-file {2}\n"
      // Nobody but a member of the group verifies by this file, and clients need no certificate.
      "tls-ca-cert-file {2}\ntls-auth-clients no\ntls-protocols \"TLSv1.2 TLSv1.3\"\n",
      address, assignment.port, kCertificateFile);
}

std::string token_rules(const core::Access& access) {
  std::string out;
  for (const std::string& digest : access.tokens) {
    // A password beside `nopass` would end that.
    out += access.token_optional ? "" : " #" + digest;
  }
  return out;
}

Command set_tokens(const core::Access& access) {
  if (access.tokens.empty() || access.token_optional) {
    return {"ACL", "SETUSER", "default", "nopass"};
  }
  Command out = {"ACL", "SETUSER", "default", "resetpass"};
  for (const std::string& digest : access.tokens) {
    out.push_back("#" + digest);
  }
  return out;
}

Command reload_certificate() {
  return {"CONFIG", "SET", "tls-cert-file", std::string(kCertificateFile)};
}

}  // namespace hikae::engine
