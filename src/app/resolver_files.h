#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/result.h"

// The texts that `hikae shell` puts in place of the machine's own files. Pure.

namespace hikae::app {

// resolv.conf that asks `dns` first and the machine's own servers for everything else. The order
// works because our server refuses names that are not its own, and resolvers go on to the next.
std::string private_resolv_conf(std::string_view original, Ipv4 dns);

// nsswitch.conf in which host names come from files and DNS alone, or nullopt when the original
// does not take them past resolv.conf.
std::optional<std::string> private_nsswitch(std::string_view original);

// /etc/hosts with the endpoint names behind the machine's own lines. `names` has lines
// `<address> <name>`; kInvalid when a line is anything else.
Result<std::string> private_hosts(std::string_view original, std::string_view names);

}  // namespace hikae::app
