#pragma once

#include <tl/expected.hpp>

#include "codec/query/form.h"
#include "codec/sign/signature.h"

namespace hikae::codec {

// Whether the parameters look like those of a request signed by version 2.
bool has_v2_signature(const Form& parameters);

// `query` and `body` are the parsed parameters of `input`; the signature covers both.
tl::expected<Verified, SignatureFault> verify_v2(const SignatureInput& input, const Form& query,
                                                 const Form& body);

}  // namespace hikae::codec
