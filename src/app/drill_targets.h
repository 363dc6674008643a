#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"

// What a drill learns from the region's names. Pure.

namespace hikae::app {

using NameTable = std::map<std::string, Ipv4, std::less<>>;

// Lines `<address> <name>`, as the region's own server gives them; others are left out.
NameTable parse_names(std::string_view text);

// A node group as its names tell it.
struct DrillTarget {
  std::string group;
  std::string endpoint;  // the primary endpoint, which clients use
  std::string internal;  // the name that replicas follow
};

std::vector<DrillTarget> drill_targets(const NameTable& names);

// The address of the first node of a cache cluster; of one in an encrypted group too.
std::optional<Ipv4> node_address(const NameTable& names, std::string_view cluster);

// The cache cluster whose first node has that address.
std::optional<std::string> cluster_at(const NameTable& names, Ipv4 address);

}  // namespace hikae::app
