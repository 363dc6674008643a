#pragma once

#include <optional>
#include <string>

#include "control/ports.h"

// Who has an IPv4 address on the network behind an interface (RFC 5227).

namespace hikae::adapters {

// The hardware address of another machine that answers for `address`; nullopt: none did, or the
// interface has no such neighbours (loopback). Takes some 0.4 s. kDenied: needs CAP_NET_RAW.
control::Awaitable<Result<std::optional<std::string>>> find_owner(int interface, Ipv4 address);

// Tells the neighbours that the address is here now, so that none goes on asking elsewhere.
void announce(int interface, Ipv4 address);

}  // namespace hikae::adapters
