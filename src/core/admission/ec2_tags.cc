#include "core/admission/ec2_tags.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

namespace hikae::core {
namespace {

using Edit = std::function<void(Tags&)>;

// Edits the tags of several resources in one transition.
class TagEditor {
 public:
  TagEditor(const State& state, Edit edit) : state_(state), edit_(std::move(edit)) {}

  Admitted<void> edit(const std::string& id) {
    if (id.starts_with("vpc-")) {
      return edit_found(require_vpc(state_, VpcId(id)));
    }
    if (id.starts_with("subnet-")) {
      return edit_found(require_subnet(state_, SubnetId(id)));
    }
    if (id.starts_with("sgr-")) {
      return edit_rule(SecurityGroupRuleId(id));
    }
    if (id.starts_with("sg-")) {
      return edit_group(SecurityGroupId(id));
    }
    if (id.starts_with("rtb-")) {
      return edit_found(require_route_table(state_, RouteTableId(id)));
    }
    if (id.starts_with("igw-")) {
      return edit_found(require_internet_gateway(state_, InternetGatewayId(id)));
    }
    if (id.starts_with("acl-")) {
      return edit_acl(NetworkAclId(id));
    }
    if (id.starts_with("eni-")) {
      return refuse("UnsupportedOperation",
                    fmt::format("The network interface '{}' is managed by ElastiCache; tag the "
                                "cache cluster instead.",
                                id));
    }
    return refuse("InvalidID", fmt::format("The ID '{}' is not valid", id));
  }

  Transition finish() {
    for (auto& [id, group] : groups_) {
      transition_.put(std::move(group));
    }
    return std::move(transition_);
  }

 private:
  Admitted<void> apply(Tags& tags) {
    edit_(tags);
    return check_ec2_tags(tags);
  }

  template <class T>
  Admitted<void> edit_found(const Admitted<const T*>& found) {
    if (!found) {
      return tl::unexpected(found.error());
    }
    T resource = **found;
    auto done = apply(resource.tags);
    transition_.put(std::move(resource));
    return done;
  }

  Admitted<void> edit_acl(const NetworkAclId& id) {
    const NetworkAcl* acl = state_.find<NetworkAcl>(id);
    if (acl == nullptr) {
      return refuse("InvalidNetworkAclID.NotFound",
                    fmt::format("The networkAcl ID '{}' does not exist", id.str()));
    }
    return edit_found(Admitted<const NetworkAcl*>(acl));
  }

  // A group and several of its rules may be edited in one call, so all work on one copy.
  SecurityGroup& copy_of(const SecurityGroup& group) {
    return groups_.try_emplace(group.id, group).first->second;
  }

  Admitted<void> edit_group(const SecurityGroupId& id) {
    const auto found = require_security_group(state_, id);
    if (!found) {
      return tl::unexpected(found.error());
    }
    return apply(copy_of(**found).tags);
  }

  Admitted<void> edit_rule(const SecurityGroupRuleId& id) {
    for (const auto& [group_id, group] : state_.all<SecurityGroup>()) {
      for (std::size_t i = 0; i < group.rules.size(); ++i) {
        if (group.rules[i].id == id) {
          return apply(copy_of(group).rules[i].tags);
        }
      }
    }
    return refuse("InvalidSecurityGroupRuleId.NotFound",
                  fmt::format("The security group rule ID '{}' does not exist", id.str()));
  }

  const State& state_;
  Edit edit_;
  Transition transition_;
  std::map<SecurityGroupId, SecurityGroup> groups_;
};

Admitted<Transition> edit_tags(const State& state, const std::vector<std::string>& resources,
                               Edit edit) {
  if (resources.size() > kMaxTaggedAtOnce) {
    return refuse("InvalidParameterValue",
                  fmt::format("At most {} resources can be tagged at once", kMaxTaggedAtOnce));
  }
  TagEditor editor(state, std::move(edit));
  for (const std::string& id : std::set<std::string>(resources.begin(), resources.end())) {
    if (auto done = editor.edit(id); !done) {
      return tl::unexpected(done.error());
    }
  }
  return editor.finish();
}

template <class T>
void collect(const State& state, std::string_view type, std::vector<TaggedResource>& out) {
  for (const auto& [id, resource] : state.all<T>()) {
    if (!resource.tags.empty()) {
      out.push_back({type, resource.id.str(), &resource.tags});
    }
  }
}

}  // namespace

Admitted<Transition> create_tags(const State& state, const CreateTags& command) {
  // Checked before the merge, too: an existing tag must not hide a bad one.
  if (auto checked = check_ec2_tags(command.tags); !checked) {
    return tl::unexpected(checked.error());
  }
  return edit_tags(state, command.resources, [&](Tags& tags) {
    for (const auto& [key, value] : command.tags) {
      tags.insert_or_assign(key, value);
    }
  });
}

Admitted<Transition> delete_tags(const State& state, const DeleteTags& command) {
  return edit_tags(state, command.resources, [&](Tags& tags) {
    if (!command.tags) {
      tags.clear();
      return;
    }
    for (const DeleteTags::Wanted& wanted : *command.tags) {
      const auto it = tags.find(wanted.key);
      if (it != tags.end() && (!wanted.value || *wanted.value == it->second)) {
        tags.erase(it);
      }
    }
  });
}

std::vector<TaggedResource> tagged_resources(const State& state) {
  std::vector<TaggedResource> out;
  collect<InternetGateway>(state, "internet-gateway", out);
  collect<NetworkAcl>(state, "network-acl", out);
  collect<RouteTable>(state, "route-table", out);
  collect<SecurityGroup>(state, "security-group", out);
  for (const auto& [id, group] : state.all<SecurityGroup>()) {
    for (const SecurityGroupRule& rule : group.rules) {
      if (!rule.tags.empty()) {
        out.push_back({"security-group-rule", rule.id.str(), &rule.tags});
      }
    }
  }
  collect<Subnet>(state, "subnet", out);
  collect<Vpc>(state, "vpc", out);
  return out;
}

}  // namespace hikae::core
