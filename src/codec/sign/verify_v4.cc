#include "codec/sign/verify_v4.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/strings.h"
#include "codec/sign/canonical.h"
#include "codec/sign/faults.h"
#include "codec/text/digest.h"
#include "codec/text/encoding.h"

namespace hikae::codec {
namespace {

template <class T>
using Checked = tl::expected<T, SignatureFault>;

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

// The parts of a version 4 signature, wherever they stood.
struct Claim {
  CredentialScope scope;
  std::vector<std::string> signed_headers;
  std::string signature;
  Instant signed_at;
};

struct AuthorizationFields {
  std::optional<std::string> credential, signed_headers, signature;
};

AuthorizationFields parse_authorization(std::string_view text) {
  AuthorizationFields fields;
  while (!text.empty()) {
    const auto end = std::min(text.find(','), text.size());
    const std::string_view field = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto equals = field.find('=');
    if (equals == std::string_view::npos) {
      continue;
    }
    const std::string_view name = field.substr(0, equals);
    const std::string value(field.substr(equals + 1));
    if (name == "Credential") {
      fields.credential = value;
    } else if (name == "SignedHeaders") {
      fields.signed_headers = value;
    } else if (name == "Signature") {
      fields.signature = value;
    }
  }
  return fields;
}

// `Fri, 09 Sep 2011 23:36:00 GMT`, the form of the Date header. The zone is always UTC there.
std::optional<Instant> parse_http_date(std::string_view text) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  constexpr std::size_t kLength = std::string_view("Fri, 09 Sep 2011 23:36:00").size();
  if (text.size() < kLength || text.substr(3, 2) != ", ") {
    return std::nullopt;
  }
  const auto month = std::find(kMonths.begin(), kMonths.end(), text.substr(8, 3));
  if (month == kMonths.end()) {
    return std::nullopt;
  }
  return parse_iso8601(fmt::format("{}-{:02}-{}T{}Z", text.substr(12, 4),
                                   month - kMonths.begin() + 1, text.substr(5, 2),
                                   text.substr(17, 8)));
}

Checked<Instant> request_time(const SignatureInput& input) {
  if (const std::string* date = find_header(input.headers, "x-amz-date")) {
    if (const auto instant = parse_iso8601(trim(*date))) {
      return *instant;
    }
    return tl::unexpected(incomplete_signature(
        fmt::format("Date must be in ISO-8601 'basic format'. Got '{}'.", *date)));
  }
  if (const std::string* date = find_header(input.headers, "date")) {
    const std::string_view text = trim(*date);
    const auto http_date = parse_http_date(text);
    if (const auto instant = http_date ? http_date : parse_iso8601(text)) {
      return *instant;
    }
  }
  return tl::unexpected(incomplete_signature(
      "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."));
}

Checked<std::vector<std::string>> parse_signed_headers(std::string_view text) {
  std::vector<std::string> names = split(to_lower(text), ';');
  if (names.size() > kMaxSignedHeaders) {
    return tl::unexpected(incomplete_signature(
        fmt::format("More than {} headers in 'SignedHeaders'.", kMaxSignedHeaders)));
  }
  // Without the host a signature for one endpoint would do for any other.
  if (std::find(names.begin(), names.end(), "host") == names.end()) {
    return tl::unexpected(signature_does_not_match(
        "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."));
  }
  return names;
}

// The hash that stands in the canonical request: the one that the client sent when it fits the
// body, else our own.
Checked<std::string> payload_hash(const SignatureInput& input) {
  std::string actual = sha256_hex(input.body);
  const std::string* sent = find_header(input.headers, "x-amz-content-sha256");
  if (sent == nullptr || *sent == actual) {
    return actual;
  }
  if (*sent == kUnsignedPayload) {
    return *sent;
  }
  return tl::unexpected(signature_does_not_match(
      "The provided 'x-amz-content-sha256' header does not match what was computed."));
}

Checked<const Credential*> find_credential(const SignatureInput& input, const Claim& claim,
                                           const std::string* token, bool token_covered) {
  const Credential* credential = input.lookup(claim.scope.access_key_id);
  if (credential == nullptr) {
    return tl::unexpected(invalid_client_token_id());
  }
  if (auto checked = check_session_token(*credential, token, token_covered); !checked) {
    return tl::unexpected(checked.error());
  }
  const std::string timestamp = to_basic_iso8601(claim.signed_at);
  if (claim.scope.date != timestamp.substr(0, 8)) {
    return tl::unexpected(signature_does_not_match(
        fmt::format("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of "
                    "date from HTTP: '{}' != '{}', from '{}'.",
                    claim.scope.date, timestamp.substr(0, 8), timestamp)));
  }
  return credential;
}

Checked<Verified> check_signature(const SignatureInput& input, const Claim& claim,
                                  const Credential& credential, SignatureKind kind) {
  const auto hash = payload_hash(input);
  if (!hash) {
    return tl::unexpected(hash.error());
  }
  const CredentialScope& scope = claim.scope;
  const std::string text = string_to_sign_v4(
      to_basic_iso8601(claim.signed_at),
      fmt::format("{}/{}/{}/aws4_request", scope.date, scope.region, scope.service),
      canonical_request_v4(input, claim.signed_headers, *hash,
                           kind == SignatureKind::kV4Presigned ? "X-Amz-Signature" : ""));
  SigningKeyCache own_cache;
  SigningKeyCache& cache = input.key_cache != nullptr ? *input.key_cache : own_cache;
  const std::string& key = cache.get(credential.secret, scope.date, scope.region, scope.service);
  if (!constant_time_equal(hex_encode(hmac_sha256(key, text)), claim.signature)) {
    return tl::unexpected(signature_does_not_match());
  }
  return Verified{scope.access_key_id, scope.region, scope.service, kind};
}

Checked<Claim> claim_from_header(const SignatureInput& input, std::string_view authorization) {
  const auto space = std::min(authorization.find(' '), authorization.size());
  if (authorization.substr(0, space) != kAlgorithm) {
    return tl::unexpected(incomplete_signature(
        fmt::format("Unsupported AWS 'algorithm': '{}'.", authorization.substr(0, space))));
  }
  const AuthorizationFields fields = parse_authorization(authorization.substr(space));
  std::string missing;
  const auto require = [&](const std::optional<std::string>& field, std::string_view name) {
    if (!field || field->empty()) {
      missing += fmt::format("Authorization header requires '{}' parameter. ", name);
    }
  };
  require(fields.credential, "Credential");
  require(fields.signature, "Signature");
  require(fields.signed_headers, "SignedHeaders");
  if (!missing.empty()) {
    return tl::unexpected(incomplete_signature(
        missing + "Authorization=" + std::string(authorization.substr(0, space))));
  }
  const auto scope = parse_credential_scope(*fields.credential);
  if (!scope) {
    return tl::unexpected(scope.error());
  }
  const auto signed_headers = parse_signed_headers(*fields.signed_headers);
  if (!signed_headers) {
    return tl::unexpected(signed_headers.error());
  }
  const auto signed_at = request_time(input);
  if (!signed_at) {
    return tl::unexpected(signed_at.error());
  }
  return Claim{*scope, *signed_headers, *fields.signature, *signed_at};
}

Checked<Claim> claim_from_query(const Form& query) {
  if (const std::string* algorithm = query.find("X-Amz-Algorithm");
      algorithm == nullptr || *algorithm != kAlgorithm) {
    return tl::unexpected(incomplete_signature(
        fmt::format("Unsupported AWS 'algorithm': '{}'.", algorithm != nullptr ? *algorithm : "")));
  }
  for (const char* name :
       {"X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"}) {
    const std::string* value = query.find(name);
    if (value == nullptr || value->empty()) {
      return tl::unexpected(incomplete_signature(
          fmt::format("AWS query-string parameters must include '{}'.", name)));
    }
  }
  const auto scope = parse_credential_scope(*query.find("X-Amz-Credential"));
  if (!scope) {
    return tl::unexpected(scope.error());
  }
  const auto signed_headers = parse_signed_headers(*query.find("X-Amz-SignedHeaders"));
  if (!signed_headers) {
    return tl::unexpected(signed_headers.error());
  }
  const std::string& date = *query.find("X-Amz-Date");
  const auto signed_at = parse_iso8601(date);
  if (!signed_at) {
    return tl::unexpected(incomplete_signature(
        fmt::format("Date must be in ISO-8601 'basic format'. Got '{}'.", date)));
  }
  return Claim{*scope, *signed_headers, *query.find("X-Amz-Signature"), *signed_at};
}

// Without X-Amz-Expires a presigned request is as old as any other may be.
Checked<Duration> presigned_lifetime(const Form& query) {
  const std::string* text = query.find("X-Amz-Expires");
  if (text == nullptr) {
    return kClockTolerance;
  }
  const auto seconds = parse_integer(*text);
  if (!seconds || *seconds < 1 || *seconds > kMaxPresignSeconds) {
    return tl::unexpected(incomplete_signature(
        fmt::format("X-Amz-Expires must be a number of seconds from 1 to {}. Got '{}'.",
                    kMaxPresignSeconds, *text)));
  }
  return std::chrono::seconds(*seconds);
}

}  // namespace

