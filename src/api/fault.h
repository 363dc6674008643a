#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

#include "core/admission/admission.h"

namespace hikae::api {

enum class Service { kElastiCache, kEc2, kSts };

// What a client is told when its request is refused: AWS's code and message. `http_status` 0 means
// "the status the service model gives to this code"; only faults that the model does not know
// (signatures) set one. A core::Fault converts, so that a handler can hand on a refusal as it is.
struct ApiFault {
  ApiFault() = default;
  ApiFault(std::string fault_code, std::string fault_message, int status = 0)
      : code(std::move(fault_code)), message(std::move(fault_message)), http_status(status) {}
  ApiFault(core::Fault fault)  // NOLINT(google-explicit-constructor): see above
      : code(std::move(fault.code)), message(std::move(fault.message)) {}

  std::string code;
  std::string message;
  int http_status = 0;
};

template <class T>
using ApiResult = tl::expected<T, ApiFault>;

// What the answer of an action without an output shape holds.
struct NoOutput {};

inline tl::unexpected<ApiFault> refuse(std::string code, std::string message) {
  return tl::unexpected<ApiFault>(ApiFault(std::move(code), std::move(message)));
}

// How the service model declares one code.
struct FaultKind {
  std::string_view code;
  int http_status;
};

// The status of `fault` for a service whose declared codes are `kinds` (sorted by code). A code
// that the model does not know is the client's mistake: 400.
int http_status_of(const ApiFault& fault, std::span<const FaultKind> kinds);

}  // namespace hikae::api
