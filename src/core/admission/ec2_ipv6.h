#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hikae::core {

// `2001:DB8::1/32` gives `2001:db8::/32`: bits behind the prefix cleared and RFC 5952's spelling,
// so that equal networks are equal texts. nullopt for anything that is not an IPv6 network.
std::optional<std::string> canonical_ipv6_cidr(std::string_view text);

}  // namespace hikae::core
