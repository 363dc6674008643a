#include "app/drill_targets.h"

#include "base/strings.h"

namespace hikae::app {
namespace {

using Labels = std::vector<std::string>;

// Labels of an endpoint name (core/naming/names.h):
//   <group>.<hash>.<node group>.internal.<rest>, <group>.<hash>.ng.<node group>.<rest>,
//   <cluster>.<hash>.<node>.<rest>
// and in an encrypted group, of which only the internal name is as above:
//   master.<group>.<hash>.<rest>, <cluster>.<group>.<hash>.<rest>
constexpr std::size_t kFewestLabels = 5;
constexpr std::string_view kFirstNode = "0001";
constexpr std::string_view kPrimary = "master";
constexpr std::string_view kReader = "replica";

bool is_internal(const Labels& labels) {
  return labels.size() >= kFewestLabels && labels[3] == "internal";
}

std::string with_rest(std::string out, const Labels& internal) {
  for (std::size_t i = 4; i < internal.size(); ++i) {
    out += "." + internal[i];
  }
  return out;
}

std::string endpoint_of(const Labels& internal) {
  return with_rest(internal[0] + "." + internal[1] + ".ng." + internal[2], internal);
}

std::string encrypted_endpoint_of(const Labels& internal) {
  return with_rest(std::string(kPrimary) + "." + internal[0] + "." + internal[1], internal);
}

// Whether <group>.<hash> are those of a group.
bool is_group(const NameTable& names, const std::string& group, const std::string& hash) {
  const std::string prefix = group + "." + hash + ".";
  for (auto it = names.lower_bound(prefix); it != names.end() && it->first.starts_with(prefix);
       ++it) {
    if (is_internal(split(it->first, '.'))) {
      return true;
    }
  }
  return false;
}

// The cache cluster of which this is the first node's name; empty: of none.
std::string cluster_of(const NameTable& names, const std::string& name) {
  const Labels labels = split(name, '.');
  if (labels.size() < kFewestLabels || is_internal(labels)) {
    return "";
  }
  if (labels[2] == kFirstNode) {
    return labels[0];
  }
  const bool endpoint = labels[0] == kPrimary || labels[0] == kReader;
  return !endpoint && is_group(names, labels[1], labels[2]) ? labels[0] : "";
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
    const Labels labels = split(name, '.');
    if (!is_internal(labels)) {
      continue;
    }
    for (std::string endpoint : {endpoint_of(labels), encrypted_endpoint_of(labels)}) {
      if (names.contains(endpoint)) {
        out.push_back({labels[0], std::move(endpoint), name});
        break;
      }
    }
  }
  return out;
}

std::optional<Ipv4> node_address(const NameTable& names, std::string_view cluster) {
  const std::string prefix = std::string(cluster) + ".";
  for (auto it = names.lower_bound(prefix); it != names.end() && it->first.starts_with(prefix);
       ++it) {
    if (cluster_of(names, it->first) == cluster) {
      return it->second;
    }
  }
  return std::nullopt;
}

std::optional<std::string> cluster_at(const NameTable& names, Ipv4 address) {
  for (const auto& [name, its] : names) {
    if (its != address) {
      continue;
    }
    if (std::string cluster = cluster_of(names, name); !cluster.empty()) {
      return cluster;
    }
  }
  return std::nullopt;
}

}  // namespace hikae::app
