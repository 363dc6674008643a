#include <algorithm>

#include <fmt/format.h>

#include "api/generated/ec2_handlers.h"
#include "api/handlers/ec2/describe.h"
#include "api/handlers/ec2/shapes.h"
#include "core/admission/ec2_security_group.h"

namespace hikae::api::ec2::handlers {
namespace {

std::optional<std::string> if_any(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

// One spec for every peer of the permission. Without any peer one that core refuses in EC2's words.
void add_specs(const IpPermission& permission, std::vector<core::RuleSpec>& specs) {
  core::RuleSpec base;
  base.protocol = permission.ip_protocol.value_or("");
  base.from_port = permission.from_port;
  base.to_port = permission.to_port;
  const std::size_t before = specs.size();
  for (const auto& range : permission.ip_ranges.value_or(std::vector<IpRange>())) {
    core::RuleSpec& spec = specs.emplace_back(base);
    spec.cidr_ipv4 = range.cidr_ip.value_or("");
    spec.description = range.description.value_or("");
  }
  for (const auto& range : permission.ipv6_ranges.value_or(std::vector<Ipv6Range>())) {
    core::RuleSpec& spec = specs.emplace_back(base);
    spec.cidr_ipv6 = range.cidr_ipv6.value_or("");
    spec.description = range.description.value_or("");
  }
  for (const auto& pair : permission.user_id_group_pairs.value_or(std::vector<UserIdGroupPair>())) {
    core::RuleSpec& spec = specs.emplace_back(base);
    spec.peer_group = core::SecurityGroupId(pair.group_id.value_or(""));
    spec.peer_group_name = pair.group_name.value_or("");
    spec.description = pair.description.value_or("");
  }
  for (const auto& list : permission.prefix_list_ids.value_or(std::vector<PrefixListId>())) {
    specs.emplace_back(base).prefix_list = list.prefix_list_id.value_or("");
  }
  if (specs.size() == before) {
    specs.push_back(base);
  }
}

// The rules of an Authorize or Revoke request: IpPermissions, or the older way of one rule in the
// request's own members.
template <class Request>
std::vector<core::RuleSpec> specs_of(const Request& input) {
  std::vector<core::RuleSpec> specs;
  for (const auto& permission : input.ip_permissions.value_or(std::vector<IpPermission>())) {
    add_specs(permission, specs);
  }
  if (input.ip_protocol || input.cidr_ip || input.source_security_group_name) {
    core::RuleSpec& spec = specs.emplace_back();
    spec.protocol = input.ip_protocol.value_or(input.source_security_group_name ? "-1" : "");
    spec.from_port = input.from_port;
    spec.to_port = input.to_port;
    spec.cidr_ipv4 = input.cidr_ip.value_or("");
    spec.peer_group_name = input.source_security_group_name.value_or("");
  }
  return specs;
}

core::Admitted<core::SecurityGroupId> choose_group(const core::State& state,
                                                   const std::optional<std::string>& id,
                                                   const std::optional<std::string>& name) {
  if (id) {
    return core::SecurityGroupId(*id);
  }
  if (name) {
    return core::find_security_group_by_name(state, *name);
  }
  return core::refuse("MissingParameter",
                      "The request must contain the parameter groupName or groupId");
}

SecurityGroupRule rule_shape(const core::Region& region, const std::string& group,
                             const core::SecurityGroupRule& rule) {
  SecurityGroupRule shape;
  shape.security_group_rule_id = rule.id.str();
  shape.group_id = group;
  shape.group_owner_id = region.account_id;
  shape.is_egress = rule.egress;
  shape.ip_protocol = rule.protocol;
  // Here, unlike in IpPermission, EC2 writes "all ports" as -1.
  shape.from_port = rule.from_port.value_or(-1);
  shape.to_port = rule.to_port.value_or(-1);
  shape.cidr_ipv4 = if_any(rule.cidr_ipv4);
  shape.cidr_ipv6 = if_any(rule.cidr_ipv6);
  if (!rule.peer_group.empty()) {
    ReferencedSecurityGroup peer;
    peer.group_id = rule.peer_group.str();
    peer.user_id = region.account_id;
    shape.referenced_group_info = std::move(peer);
  }
  shape.description = if_any(rule.description);
  shape.tags = tag_list(rule.tags);
  shape.security_group_rule_arn = ec2_arn(region, "security-group-rule", rule.id.str());
  return shape;
}

std::vector<SecurityGroupRule> rule_shapes(const core::Region& region, const std::string& group,
                                           const std::vector<core::SecurityGroupRule>& rules) {
  std::vector<SecurityGroupRule> shapes;
  for (const core::SecurityGroupRule& rule : rules) {
    shapes.push_back(rule_shape(region, group, rule));
  }
  return shapes;
}

std::vector<RevokedSecurityGroupRule> revoked_shapes(
    const std::string& group, const std::vector<core::SecurityGroupRule>& rules) {
  std::vector<RevokedSecurityGroupRule> shapes;
  for (const core::SecurityGroupRule& rule : rules) {
    RevokedSecurityGroupRule& shape = shapes.emplace_back();
    shape.security_group_rule_id = rule.id.str();
    shape.group_id = group;
    shape.is_egress = rule.egress;
    shape.ip_protocol = rule.protocol;
    shape.from_port = rule.from_port.value_or(-1);
    shape.to_port = rule.to_port.value_or(-1);
    shape.cidr_ipv4 = if_any(rule.cidr_ipv4);
    shape.cidr_ipv6 = if_any(rule.cidr_ipv6);
    shape.referenced_group_id = if_any(rule.peer_group.str());
    shape.description = if_any(rule.description);
  }
  return shapes;
}

// What both directions of a change have in common.
struct RuleChange {
  std::optional<bool> dry_run;
  std::optional<std::string> group_id;
  std::optional<std::string> group_name;
  bool egress = false;
  std::vector<core::RuleSpec> rules;
  std::vector<core::SecurityGroupRuleId> rule_ids;
  core::Tags tags;
};

struct ChangedRules {
  std::string group;
  std::vector<core::SecurityGroupRule> rules;
};

using Rules = std::vector<core::SecurityGroupRule>;

AsyncResult<ChangedRules> authorize(HandlerContext& context, RuleChange change) {
  ChangedRules changed;
  Make<Rules> make = [&](const core::State& state,
                         core::AdmissionContext admission) -> core::Admitted<core::Made<Rules>> {
    const auto group = choose_group(state, change.group_id, change.group_name);
    if (!group) {
      return tl::unexpected(group.error());
    }
    changed.group = group->str();
    core::AuthorizeRules command;
    command.group = *group;
    command.egress = change.egress;
    command.rules = change.rules;
    command.tags = change.tags;
    return core::authorize_rules(state, command, admission);
  };
  auto made = co_await submit_made<Rules>(context, change.dry_run, std::move(make));
  if (!made) {
    co_return tl::unexpected(made.error());
  }
  changed.rules = std::move(*made);
  co_return changed;
}

AsyncResult<ChangedRules> revoke(HandlerContext& context, RuleChange change) {
  ChangedRules changed;
  Make<Rules> make = [&](const core::State& state,
                         core::AdmissionContext) -> core::Admitted<core::Made<Rules>> {
    const auto group = choose_group(state, change.group_id, change.group_name);
    if (!group) {
      return tl::unexpected(group.error());
    }
    changed.group = group->str();
    core::RevokeRules command;
    command.group = *group;
    command.egress = change.egress;
    command.rules = change.rules;
    command.rule_ids = change.rule_ids;
    return core::revoke_rules(state, command);
  };
  auto made = co_await submit_made<Rules>(context, change.dry_run, std::move(make));
  if (!made) {
    co_return tl::unexpected(made.error());
  }
  changed.rules = std::move(*made);
  co_return changed;
}

template <class Request>
ApiResult<RuleChange> authorize_change(const Request& input, bool egress) {
  auto tags = read_tag_specifications(input.tag_specifications, "security-group-rule");
  if (!tags) {
    return tl::unexpected(tags.error());
  }
  RuleChange change;
  change.dry_run = input.dry_run;
  change.group_id = input.group_id;
  change.egress = egress;
  change.rules = specs_of(input);
  change.tags = std::move(*tags);
  return change;
}

template <class Request>
RuleChange revoke_change(const Request& input, bool egress) {
  RuleChange change;
  change.dry_run = input.dry_run;
  change.group_id = input.group_id;
  change.egress = egress;
  change.rules = specs_of(input);
  for (const auto& id : input.security_group_rule_ids.value_or(std::vector<std::string>())) {
    change.rule_ids.emplace_back(id);
  }
  return change;
}

const FilterTable<SecurityGroupRule>& rule_filters() {
  static const FilterTable<SecurityGroupRule> table(
      {
          {"group-id", [](const SecurityGroupRule& r) { return filter_text(r.group_id); }},
          {"security-group-rule-id",
           [](const SecurityGroupRule& r) { return filter_text(r.security_group_rule_id); }},
      },
      [](const SecurityGroupRule& r) -> const TagList& { return r.tags; });
  return table;
}

ApiResult<std::vector<SecurityGroupRule>> select_rules(const core::State& state, const Ids& ids) {
  std::vector<SecurityGroupRule> shapes;
  for (const auto& [id, group] : state.all<core::SecurityGroup>()) {
    for (const core::SecurityGroupRule& rule : group.rules) {
      shapes.push_back(rule_shape(state.region(), id.str(), rule));
    }
  }
  std::sort(shapes.begin(), shapes.end(), [](const auto& a, const auto& b) {
    return *a.security_group_rule_id < *b.security_group_rule_id;
  });
  if (!ids || ids->empty()) {
    return shapes;
  }
  std::set<std::string> wanted(ids->begin(), ids->end());
  std::set<std::string> found;
  std::erase_if(shapes, [&](const SecurityGroupRule& rule) {
    return wanted.contains(*rule.security_group_rule_id)
               ? !found.insert(*rule.security_group_rule_id).second
               : true;
  });
  for (const std::string& id : wanted) {
    if (!found.contains(id)) {
      return refuse("InvalidSecurityGroupRuleId.NotFound",
                    fmt::format("The security group rule ID '{}' does not exist", id));
    }
  }
  return shapes;
}

}  // namespace

AsyncResult<AuthorizeSecurityGroupIngressResult> authorize_security_group_ingress(
    HandlerContext& context, AuthorizeSecurityGroupIngressRequest input) {
  auto change = authorize_change(input, false);
  if (!change) {
    co_return tl::unexpected(change.error());
  }
  change->group_name = input.group_name;
  RuleChange wanted = std::move(*change);
  auto changed = co_await authorize(context, std::move(wanted));
  if (!changed) {
    co_return tl::unexpected(changed.error());
  }
  AuthorizeSecurityGroupIngressResult result;
  result.return_value = true;
  result.security_group_rules =
      rule_shapes(state_of(context).region(), changed->group, changed->rules);
  co_return result;
}

AsyncResult<AuthorizeSecurityGroupEgressResult> authorize_security_group_egress(
    HandlerContext& context, AuthorizeSecurityGroupEgressRequest input) {
  auto change = authorize_change(input, true);
  if (!change) {
    co_return tl::unexpected(change.error());
  }
  RuleChange wanted = std::move(*change);
  auto changed = co_await authorize(context, std::move(wanted));
  if (!changed) {
    co_return tl::unexpected(changed.error());
  }
  AuthorizeSecurityGroupEgressResult result;
  result.return_value = true;
  result.security_group_rules =
      rule_shapes(state_of(context).region(), changed->group, changed->rules);
  co_return result;
}

AsyncResult<RevokeSecurityGroupIngressResult> revoke_security_group_ingress(
    HandlerContext& context, RevokeSecurityGroupIngressRequest input) {
  RuleChange wanted = revoke_change(input, false);
  wanted.group_name = input.group_name;
  auto changed = co_await revoke(context, std::move(wanted));
  if (!changed) {
    co_return tl::unexpected(changed.error());
  }
  RevokeSecurityGroupIngressResult result;
  result.return_value = true;
  result.revoked_security_group_rules = revoked_shapes(changed->group, changed->rules);
  co_return result;
}

AsyncResult<RevokeSecurityGroupEgressResult> revoke_security_group_egress(
    HandlerContext& context, RevokeSecurityGroupEgressRequest input) {
  RuleChange wanted = revoke_change(input, true);
  auto changed = co_await revoke(context, std::move(wanted));
  if (!changed) {
    co_return tl::unexpected(changed.error());
  }
  RevokeSecurityGroupEgressResult result;
  result.return_value = true;
  result.revoked_security_group_rules = revoked_shapes(changed->group, changed->rules);
  co_return result;
}

AsyncResult<DescribeSecurityGroupRulesResult> describe_security_group_rules(
    HandlerContext& context, DescribeSecurityGroupRulesRequest input) {
  auto selected = select_rules(state_of(context), input.security_group_rule_ids);
  auto page =
      finish_describe(input, input.security_group_rule_ids, std::move(selected), rule_filters(),
                      [](const SecurityGroupRule& rule) { return *rule.security_group_rule_id; });
  if (!page) {
    co_return tl::unexpected(page.error());
  }
  DescribeSecurityGroupRulesResult result;
  result.security_group_rules = std::move(page->items);
  result.next_token = std::move(page->next_token);
  co_return result;
}

}  // namespace hikae::api::ec2::handlers
