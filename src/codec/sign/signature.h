#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

#include "base/time.h"
#include "codec/sign/signing_key_cache.h"

namespace hikae::codec {

using Header = std::pair<std::string, std::string>;

inline constexpr std::chrono::minutes kClockTolerance{15};
inline constexpr std::int64_t kMaxPresignSeconds = 604'800;
inline constexpr std::size_t kMaxSignedHeaders = 128;

struct Credential {
  std::string access_key_id;
  std::string secret;
  std::optional<std::string> session_token;  // only temporary credentials have one
};

// nullptr for an unknown key. The answer must stay valid until verify_signature returns.
using CredentialLookup = std::function<const Credential*(std::string_view access_key_id)>;

// A request as it came from the wire: nothing decoded, headers in their order.
struct SignatureInput {
  std::string_view method;
  std::string_view path;
  std::string_view query;  // without the `?`
  std::span<const Header> headers;
  std::string_view body;
  Instant now;
  CredentialLookup lookup;
  SigningKeyCache* key_cache = nullptr;  // optional; owned by the caller
};

enum class SignatureKind {
  kV4Header,
  kV4Presigned,
  kV2,
  kV2Scoped,  // the algorithm of version 2 with a version 4 credential scope in X-Amz-Credential
};

struct Verified {
  std::string access_key_id;
  std::string region;   // from the credential scope; empty for kV2
  std::string service;  // likewise
  SignatureKind kind = SignatureKind::kV4Header;
};

// What the client is told; the fields are those of an error answer of AWS.
struct SignatureFault {
  std::string code;
  std::string message;
  int http_status = 403;
};

// Decides whether the request was signed by a holder of the secret, recently, and as it stands. The
// form of the signature is found from the request: the Authorization header (version 4), else
// X-Amz-Algorithm or X-Amz-Signature in the query (presigned version 4), else the parameters of
// version 2 in the query or in the body of a form. Everything that can carry an argument of the
// call is covered: the query, the body, and for version 2 the parameters of both.
//
// Session tokens: a credential that has one must be sent with it. A token sent with a credential
// that has none is ignored when the signature covers it, and refused otherwise.
tl::expected<Verified, SignatureFault> verify_signature(const SignatureInput& input);

}  // namespace hikae::codec
