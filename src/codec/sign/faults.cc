#include "codec/sign/faults.h"

#include <fmt/format.h>

namespace hikae::codec {

SignatureFault missing_authentication_token() {
  return {"MissingAuthenticationToken", "Request is missing Authentication Token", 403};
}

SignatureFault incomplete_signature(std::string message) {
  return {"IncompleteSignature", std::move(message), 400};
}

SignatureFault invalid_client_token_id() {
  return {"InvalidClientTokenId", "The security token included in the request is invalid.", 403};
}

SignatureFault signature_does_not_match() {
  return signature_does_not_match(
      "The request signature we calculated does not match the signature you provided. Check your "
      "AWS Secret Access Key and signing method. Consult the service documentation for details.");
}

SignatureFault signature_does_not_match(std::string message) {
  return {"SignatureDoesNotMatch", std::move(message), 403};
}

SignatureFault signature_expired(Instant signed_at, Instant now) {
  return signature_does_not_match(fmt::format(
      "Signature expired: {} is now earlier than {} ({} - {} min.)", to_basic_iso8601(signed_at),
      to_basic_iso8601(now - kClockTolerance), to_basic_iso8601(now), kClockTolerance.count()));
}

SignatureFault signature_not_yet_current(Instant signed_at, Instant now) {
  return signature_does_not_match(
      fmt::format("Signature not yet current: {} is still later than {} ({} + {} min.)",
                  to_basic_iso8601(signed_at), to_basic_iso8601(now + kClockTolerance),
                  to_basic_iso8601(now), kClockTolerance.count()));
}

SignatureFault request_expired(std::string message) {
  return {"RequestExpired", std::move(message), 400};
}

SignatureFault malformed_query_string(std::string message) {
  return {"MalformedQueryString", std::move(message), 404};
}

}  // namespace hikae::codec
