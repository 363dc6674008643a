#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "codec/sign/signature.h"

namespace hikae::codec {

// The refusals of a signature with the codes, texts and statuses that clients and their users know.
SignatureFault missing_authentication_token();
SignatureFault incomplete_signature(std::string message);
SignatureFault invalid_client_token_id();
SignatureFault signature_does_not_match();
SignatureFault signature_does_not_match(std::string message);
SignatureFault signature_expired(Instant signed_at, Instant now);
SignatureFault signature_not_yet_current(Instant signed_at, Instant now);
SignatureFault request_expired(std::string message);
SignatureFault malformed_query_string(std::string message);

}  // namespace hikae::codec
