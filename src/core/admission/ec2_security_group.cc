#include "core/admission/ec2_security_group.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"

namespace hikae::core {
namespace {

tl::unexpected<Fault> invalid(std::string message) {
  return refuse("InvalidParameterValue", std::move(message));
}

Admitted<void> check_texts(const CreateSecurityGroup& command) {
  if (command.name.empty() || !is_valid_group_text(command.name)) {
    return invalid(
        fmt::format("Value ({}) for parameter GroupName is invalid. Group names have 1 "
                    "to 255 of a-zA-Z0-9. _-:/()#,@[]+=&;{{}}!$*",
                    command.name));
  }
  if (to_lower(command.name).starts_with("sg-")) {
    return invalid(
        fmt::format("Value ({}) for parameter GroupName is invalid. Group names must "
                    "not begin with sg-.",
                    command.name));
  }
  if (command.name == "default") {
    return invalid("Cannot use reserved security group name: default");
  }
  if (command.description.empty() || !is_valid_group_text(command.description)) {
    return invalid(
        fmt::format("Value ({}) for parameter GroupDescription is invalid. Descriptions "
                    "have 1 to 255 of a-zA-Z0-9. _-:/()#,@[]+=&;{{}}!$*",
                    command.description));
  }
  return check_ec2_tags(command.tags);
}

Admitted<const Vpc*> choose_vpc(const State& state, const VpcId& wanted) {
  if (!wanted.empty()) {
    return require_vpc(state, wanted);
  }
  if (const Vpc* vpc = find_default_vpc(state)) {
    return vpc;
  }
  return refuse("VPCIdNotSpecified", "No default VPC for this user");
}

bool is_used(const State& state, const SecurityGroupId& id) {
  const auto names_it = [&](const auto& entry) {
    const auto& groups = entry.second.settings.security_groups;
    return std::find(groups.begin(), groups.end(), id) != groups.end();
  };
  const auto& clusters = state.all<CacheCluster>();
  const auto& replication_groups = state.all<ReplicationGroup>();
  if (std::any_of(clusters.begin(), clusters.end(), names_it) ||
      std::any_of(replication_groups.begin(), replication_groups.end(), names_it)) {
    return true;
  }
  for (const auto& [other, group] : state.all<SecurityGroup>()) {
    const bool refers =
        std::any_of(group.rules.begin(), group.rules.end(),
                    [&](const SecurityGroupRule& rule) { return rule.peer_group == id; });
    if (other != id && refers) {
      return true;
    }
  }
  return false;
}

auto find_permission(const std::vector<SecurityGroupRule>& rules, const SecurityGroupRule& wanted) {
  return std::find_if(rules.begin(), rules.end(),
                      [&](const SecurityGroupRule& rule) { return same_permission(rule, wanted); });
}

}  // namespace

Admitted<Made<SecurityGroup>> create_security_group(const State& state,
                                                    const CreateSecurityGroup& command,
                                                    AdmissionContext context) {
  const auto vpc = choose_vpc(state, command.vpc);
  if (!vpc) {
    return tl::unexpected(vpc.error());
  }
  if (auto checked = check_texts(command); !checked) {
    return tl::unexpected(checked.error());
  }
  for (const auto& [id, group] : state.all<SecurityGroup>()) {
    if (group.vpc == (*vpc)->id && group.name == command.name) {
      return refuse("InvalidGroup.Duplicate",
                    fmt::format("The security group '{}' already exists for VPC '{}'", command.name,
                                group.vpc.str()));
    }
  }
  if (state.all<SecurityGroup>().size() >= kMaxSecurityGroups) {
    return refuse("SecurityGroupLimitExceeded",
                  "The maximum number of security groups has been reached.");
  }
  SecurityGroup group;
  group.id = new_ec2_id<SecurityGroupId>("sg-", context);
  group.vpc = (*vpc)->id;
  group.name = command.name;
  group.description = command.description;
  group.tags = command.tags;
  SecurityGroupRule to_all;
  to_all.id = new_ec2_id<SecurityGroupRuleId>("sgr-", context);
  to_all.egress = true;
  to_all.cidr_ipv4 = "0.0.0.0/0";
  group.rules.push_back(std::move(to_all));
  Made<SecurityGroup> made{std::move(group), {}};
  made.transition.put(made.value);
  return made;
}

Admitted<SecurityGroupId> find_security_group_by_name(const State& state, const std::string& name) {
  const Vpc* vpc = find_default_vpc(state);
  if (vpc == nullptr) {
    return refuse("VPCIdNotSpecified", "No default VPC for this user");
  }
  for (const auto& [id, group] : state.all<SecurityGroup>()) {
    if (group.vpc == vpc->id && group.name == name) {
      return id;
    }
  }
  return refuse("InvalidGroup.NotFound",
                fmt::format("The security group '{}' does not exist in default VPC '{}'", name,
                            vpc->id.str()));
}

Admitted<Transition> delete_security_group(const State& state, const SecurityGroupId& id) {
  const auto found = require_security_group(state, id);
  if (!found) {
    return tl::unexpected(found.error());
  }
  if ((*found)->name == "default") {
    return refuse("CannotDelete", fmt::format("the specified group: \"{}\" name: \"default\" "
                                              "cannot be deleted by a user",
                                              id.str()));
  }
  if (is_used(state, id)) {
    return refuse("DependencyViolation",
                  fmt::format("resource {} has a dependent object", id.str()));
  }
  Transition transition;
  transition.remove<SecurityGroup>(id);
  return transition;
}

Admitted<Made<std::vector<SecurityGroupRule>>> authorize_rules(const State& state,
                                                               const AuthorizeRules& command,
                                                               AdmissionContext context) {
  const auto found = require_security_group(state, command.group);
  if (!found) {
    return tl::unexpected(found.error());
  }
  if (command.rules.empty()) {
    return refuse("MissingParameter", "The request must contain the parameter ipPermissions");
  }
  if (auto checked = check_ec2_tags(command.tags); !checked) {
    return tl::unexpected(checked.error());
  }
  auto rules = normalise_rules(state, **found, command.egress, command.rules);
  if (!rules) {
    return tl::unexpected(rules.error());
  }
  SecurityGroup group = **found;
  const std::size_t before = group.rules.size();
  for (SecurityGroupRule& rule : *rules) {
    const auto same = find_permission(group.rules, rule);
    if (same != group.rules.end() && std::size_t(same - group.rules.begin()) >= before) {
      return invalid("The same permission must not appear multiple times");
    }
    if (same != group.rules.end()) {
      return refuse("InvalidPermission.Duplicate",
                    fmt::format("the specified rule \"{}\" already exists", describe_rule(rule)));
    }
    rule.id = new_ec2_id<SecurityGroupRuleId>("sgr-", context);
    rule.tags = command.tags;
    group.rules.push_back(rule);
  }
  const auto in_direction =
      std::count_if(group.rules.begin(), group.rules.end(),
                    [&](const SecurityGroupRule& rule) { return rule.egress == command.egress; });
  if (std::size_t(in_direction) > kMaxRulesPerDirection) {
    return refuse("RulesPerSecurityGroupLimitExceeded",
                  "The maximum number of rules per security group has been reached.");
  }
  Made<std::vector<SecurityGroupRule>> made{std::move(*rules), {}};
  made.transition.put(std::move(group));
  return made;
}

Admitted<Made<std::vector<SecurityGroupRule>>> revoke_rules(const State& state,
                                                            const RevokeRules& command) {
  const auto found = require_security_group(state, command.group);
  if (!found) {
    return tl::unexpected(found.error());
  }
  if (command.rules.empty() && command.rule_ids.empty()) {
    return refuse("MissingParameter", "The request must contain the parameter ipPermissions");
  }
  if (!command.rules.empty() && !command.rule_ids.empty()) {
    return refuse("InvalidParameterCombination",
                  "The parameters ipPermissions and securityGroupRuleIds exclude each other");
  }
  auto wanted = normalise_rules(state, **found, command.egress, command.rules);
  if (!wanted) {
    return tl::unexpected(wanted.error());
  }
  SecurityGroup group = **found;
  Made<std::vector<SecurityGroupRule>> made;
  for (const SecurityGroupRule& rule : *wanted) {
    const auto it = find_permission(group.rules, rule);
    if (it == group.rules.end()) {
      return refuse("InvalidPermission.NotFound",
                    "The specified rule does not exist in this security group.");
    }
    made.value.push_back(*it);
    group.rules.erase(it);
  }
  for (const SecurityGroupRuleId& id : command.rule_ids) {
    const auto it = std::find_if(
        group.rules.begin(), group.rules.end(),
        [&](const SecurityGroupRule& r) { return r.id == id && r.egress == command.egress; });
    if (it == group.rules.end()) {
      return refuse("InvalidSecurityGroupRuleId.NotFound",
                    fmt::format("The security group rule ID '{}' does not exist", id.str()));
    }
    made.value.push_back(*it);
    group.rules.erase(it);
  }
  made.transition.put(std::move(group));
  return made;
}

}  // namespace hikae::core
