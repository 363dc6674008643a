#pragma once

#include <string_view>

#include <tl/expected.hpp>

#include "codec/query/form.h"
#include "codec/sign/signature.h"

namespace hikae::codec {

struct CredentialScope {
  std::string access_key_id;
  std::string date;  // yyyymmdd
  std::string region;
  std::string service;
};

// `<akid>/<yyyymmdd>/<region>/<service>/aws4_request`
tl::expected<CredentialScope, SignatureFault> parse_credential_scope(std::string_view text);

// `sent` is the token of the request, nullptr for none; `covered` tells whether the signature
// covers it.
tl::expected<void, SignatureFault> check_session_token(const Credential& credential,
                                                       const std::string* sent, bool covered);

tl::expected<Verified, SignatureFault> verify_v4_header(const SignatureInput& input,
                                                        std::string_view authorization);

// `query` is the parsed query string of `input`.
tl::expected<Verified, SignatureFault> verify_v4_presigned(const SignatureInput& input,
                                                           const Form& query);

}  // namespace hikae::codec
