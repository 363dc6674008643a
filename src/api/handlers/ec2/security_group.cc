#include <algorithm>

#include "api/generated/ec2_handlers.h"
#include "api/handlers/ec2/describe.h"
#include "api/handlers/ec2/shapes.h"
#include "core/admission/ec2_security_group.h"

namespace hikae::api::ec2::handlers {
namespace {

bool same_traffic(const IpPermission& permission, const core::SecurityGroupRule& rule) {
  return permission.ip_protocol == rule.protocol && permission.from_port == rule.from_port &&
         permission.to_port == rule.to_port;
}

std::optional<std::string> if_any(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

void add_peer(const core::Region& region, const core::SecurityGroupRule& rule,
              IpPermission& permission) {
  if (!rule.cidr_ipv4.empty()) {
    permission.ip_ranges->push_back(
        IpRange{.description = if_any(rule.description), .cidr_ip = rule.cidr_ipv4});
  } else if (!rule.cidr_ipv6.empty()) {
    permission.ipv6_ranges->push_back(
        Ipv6Range{.description = if_any(rule.description), .cidr_ipv6 = rule.cidr_ipv6});
  } else {
    UserIdGroupPair pair;
    pair.description = if_any(rule.description);
    pair.user_id = region.account_id;
    pair.group_id = rule.peer_group.str();
    permission.user_id_group_pairs->push_back(std::move(pair));
  }
}

// EC2 shows the rules of one protocol and port range as one permission with all their peers.
std::vector<IpPermission> permissions_of(const core::Region& region,
                                         const core::SecurityGroup& group, bool egress) {
  std::vector<IpPermission> permissions;
  for (const core::SecurityGroupRule& rule : group.rules) {
    if (rule.egress != egress) {
      continue;
    }
    auto it = std::find_if(permissions.begin(), permissions.end(),
                           [&](const IpPermission& p) { return same_traffic(p, rule); });
    if (it == permissions.end()) {
      IpPermission& permission = permissions.emplace_back();
      permission.ip_protocol = rule.protocol;
      permission.from_port = rule.from_port;
      permission.to_port = rule.to_port;
      permission.user_id_group_pairs.emplace();
      permission.ip_ranges.emplace();
      permission.ipv6_ranges.emplace();
      permission.prefix_list_ids.emplace();
      it = permissions.end() - 1;
    }
    add_peer(region, rule, *it);
  }
  return permissions;
}

SecurityGroup group_shape(const core::Region& region, const core::SecurityGroup& group) {
  SecurityGroup shape;
  shape.group_id = group.id.str();
  shape.ip_permissions_egress = permissions_of(region, group, true);
  shape.tags = tags_if_any(group.tags);
  shape.vpc_id = group.vpc.str();
  shape.security_group_arn = ec2_arn(region, "security-group", group.id.str());
  shape.owner_id = region.account_id;
  shape.group_name = group.name;
  shape.description = group.description;
  shape.ip_permissions = permissions_of(region, group, false);
  return shape;
}

// `ip-permission.cidr` and its kin: an attribute of any permission of one direction.
using Permissions = std::optional<std::vector<IpPermission>> SecurityGroup::*;

template <Permissions permissions>
FilterValues protocols(const SecurityGroup& group) {
  FilterValues values;
  for (const IpPermission& permission : *(group.*permissions)) {
    values.push_back(*permission.ip_protocol);
  }
  return values;
}

template <Permissions permissions, std::optional<std::int32_t> IpPermission::* port>
FilterValues ports(const SecurityGroup& group) {
  FilterValues values;
  for (const IpPermission& permission : *(group.*permissions)) {
    if (permission.*port) {
      values.push_back(std::to_string(*(permission.*port)));
    }
  }
  return values;
}

template <Permissions permissions, class Peer,
          std::optional<std::vector<Peer>> IpPermission::* peers,
          std::optional<std::string> Peer::* member>
FilterValues peers_of(const SecurityGroup& group) {
  FilterValues values;
  for (const IpPermission& permission : *(group.*permissions)) {
    for (const Peer& peer : *(permission.*peers)) {
      values.push_back((peer.*member).value_or(""));
    }
  }
  return values;
}

template <Permissions p>
constexpr auto kPeerCidrs = peers_of<p, IpRange, &IpPermission::ip_ranges, &IpRange::cidr_ip>;
template <Permissions p>
constexpr auto kPeerIpv6Cidrs =
    peers_of<p, Ipv6Range, &IpPermission::ipv6_ranges, &Ipv6Range::cidr_ipv6>;
template <Permissions p>
constexpr auto kPeerGroups =
    peers_of<p, UserIdGroupPair, &IpPermission::user_id_group_pairs, &UserIdGroupPair::group_id>;
template <Permissions p>
constexpr auto kPeerUsers =
    peers_of<p, UserIdGroupPair, &IpPermission::user_id_group_pairs, &UserIdGroupPair::user_id>;

const FilterTable<SecurityGroup>& group_filters() {
  constexpr Permissions kIn = &SecurityGroup::ip_permissions;
  constexpr Permissions kOut = &SecurityGroup::ip_permissions_egress;
  static const FilterTable<SecurityGroup> table(
      {
          {"group-id", [](const SecurityGroup& g) { return filter_text(g.group_id); }},
          {"group-name", [](const SecurityGroup& g) { return filter_text(g.group_name); }},
          {"description", [](const SecurityGroup& g) { return filter_text(g.description); }},
          {"vpc-id", [](const SecurityGroup& g) { return filter_text(g.vpc_id); }},
          {"owner-id", [](const SecurityGroup& g) { return filter_text(g.owner_id); }},
          {"ip-permission.protocol", protocols<kIn>},
          {"ip-permission.from-port", ports<kIn, &IpPermission::from_port>},
          {"ip-permission.to-port", ports<kIn, &IpPermission::to_port>},
          {"ip-permission.cidr", kPeerCidrs<kIn>},
          {"ip-permission.ipv6-cidr", kPeerIpv6Cidrs<kIn>},
          {"ip-permission.group-id", kPeerGroups<kIn>},
          {"ip-permission.user-id", kPeerUsers<kIn>},
          {"egress.ip-permission.protocol", protocols<kOut>},
          {"egress.ip-permission.from-port", ports<kOut, &IpPermission::from_port>},
          {"egress.ip-permission.to-port", ports<kOut, &IpPermission::to_port>},
          {"egress.ip-permission.cidr", kPeerCidrs<kOut>},
          {"egress.ip-permission.ipv6-cidr", kPeerIpv6Cidrs<kOut>},
          {"egress.ip-permission.group-id", kPeerGroups<kOut>},
          {"egress.ip-permission.user-id", kPeerUsers<kOut>},
      },
      [](const SecurityGroup& g) -> const TagList& { return g.tags; });
  return table;
}

// The ids of a request that may also name groups of the default VPC.
core::Admitted<Ids> resolve_names(const core::State& state, const Ids& ids, const Ids& names) {
  Ids all = ids;
  for (const std::string& name : names.value_or(std::vector<std::string>())) {
    const auto id = core::find_security_group_by_name(state, name);
    if (!id) {
      return tl::unexpected(id.error());
    }
    all = all ? all : std::vector<std::string>();
    all->push_back(id->str());
  }
  return all;
}

}  // namespace

AsyncResult<CreateSecurityGroupResult> create_security_group(HandlerContext& context,
                                                             CreateSecurityGroupRequest input) {
  auto tags = read_tag_specifications(input.tag_specifications, "security-group");
  if (!tags) {
    co_return tl::unexpected(tags.error());
  }
  core::CreateSecurityGroup command;
  command.vpc = core::VpcId(input.vpc_id.value_or(""));
  command.name = *input.group_name;
  command.description = *input.description;
  command.tags = std::move(*tags);
  Make<core::SecurityGroup> make = [&](const core::State& state, core::AdmissionContext admission) {
    return core::create_security_group(state, command, admission);
  };
  auto made = co_await submit_made<core::SecurityGroup>(context, input.dry_run, std::move(make));
  if (!made) {
    co_return tl::unexpected(made.error());
  }
  CreateSecurityGroupResult result;
  result.group_id = made->id.str();
  result.tags = tags_if_any(made->tags);
  result.security_group_arn = ec2_arn(state_of(context).region(), "security-group", made->id.str());
  co_return result;
}

AsyncResult<DeleteSecurityGroupResult> delete_security_group(HandlerContext& context,
                                                             DeleteSecurityGroupRequest input) {
  if (!input.group_id && !input.group_name) {
    co_return refuse("MissingParameter",
                     "The request must contain the parameter groupName or groupId");
  }
  std::string deleted;
  Decide decide = [&](const core::State& state,
                      core::AdmissionContext) -> core::Admitted<core::Transition> {
    const core::Admitted<core::SecurityGroupId> id =
        input.group_id ? core::SecurityGroupId(*input.group_id)
                       : core::find_security_group_by_name(state, *input.group_name);
    if (!id) {
      return tl::unexpected(id.error());
    }
    deleted = id->str();
    return core::delete_security_group(state, *id);
  };
  auto done = co_await submit_change(context, input.dry_run, std::move(decide));
  if (!done) {
    co_return tl::unexpected(done.error());
  }
  DeleteSecurityGroupResult result;
  result.return_value = true;
  result.group_id = deleted;
  co_return result;
}

AsyncResult<DescribeSecurityGroupsResult> describe_security_groups(
    HandlerContext& context, DescribeSecurityGroupsRequest input) {
  const core::State& state = state_of(context);
  const auto ids = resolve_names(state, input.group_ids, input.group_names);
  if (!ids) {
    co_return refused(ids.error());
  }
  auto selected = select_records<core::SecurityGroup>(
      state, *ids, core::require_security_group,
      [&](const core::SecurityGroup& group) { return group_shape(state.region(), group); });
  auto page = finish_describe(input, *ids, std::move(selected), group_filters(),
                              [](const SecurityGroup& group) { return *group.group_id; });
  if (!page) {
    co_return tl::unexpected(page.error());
  }
  DescribeSecurityGroupsResult result;
  result.security_groups = std::move(page->items);
  result.next_token = std::move(page->next_token);
  co_return result;
}

}  // namespace hikae::api::ec2::handlers