Checked<CredentialScope> parse_credential_scope(std::string_view text) {
  std::vector<std::string> parts = split(text, '/');
  // Only the key id may contain a slash.
  while (parts.size() > 5) {
    parts[0] += "/" + parts[1];
    parts.erase(parts.begin() + 1);
  }
  const bool whole = std::none_of(parts.begin(), parts.end(),
                                  [](const std::string& part) { return part.empty(); });
  if (parts.size() != 5 || !whole) {
    return tl::unexpected(incomplete_signature(
        fmt::format("Credential must have exactly 5 slash-delimited elements, e.g. "
                    "keyid/date/region/service/term, got '{}'",
                    text)));
  }
  if (parts[4] != "aws4_request") {
    return tl::unexpected(signature_does_not_match(fmt::format(
        "Credential should be scoped with a valid terminator: 'aws4_request', not '{}'.",
        parts[4])));
  }
  return CredentialScope{parts[0], parts[1], parts[2], parts[3]};
}

Checked<void> check_session_token(const Credential& credential, const std::string* sent,
                                  bool covered) {
  const bool accepted =
      credential.session_token
          ? sent != nullptr && constant_time_equal(*sent, *credential.session_token)
          : sent == nullptr || covered;
  if (!accepted) {
    return tl::unexpected(invalid_client_token_id());
  }
  return {};
}

