#include "core/admission/ec2_rule.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/strings.h"
#include "core/admission/ec2_ipv6.h"

namespace hikae::core {
namespace {

constexpr std::size_t kMaxGroupTextLength = 255;
constexpr int kMaxPort = 65535;
constexpr int kMaxIcmp = 255;
constexpr int kMaxProtocol = 255;

tl::unexpected<Fault> invalid(std::string message) {
  return refuse("InvalidParameterValue", std::move(message));
}

// Number and name of the protocols that EC2 answers by name.
constexpr std::array<std::pair<int, std::string_view>, 4> kNamedProtocols = {
    {{1, "icmp"}, {6, "tcp"}, {17, "udp"}, {58, "icmpv6"}}};

Admitted<std::string> normalise_protocol(const std::string& text) {
  const std::string lower = to_lower(text);
  if (lower.empty()) {
    return refuse("MissingParameter", "The request must contain the parameter ipProtocol");
  }
  if (lower == "-1" || lower == "all") {
    return "-1";
  }
  const auto number = parse_integer(lower);
  for (const auto& [known, name] : kNamedProtocols) {
    if (lower == name || (number && *number == known)) {
      return std::string(name);
    }
  }
  if (!number || *number < 0 || *number > kMaxProtocol) {
    return invalid(fmt::format("Invalid value '{}' for IP protocol. Unknown protocol.", text));
  }
  return std::to_string(*number);
}

Admitted<void> normalise_ports(const RuleSpec& spec, SecurityGroupRule& rule) {
  if (rule.protocol == "tcp" || rule.protocol == "udp") {
    if (!spec.from_port || !spec.to_port) {
      return invalid(
          "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.");
    }
    const bool in_range = *spec.from_port >= 0 && *spec.to_port <= kMaxPort;
    if (!in_range || *spec.from_port > *spec.to_port) {
      return invalid(
          fmt::format("Invalid TCP/UDP port range ({}:{})", *spec.from_port, *spec.to_port));
    }
    rule.from_port = spec.from_port;
    rule.to_port = spec.to_port;
  } else if (rule.protocol == "icmp" || rule.protocol == "icmpv6") {
    // Type and code; -1 stands for all.
    rule.from_port = spec.from_port.value_or(-1);
    rule.to_port = spec.to_port.value_or(-1);
    for (const int value : {*rule.from_port, *rule.to_port}) {
      if (value < -1 || value > kMaxIcmp) {
        return invalid(fmt::format("ICMP type or code ({}) out of range", value));
      }
    }
  }
  return {};
}

Admitted<SecurityGroupId> find_peer_group(const State& state, const SecurityGroup& owner,
                                          const RuleSpec& spec) {
  if (spec.peer_group.empty()) {
    for (const auto& [id, group] : state.all<SecurityGroup>()) {
      if (group.vpc == owner.vpc && group.name == spec.peer_group_name) {
        return id;
      }
    }
    return refuse("InvalidGroup.NotFound",
                  fmt::format("The security group '{}' does not exist in VPC '{}'",
                              spec.peer_group_name, owner.vpc.str()));
  }
  const auto peer = require_security_group(state, spec.peer_group);
  if (!peer) {
    return tl::unexpected(peer.error());
  }
  if ((*peer)->vpc != owner.vpc) {
    return refuse("InvalidGroup.NotFound",
                  "You have specified two resources that belong to different networks.");
  }
  return spec.peer_group;
}

Admitted<void> normalise_peer(const State& state, const SecurityGroup& owner, const RuleSpec& spec,
                              SecurityGroupRule& rule) {
  if (!spec.prefix_list.empty()) {
    return refuse("InvalidPrefixListID.NotFound",
                  fmt::format("The prefix list ID '{}' does not exist", spec.prefix_list));
  }
  if (!spec.cidr_ipv4.empty()) {
    const auto cidr = Cidr::parse(spec.cidr_ipv4);
    if (!cidr) {
      return invalid(fmt::format("CIDR block {} is malformed", spec.cidr_ipv4));
    }
    rule.cidr_ipv4 = cidr->str();
    return {};
  }
  if (!spec.cidr_ipv6.empty()) {
    const auto cidr = canonical_ipv6_cidr(spec.cidr_ipv6);
    if (!cidr) {
      return invalid(fmt::format("CIDR block {} is malformed", spec.cidr_ipv6));
    }
    rule.cidr_ipv6 = *cidr;
    return {};
  }
  if (spec.peer_group.empty() && spec.peer_group_name.empty()) {
    return refuse("MissingParameter",
                  "The request must contain a CIDR block or a security group for each permission");
  }
  const auto peer = find_peer_group(state, owner, spec);
  if (!peer) {
    return tl::unexpected(peer.error());
  }
  rule.peer_group = *peer;
  return {};
}

Admitted<SecurityGroupRule> normalise(const State& state, const SecurityGroup& owner, bool egress,
                                      const RuleSpec& spec) {
  SecurityGroupRule rule;
  rule.egress = egress;
  rule.description = spec.description;
  auto protocol = normalise_protocol(spec.protocol);
  if (!protocol) {
    return tl::unexpected(protocol.error());
  }
  rule.protocol = std::move(*protocol);
  if (auto done = normalise_ports(spec, rule); !done) {
    return tl::unexpected(done.error());
  }
  if (auto done = normalise_peer(state, owner, spec, rule); !done) {
    return tl::unexpected(done.error());
  }
  if (!is_valid_group_text(rule.description)) {
    return invalid(
        fmt::format("Invalid rule description '{}'. Descriptions have at most 255 of "
                    "a-zA-Z0-9. _-:/()#,@[]+=&;{{}}!$*",
                    rule.description));
  }
  return rule;
}

auto permission_of(const SecurityGroupRule& rule) {
  return std::tie(rule.egress, rule.protocol, rule.from_port, rule.to_port, rule.cidr_ipv4,
                  rule.cidr_ipv6, rule.peer_group);
}

}  // namespace

Admitted<std::vector<SecurityGroupRule>> normalise_rules(const State& state,
                                                         const SecurityGroup& owner, bool egress,
                                                         const std::vector<RuleSpec>& specs) {
  std::vector<SecurityGroupRule> rules;
  rules.reserve(specs.size());
  for (const RuleSpec& spec : specs) {
    auto rule = normalise(state, owner, egress, spec);
    if (!rule) {
      return tl::unexpected(rule.error());
    }
    rules.push_back(std::move(*rule));
  }
  return rules;
}

bool same_permission(const SecurityGroupRule& a, const SecurityGroupRule& b) {
  return permission_of(a) == permission_of(b);
}

std::string describe_rule(const SecurityGroupRule& rule) {
  std::string peer = rule.cidr_ipv4 + rule.cidr_ipv6 + rule.peer_group.str();
  if (rule.protocol == "-1") {
    return fmt::format("peer: {}, ALL, ALLOW", peer);
  }
  std::string protocol = rule.protocol;
  std::transform(protocol.begin(), protocol.end(), protocol.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; });
  if (!rule.from_port) {
    return fmt::format("peer: {}, {}, ALLOW", peer, protocol);
  }
  const bool icmp = rule.protocol.starts_with("icmp");
  return fmt::format("peer: {}, {}, {}: {}, {}: {}, ALLOW", peer, protocol,
                     icmp ? "type" : "from port", *rule.from_port, icmp ? "code" : "to port",
                     *rule.to_port);
}

bool is_valid_group_text(std::string_view text) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-:/()#,@[]+=&;{}!$*";
  return text.size() <= kMaxGroupTextLength &&
         text.find_first_not_of(kAllowed) == std::string_view::npos;
}

}  // namespace hikae::core
