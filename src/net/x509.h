#pragma once

#include <string>

#include <openssl/x509.h>

#include "base/result.h"
#include "base/time.h"

namespace hikae::net {

// What a certificate says, and who its key is.
struct CertificateFacts {
  std::string name;         // common name: of an agent its host
  std::string identity;     // SHA-256 of the public key, hexadecimal, whatever certificate it has
  std::string fingerprint;  // SHA-256 of the certificate (DER), hexadecimal
  Instant not_before;
  Instant not_after;
};

// kInvalid: damaged.
Result<CertificateFacts> facts_of(X509* certificate);

// The common name of its subject; empty: none.
std::string common_name(const X509* certificate);

// As in CertificateFacts.
Result<std::string> identity_of(EVP_PKEY* key);
Result<std::string> fingerprint_of(X509* certificate);

// With OpenSSL's own reason, which is taken from its queue.
tl::unexpected<Error> openssl_failure(ErrorCode code, std::string_view what);

}  // namespace hikae::net
