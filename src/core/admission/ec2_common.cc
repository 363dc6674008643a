#include "core/admission/ec2_common.h"

#include <fmt/format.h>

#include "base/strings.h"

namespace hikae::core {
namespace {

constexpr std::size_t kMaxTags = 50;
constexpr std::size_t kMaxTagKeyLength = 128;
constexpr std::size_t kMaxTagValueLength = 256;

template <class T>
Admitted<const T*> require(const State& state, const typename T::Key& id, std::string_view code,
                           std::string_view kind) {
  if (const T* found = state.find<T>(id)) {
    return found;
  }
  return refuse(std::string(code), fmt::format("The {} '{}' does not exist", kind, id.str()));
}

// Tag limits count characters, not bytes.
std::size_t count_characters(std::string_view utf8) {
  std::size_t count = 0;
  for (const char c : utf8) {
    const bool continuation = (static_cast<unsigned char>(c) & 0xC0u) == 0x80u;
    count += continuation ? 0 : 1;
  }
  return count;
}

}  // namespace

Admitted<const Vpc*> require_vpc(const State& state, const VpcId& id) {
  return require<Vpc>(state, id, "InvalidVpcID.NotFound", "vpc ID");
}

Admitted<const Subnet*> require_subnet(const State& state, const SubnetId& id) {
  return require<Subnet>(state, id, "InvalidSubnetID.NotFound", "subnet ID");
}

Admitted<const SecurityGroup*> require_security_group(const State& state,
                                                      const SecurityGroupId& id) {
  if (!id.str().starts_with("sg-")) {
    return refuse("InvalidGroupId.Malformed",
                  fmt::format("Invalid id: \"{}\" (expecting \"sg-...\")", id.str()));
  }
  return require<SecurityGroup>(state, id, "InvalidGroup.NotFound", "security group");
}

Admitted<const RouteTable*> require_route_table(const State& state, const RouteTableId& id) {
  return require<RouteTable>(state, id, "InvalidRouteTableID.NotFound", "routeTable ID");
}

Admitted<const InternetGateway*> require_internet_gateway(const State& state,
                                                          const InternetGatewayId& id) {
  return require<InternetGateway>(state, id, "InvalidInternetGatewayID.NotFound",
                                  "internetGateway ID");
}

const Vpc* find_default_vpc(const State& state) {
  for (const auto& [id, vpc] : state.all<Vpc>()) {
    if (vpc.is_default) {
      return &vpc;
    }
  }
  return nullptr;
}

std::map<SubnetId, int> count_nodes_by_subnet(const State& state) {
  std::map<SubnetId, int> counts;
  for (const auto& [id, cluster] : state.all<CacheCluster>()) {
    for (const Node& node : cluster.nodes) {
      if (!node.subnet.empty()) {
        ++counts[node.subnet];
      }
    }
  }
  return counts;
}

Admitted<void> check_ec2_tags(const Tags& tags) {
  if (tags.size() > kMaxTags) {
    return refuse("TagLimitExceeded",
                  fmt::format("A resource may have at most {} tags.", kMaxTags));
  }
  for (const auto& [key, value] : tags) {
    if (key.empty() || count_characters(key) > kMaxTagKeyLength) {
      return refuse(
          "InvalidParameterValue",
          fmt::format("Tag key '{}' must have 1 to {} characters", key, kMaxTagKeyLength));
    }
    if (to_lower(key).starts_with("aws:")) {
      return refuse("InvalidParameterValue",
                    "Tag keys starting with 'aws:' are reserved for internal use");
    }
    if (count_characters(value) > kMaxTagValueLength) {
      return refuse("InvalidParameterValue",
                    fmt::format("The value of tag '{}' is longer than {} characters", key,
                                kMaxTagValueLength));
    }
  }
  return {};
}

}  // namespace hikae::core
