#pragma once

#include <cstdint>

#include "adapters/system/proc.h"
#include "base/address.h"
#include "base/result.h"

namespace hikae::adapters {

// Whether this process could listen there now: success, kConflict (in use), kDenied (a port that
// needs a privilege), kUnavailable (no such address on this machine). The socket is closed again.
Status probe_bind(ListeningSocket::Protocol protocol, Ipv4 address, std::uint16_t port);

enum class NamespaceSupport {
  kNone,          // neither way
  kUnprivileged,  // with a user namespace of our own
  kDirect,        // as root
};

// How this process may make a mount namespace; tried out in a child.
NamespaceSupport probe_mount_namespace();

}  // namespace hikae::adapters
