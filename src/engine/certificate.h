#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "core/reconcile/assignment.h"

namespace hikae::engine {

// In the node's directory, readable by the engine's user alone: its key, its certificate, the CA's.
// One file, so that no reader ever meets a key and a certificate that do not belong together.
inline constexpr std::string_view kCertificateFile = "tls.pem";

// The content of that file for a node that is encrypted. The same again for as long as it is good,
// then another one. kUnavailable: there is none now.
using CertificateSource = std::function<Result<std::string>(const core::NodeAssignment&)>;

}  // namespace hikae::engine
