#pragma once

#include <string>
#include <string_view>

#include "adapters/certificates/certificate_authority.h"
#include "codec/text/digest.h"

namespace hikae::app {

// The CA of a region, which every server that has the region's secret derives alike
// (docs/adr/0023-agents-connect-with-certificates-of-the-region.md).
inline Result<adapters::CertificateAuthority> region_ca(const std::string& region,
                                                        std::string_view secret) {
  const std::string seed = codec::hmac_sha256(secret, "the seed of the region's CA");
  return adapters::CertificateAuthority::derive("hikae region " + region, seed);
}

// Another one, for the nodes of encrypted caches. What a host has of it proves that the host runs
// nodes, and never that it is a server
// (docs/adr/0029-nodes-have-certificates-of-a-ca-of-their-own.md).
inline Result<adapters::CertificateAuthority> nodes_ca(const std::string& region,
                                                       std::string_view secret) {
  const std::string seed = codec::hmac_sha256(secret, "the seed of the CA of the region's nodes");
  return adapters::CertificateAuthority::derive("hikae nodes of " + region, seed);
}

}  // namespace hikae::app
