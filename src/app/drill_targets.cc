#include "app/drill_targets.h"

#include "base/strings.h"

namespace hikae::app {
namespace {

// Labels of an endpoint name (core/naming/names.h):
//   <group>.<hash>.<node group>.internal.<rest>, <group>.<hash>.ng.<node group>.<rest>,
//   <cluster>.<hash>.<node>.<rest>
constexpr std::size_t kFewestLabels = 5;
constexpr std::string_view kFirstNode = "0001";

std::string endpoint_of(const std::vector<std::string>& internal) {
  std::string out = internal[0] + "." + internal[1] + ".ng." + internal[2];
  for (std::size_t i = 4; i < internal.size(); ++i) {
    out += "." + internal[i];
  }
  return out;
}

}  // namespace

NameTable parse_names(std::string_view text) {
  NameTable out;
  for (const std::string& line : split(text, '\n')) {
    const auto blank = line.find(' ');
    const auto address = Ipv4::parse(line.substr(0, blank));
    if (blank != std::string::npos && address) {
      out.insert_or_assign(line.substr(blank + 1), *address);
    }
  }
  return out;
}

std::vector<DrillTarget> drill_targets(const NameTable& names) {
  std::vector<DrillTarget> out;
  for (const auto& [name, address] : names) {
    const auto labels = split(name, '.');
    if (labels.size() < kFewestLabels || labels[3] != "internal") {
      continue;
    }
    if (std::string endpoint = endpoint_of(labels); names.contains(endpoint)) {
      out.push_back({labels[0], std::move(endpoint), name});
    }
  }
  return out;
}

std::optional<Ipv4> node_address(const NameTable& names, std::string_view cluster) {
  for (const auto& [name, address] : names) {
    const auto labels = split(name, '.');
    if (labels.size() >= kFewestLabels && labels[0] == cluster && labels[2] == kFirstNode &&
        labels[3] != "internal") {
      return address;
    }
  }
  return std::nullopt;
}

}  // namespace hikae::app
