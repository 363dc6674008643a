#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/address.h"
#include "base/result.h"

namespace hikae::adapters {

// Sockets of this network namespace by their local end, whichever process owns them.
struct SocketSelection {
  enum class Kind { kListening, kConnected };
  Kind kind = Kind::kListening;
  Ipv4 address;
  std::uint16_t port = 0;
  std::vector<Ipv4> spared;  // connections whose other end is one of these are left out
};

// Ends the selected TCP sockets at once (SOCK_DESTROY of the kernel's sock_diag): the other end of
// a connection sees a reset, and what listened refuses connections, those not yet accepted
// included. Works on a process that is being taken down, whose sockets would stay open until its
// memory is freed. Answers how many there were. The kernel goes through all connections of the
// machine for one selection of them as for many, which takes a millisecond or two.
// kDenied: needs CAP_NET_ADMIN; kUnavailable: this kernel cannot do it (CONFIG_INET_DIAG_DESTROY).
Result<std::size_t> destroy_sockets(const std::vector<SocketSelection>& selections);

// Whether destroy_sockets() works here, tried on a socket of our own.
Status probe_socket_destroy();

}  // namespace hikae::adapters
