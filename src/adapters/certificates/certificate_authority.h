#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/certificates/certificates.h"
#include "base/address.h"

namespace hikae::adapters {

struct ServerCertificate {
  std::string key;
  std::string chain;  // its certificate, then the CA's
};

// The region's own certificate authority. It signs two kinds of certificates, told apart by their
// extended key usage, so that an agent cannot pose as a server: agents' for clients, servers' for
// servers.
class CertificateAuthority {
 public:
  // The one that follows from the seed, the same everywhere: who has the seed can speak for the
  // region. `name` is shown to people who look at certificates.
  static constexpr std::size_t kSeedBytes = 32;
  static Result<CertificateAuthority> derive(const std::string& name, std::string_view seed);
  ~CertificateAuthority();
  CertificateAuthority(CertificateAuthority&&) noexcept;
  CertificateAuthority& operator=(CertificateAuthority&&) noexcept;

  const std::string& certificate() const;  // PEM
  const std::string& fingerprint() const;  // as in CertificateFacts

  // Who asks. kInvalid: no request, a key of another kind, or one that the sender does not have.
  Result<std::string> identity_of_request(const std::string& request) const;
  // For the agent of that host.
  Result<std::string> sign_agent(const std::string& request, const std::string& host, Instant now,
                                 Duration lifetime) const;
  // With a new key.
  Result<ServerCertificate> make_server(Instant now, Duration lifetime) const;
  // With a new key, for whoever is reached by this DNS name, which may begin with `*.`, by one of
  // the aliases or by the address.
  Result<ServerCertificate> make_named(const std::string& dns_name,
                                       const std::vector<std::string>& aliases, Ipv4 address,
                                       Instant now, Duration lifetime) const;

 private:
  struct Impl;
  Result<ServerCertificate> make_with_key(const std::string& name, const std::string& alternatives,
                                          Instant now, Duration lifetime) const;
  explicit CertificateAuthority(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hikae::adapters