Checked<Verified> verify_v4_header(const SignatureInput& input, std::string_view authorization) {
  const auto claim = claim_from_header(input, authorization);
  if (!claim) {
    return tl::unexpected(claim.error());
  }
  const bool token_covered = std::find(claim->signed_headers.begin(), claim->signed_headers.end(),
                                       "x-amz-security-token") != claim->signed_headers.end();
  const auto credential = find_credential(
      input, *claim, find_header(input.headers, "x-amz-security-token"), token_covered);
  if (!credential) {
    return tl::unexpected(credential.error());
  }
  if (claim->signed_at < input.now - kClockTolerance) {
    return tl::unexpected(signature_expired(claim->signed_at, input.now));
  }
  if (claim->signed_at > input.now + kClockTolerance) {
    return tl::unexpected(signature_not_yet_current(claim->signed_at, input.now));
  }
  return check_signature(input, *claim, **credential, SignatureKind::kV4Header);
}

Checked<Verified> verify_v4_presigned(const SignatureInput& input, const Form& query) {
  const auto claim = claim_from_query(query);
  if (!claim) {
    return tl::unexpected(claim.error());
  }
  const auto lifetime = presigned_lifetime(query);
  if (!lifetime) {
    return tl::unexpected(lifetime.error());
  }
  const auto credential = find_credential(input, *claim, query.find("X-Amz-Security-Token"), true);
  if (!credential) {
    return tl::unexpected(credential.error());
  }
  if (input.now > claim->signed_at + *lifetime) {
    return tl::unexpected(request_expired("Request has expired."));
  }
  if (claim->signed_at > input.now + kClockTolerance) {
    return tl::unexpected(signature_not_yet_current(claim->signed_at, input.now));
  }
  return check_signature(input, *claim, **credential, SignatureKind::kV4Presigned);
}

}  // namespace hikae::codec
