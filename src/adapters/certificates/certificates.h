#pragma once

#include <string>

#include "base/result.h"
#include "net/x509.h"

namespace hikae::adapters {

// Keys and certificates as PEM text. Keys are EC P-256, drawn from OpenSSL's own generator. None of
// this prints or logs; a message of an error never holds a key.

// A new private key. A secret: into a file of mode 0600, or nowhere.
Result<std::string> make_key();

// A request for a certificate, signed with the key. What it says of a name is not believed anyway.
Result<std::string> make_certificate_request(const std::string& key);

// Who a key is, whatever certificate it has: SHA-256 of the public key, hexadecimal.
Result<std::string> identity_of_key(const std::string& key);

// kInvalid: no certificate.
Result<net::CertificateFacts> read_certificate(const std::string& certificate);

}  // namespace hikae::adapters
