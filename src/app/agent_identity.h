#pragma once

#include <optional>
#include <string>

#include "adapters/agent_rpc/tls.h"
#include "base/result.h"
#include "base/time.h"

namespace hikae::app {

// Who a host is to its region: a key, which never leaves the host, and a certificate of the
// region's CA for it.
struct AgentIdentity {
  agent_rpc::TlsIdentity tls;
  std::string host;
  Instant not_before;
  Instant not_after;
  // When to ask for the next certificate: after two thirds of the life of this one.
  Instant renew_at() const;
};

// The identity in `<data>/agent`: key.pem (0600), certificate.pem, ca.pem.
class AgentIdentityFiles {
 public:
  explicit AgentIdentityFiles(const std::string& data_directory);

  // nullopt: the host has not joined. kInvalid: a file is damaged, or they do not belong together.
  Result<std::optional<AgentIdentity>> load() const;
  // The key, made at the first call in the host's life.
  Result<std::string> key() const;
  Status save(const std::string& certificate, const std::string& ca_certificate) const;
  // The same CA's next certificate.
  Status save(const std::string& certificate) const;

  const std::string& directory() const { return directory_; }

 private:
  std::string directory_;
};

}  // namespace hikae::app
