#pragma once

#include <string>
#include <vector>

#include "core/admission/ec2_common.h"
#include "core/admission/ec2_rule.h"

namespace hikae::core {

// AWS's default quotas.
inline constexpr std::size_t kMaxSecurityGroups = 2500;
inline constexpr std::size_t kMaxRulesPerDirection = 60;

struct CreateSecurityGroup {
  VpcId vpc;  // empty: the default VPC
  std::string name;
  std::string description;
  Tags tags;
};
// The group lets everything out and nothing in.
Admitted<Made<SecurityGroup>> create_security_group(const State& state,
                                                    const CreateSecurityGroup& command,
                                                    AdmissionContext context);

// How old clients name a group: by its name, in the default VPC.
Admitted<SecurityGroupId> find_security_group_by_name(const State& state, const std::string& name);

// Refused for the default group, and while a cache cluster, a replication group or a rule of
// another group uses it.
Admitted<Transition> delete_security_group(const State& state, const SecurityGroupId& id);

struct AuthorizeRules {
  SecurityGroupId group;
  bool egress = false;
  std::vector<RuleSpec> rules;
  Tags tags;  // of the new rules
};
// All rules or none. Answers the new rules.
Admitted<Made<std::vector<SecurityGroupRule>>> authorize_rules(const State& state,
                                                               const AuthorizeRules& command,
                                                               AdmissionContext context);

struct RevokeRules {
  SecurityGroupId group;
  bool egress = false;
  std::vector<RuleSpec> rules;
  std::vector<SecurityGroupRuleId> rule_ids;
};
// All rules or none: a rule that is not there refuses the call. Answers the removed rules.
Admitted<Made<std::vector<SecurityGroupRule>>> revoke_rules(const State& state,
                                                            const RevokeRules& command);

}  // namespace hikae::core
