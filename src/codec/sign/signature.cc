#include "codec/sign/signature.h"

#include "base/strings.h"
#include "codec/sign/canonical.h"
#include "codec/sign/faults.h"
#include "codec/sign/verify_v2.h"
#include "codec/sign/verify_v4.h"

namespace hikae::codec {
tl::expected<Verified, SignatureFault> verify_signature(const SignatureInput& input) {
  if (const std::string* authorization = find_header(input.headers, "authorization")) {
    return verify_v4_header(input, trim(*authorization));
  }
  const auto query = Form::parse(input.query);
  if (!query) {
    return tl::unexpected(malformed_query_string(query.error().message));
  }
  const bool scoped_v2 = query->find("SignatureMethod") != nullptr;
  if (query->find("X-Amz-Algorithm") != nullptr ||
      (query->find("X-Amz-Signature") != nullptr && !scoped_v2)) {
    return verify_v4_presigned(input, *query);
  }
  Form body;
  // Whatever its content type says: a body that is not covered must not be read as one later.
  if (!input.body.empty()) {
    auto parsed = Form::parse(input.body);
    if (!parsed) {
      return tl::unexpected(malformed_query_string(parsed.error().message));
    }
    body = std::move(*parsed);
  }
  if (has_v2_signature(*query) || has_v2_signature(body)) {
    return verify_v2(input, *query, body);
  }
  return tl::unexpected(missing_authentication_token());
}

}  // namespace hikae::codec
