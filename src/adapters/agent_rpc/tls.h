#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "net/tls.h"
#include "net/x509.h"

namespace hikae::agent_rpc {

// Who one end is, and whom it believes. PEM texts; the key is a secret.
struct TlsIdentity {
  std::string key;
  std::string chain;  // its own certificate, of a server followed by the CA's
  std::string ca_certificate;
};

// TLS 1.3 alone: both ends are ours. No session is ever resumed, so that every connection proves
// its certificate anew.
using net::TlsContext;

// Asks the other end for a certificate, and lets it in without one: such a one may only join.
Result<TlsContext> server_tls(const TlsIdentity& identity);
// Believes servers with a certificate of the region's CA.
Result<TlsContext> agent_tls(const TlsIdentity& identity);
// Has no certificate yet, and knows the CA by its fingerprint (SHA-256 of the certificate,
// hexadecimal) alone.
Result<TlsContext> joining_tls(const std::string& ca_fingerprint);

// What a peer's certificate says, once it was verified.
using PeerIdentity = net::CertificateFacts;
// nullopt: it gave none.
std::optional<PeerIdentity> peer_identity(SSL* connection);

}  // namespace hikae::agent_rpc
