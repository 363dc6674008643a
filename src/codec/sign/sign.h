#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/query/form.h"
#include "codec/sign/signature.h"

namespace hikae::codec {

// The client's side of signatures.

// A request to sign. `headers` must contain Host exactly as it will be sent.
struct SignRequest {
  std::string_view method;
  std::string_view path;
  std::string_view query;
  std::span<const Header> headers;
  std::string_view body;
};

// The headers to add: X-Amz-Date, X-Amz-Security-Token for a temporary credential, Authorization.
// Signs every header given, so give only those that no proxy changes.
std::vector<Header> sign_v4_header(const SignRequest& request, const Credential& credential,
                                   std::string_view region, std::string_view service, Instant now);

// The whole query string of a presigned request, which must be sent with an unchanged Host and
// without a body. Only Host is signed.
std::string presign_v4(const SignRequest& request, const Credential& credential,
                       std::string_view region, std::string_view service, Instant now,
                       std::int64_t expires_seconds);

struct V2Options {
  std::string_view signature_method = "HmacSHA256";  // or HmacSHA1
  std::optional<Instant> expires;                    // instead of Timestamp
  // `yyyymmdd/region/service/aws4_request`: names the key by X-Amz-Credential with this scope
  // instead of AWSAccessKeyId.
  std::string_view credential_scope;
};

// The form (body of a POST, query of a GET) of the parameters with the signature's own added.
std::string sign_v2(std::string_view method, std::string_view host, std::string_view path,
                    std::vector<Parameter> parameters, const Credential& credential, Instant now,
                    const V2Options& options);

}  // namespace hikae::codec
