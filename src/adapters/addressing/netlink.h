#pragma once

#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"

// The few requests to the kernel about IPv4 addresses, each answered at once.

namespace hikae::adapters {

struct KernelAddress {
  int interface = 0;  // its index
  Ipv4 address;
  std::string label;  // `eth0`, or what it was added with
};

Result<std::vector<KernelAddress>> list_addresses();
// As a /32. kDenied: needs CAP_NET_ADMIN. Adding what is there succeeds.
Status add_address(int interface, Ipv4 address, const std::string& label);
// Removing what is not there succeeds.
Status remove_address(int interface, Ipv4 address);

}  // namespace hikae::adapters
