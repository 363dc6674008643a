#include "codec/sign/verify_v2.h"

#include <fmt/format.h>

#include "codec/sign/canonical.h"
#include "codec/sign/faults.h"
#include "codec/sign/verify_v4.h"
#include "codec/text/digest.h"
#include "codec/text/encoding.h"

namespace hikae::codec {
namespace {

template <class T>
using Checked = tl::expected<T, SignatureFault>;

// A parameter of the signature, wherever it stands.
class Parameters {
 public:
  Parameters(const Form& query, const Form& body) : query_(query), body_(body) {}
  const std::string* find(std::string_view name) const {
    const std::string* value = query_.find(name);
    return value != nullptr ? value : body_.find(name);
  }
  std::vector<Parameter> all() const {
    std::vector<Parameter> out = query_.parameters();
    out.insert(out.end(), body_.parameters().begin(), body_.parameters().end());
    return out;
  }

 private:
  const Form& query_;
  const Form& body_;
};

// Whose key, and the scope where the request names one.
Checked<Verified> claimed_identity(const Parameters& parameters) {
  if (const std::string* scoped = parameters.find("X-Amz-Credential")) {
    auto scope = parse_credential_scope(*scoped);
    if (!scope) {
      return tl::unexpected(scope.error());
    }
    return Verified{scope->access_key_id, scope->region, scope->service, SignatureKind::kV2Scoped};
  }
  const std::string* id = parameters.find("AWSAccessKeyId");
  if (id == nullptr) {
    return tl::unexpected(
        incomplete_signature("Request must contain either a valid (registered) AWS access key ID "
                             "or X.509 certificate."));
  }
  return Verified{*id, "", "", SignatureKind::kV2};
}

Checked<void> check_version(const Parameters& parameters, SignatureKind kind) {
  const std::string* version = parameters.find("SignatureVersion");
  // Requests that carry a scope call their algorithm version 2 or, wrongly, version 4.
  const bool known = version != nullptr &&
                     (*version == "2" || (kind == SignatureKind::kV2Scoped && *version == "4"));
  if (!known) {
    return tl::unexpected(incomplete_signature(
        fmt::format("The request must contain a supported 'SignatureVersion'. Got '{}'.",
                    version != nullptr ? *version : "")));
  }
  return {};
}

Checked<void> check_time(const Parameters& parameters, Instant now) {
  const std::string* expires = parameters.find("Expires");
  const std::string* timestamp = parameters.find("Timestamp");
  const std::string* text = expires != nullptr ? expires : timestamp;
  if (text == nullptr) {
    return tl::unexpected(
        incomplete_signature("The request must contain either 'Timestamp' or 'Expires'."));
  }
  const auto instant = parse_iso8601(*text);
  if (!instant) {
    return tl::unexpected(
        incomplete_signature(fmt::format("Timestamp must be in ISO8601 format. Got '{}'.", *text)));
  }
  if (expires != nullptr) {
    if (now > *instant) {
      return tl::unexpected(
          request_expired(fmt::format("Request has expired. Expires date is: {}", *text)));
    }
    return {};
  }
  if (*instant < now - kClockTolerance || *instant > now + kClockTolerance) {
    return tl::unexpected(request_expired(fmt::format(
        "Request has expired. Timestamp date is {}. Current date is {}.", *text, to_iso8601(now))));
  }
  return {};
}

Checked<std::string> calculate(const SignatureInput& input, const Parameters& parameters,
                               const Credential& credential) {
  const std::string* method = parameters.find("SignatureMethod");
  const bool sha1 = method != nullptr && *method == "HmacSHA1";
  if (!sha1 && (method == nullptr || *method != "HmacSHA256")) {
    return tl::unexpected(incomplete_signature(
        fmt::format("The request must contain a supported 'SignatureMethod'. Got '{}'.",
                    method != nullptr ? *method : "")));
  }
  const std::string* host = find_header(input.headers, "host");
  const std::string text =
      string_to_sign_v2(input.method, host != nullptr ? *host : "", input.path, parameters.all());
  return base64_encode(sha1 ? hmac_sha1(credential.secret, text)
                            : hmac_sha256(credential.secret, text));
}

}  // namespace

bool has_v2_signature(const Form& parameters) {
  for (const char* name : {"Signature", "AWSAccessKeyId", "SignatureMethod", "X-Amz-Credential"}) {
    if (parameters.find(name) != nullptr) {
      return true;
    }
  }
  return false;
}

Checked<Verified> verify_v2(const SignatureInput& input, const Form& query, const Form& body) {
  const Parameters parameters(query, body);
  auto identity = claimed_identity(parameters);
  if (!identity) {
    return identity;
  }
  if (auto checked = check_version(parameters, identity->kind); !checked) {
    return tl::unexpected(checked.error());
  }
  const std::string* signature = parameters.find("Signature");
  if (signature == nullptr && identity->kind == SignatureKind::kV2Scoped) {
    signature = parameters.find("X-Amz-Signature");
  }
  if (signature == nullptr) {
    return tl::unexpected(incomplete_signature("The request must contain 'Signature'."));
  }
  const Credential* credential = input.lookup(identity->access_key_id);
  if (credential == nullptr) {
    return tl::unexpected(invalid_client_token_id());
  }
  const std::string* token = parameters.find("SecurityToken");
  if (token == nullptr) {
    token = parameters.find("X-Amz-Security-Token");
  }
  if (auto checked = check_session_token(*credential, token, true); !checked) {
    return tl::unexpected(checked.error());
  }
  if (auto checked = check_time(parameters, input.now); !checked) {
    return tl::unexpected(checked.error());
  }
  const auto expected = calculate(input, parameters, *credential);
  if (!expected) {
    return tl::unexpected(expected.error());
  }
  if (!constant_time_equal(*expected, *signature)) {
    return tl::unexpected(signature_does_not_match());
  }
  return identity;
}

}  // namespace hikae::codec
