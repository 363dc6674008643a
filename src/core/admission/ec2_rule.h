#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/admission/ec2_common.h"

namespace hikae::core {

// One rule as a client names it: one peer of an IpPermission. At most one peer is set.
struct RuleSpec {
  std::string protocol;
  std::optional<int> from_port;
  std::optional<int> to_port;
  std::string cidr_ipv4;
  std::string cidr_ipv6;
  SecurityGroupId peer_group;
  std::string peer_group_name;  // instead of the id: a group of the same VPC
  std::string prefix_list;
  std::string description;
};

// The specs as stored rules, without ids: protocols by name, networks canonical, ports in range.
Admitted<std::vector<SecurityGroupRule>> normalise_rules(const State& state,
                                                         const SecurityGroup& owner, bool egress,
                                                         const std::vector<RuleSpec>& specs);

// Same direction, protocol, ports and peer. The description does not tell rules apart.
bool same_permission(const SecurityGroupRule& a, const SecurityGroupRule& b);

// `peer: 10.0.0.0/8, TCP, from port: 6379, to port: 6379, ALLOW`, for messages.
std::string describe_rule(const SecurityGroupRule& rule);

// Names and descriptions of groups, descriptions of rules: ASCII letters, digits, spaces and a few
// signs, at most 255.
bool is_valid_group_text(std::string_view text);

}  // namespace hikae::core
