#include "core/admission/subnet_group.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/strings.h"
#include "core/admission/identifiers.h"

namespace hikae::core {
namespace {

struct Subnets {
  VpcId vpc;
  std::vector<SubnetId> ids;  // in the client's order, each once
};

Admitted<Subnets> check_subnets(const State& state, const std::vector<std::string>& requested) {
  if (requested.empty()) {
    return refuse("InvalidParameterValue", "The parameter SubnetIds must be provided.");
  }
  Subnets result;
  std::vector<std::string> unknown;
  const Subnet* first = nullptr;
  for (const std::string& text : requested) {
    const SubnetId id(text);
    if (std::find(result.ids.begin(), result.ids.end(), id) != result.ids.end()) {
      continue;
    }
    if (result.ids.size() == kMaxSubnetsPerGroup) {
      return refuse(
          "CacheSubnetQuotaExceededFault",
          fmt::format("A cache subnet group can have at most {} subnets.", kMaxSubnetsPerGroup));
    }
    result.ids.push_back(id);
    const Subnet* subnet = state.find<Subnet>(id);
    if (subnet == nullptr) {
      unknown.push_back(text);
      continue;
    }
    if (first == nullptr) {
      first = subnet;
    } else if (subnet->vpc != first->vpc) {
      return refuse("InvalidSubnet", fmt::format("Subnets {} and {} are not in the same VPC.",
                                                 first->id.str(), subnet->id.str()));
    }
  }
  if (!unknown.empty()) {
    return refuse("InvalidParameterValue",
                  fmt::format("Some input subnets in :[{}] are invalid.", join(unknown, ", ")));
  }
  result.vpc = first->vpc;
  return result;
}

// Subnets in which nodes of this group's clusters live.
std::set<SubnetId> subnets_with_nodes(const State& state, const SubnetGroupName& group) {
  std::set<SubnetId> used;
  for (const auto& [id, cluster] : state.all<CacheCluster>()) {
    if (cluster.settings.subnet_group != group) {
      continue;
    }
    for (const Node& node : cluster.nodes) {
      if (!node.subnet.empty()) {
        used.insert(node.subnet);
      }
    }
  }
  return used;
}

bool is_in_use(const State& state, const SubnetGroupName& group) {
  const auto names_it = [&group](const auto& entry) {
    return entry.second.settings.subnet_group == group;
  };
  const auto& clusters = state.all<CacheCluster>();
  const auto& groups = state.all<ReplicationGroup>();
  return std::any_of(clusters.begin(), clusters.end(), names_it) ||
         std::any_of(groups.begin(), groups.end(), names_it);
}

}  // namespace

Admitted<Transition> admit(const State& state, const CreateSubnetGroup& command, AdmissionContext) {
  Admitted<SubnetGroupName> name = parse_subnet_group_name(command.name);
  if (!name) {
    return tl::unexpected(name.error());
  }
  // AWS refuses this name, since the region makes the group of that name itself.
  if (*name == default_subnet_group_name()) {
    return refuse("InvalidParameterValue", "The cache subnet group name default is reserved.");
  }
  if (state.find<SubnetGroup>(*name) != nullptr) {
    return refuse("CacheSubnetGroupAlreadyExists",
                  fmt::format("Cache subnet group {} already exists.", name->str()));
  }
  if (state.all<SubnetGroup>().size() >= kMaxSubnetGroups) {
    return refuse("CacheSubnetGroupQuotaExceeded",
                  fmt::format("You have already reached your quota of {} cache subnet groups in "
                              "this region.",
                              kMaxSubnetGroups));
  }
  Admitted<Subnets> subnets = check_subnets(state, command.subnets);
  if (!subnets) {
    return tl::unexpected(subnets.error());
  }
  SubnetGroup group;
  group.name = *name;
  group.description = command.description;
  group.vpc = subnets->vpc;
  group.subnets = std::move(subnets->ids);
  group.tags = command.tags;
  Transition transition;
  transition.put(std::move(group));
  return transition;
}

Admitted<Transition> admit(const State& state, const ModifySubnetGroup& command, AdmissionContext) {
  const auto name = lookup_id<SubnetGroupName>(command.name);
  const SubnetGroup* existing = state.find<SubnetGroup>(name);
  if (existing == nullptr) {
    return tl::unexpected(subnet_group_not_found(name.str()));
  }
  SubnetGroup group = *existing;
  if (command.description) {
    group.description = *command.description;
  }
  if (command.subnets) {
    Admitted<Subnets> subnets = check_subnets(state, *command.subnets);
    if (!subnets) {
      return tl::unexpected(subnets.error());
    }
    if (subnets->vpc != group.vpc) {
      return refuse("InvalidSubnet",
                    fmt::format("The new subnets are not in the VPC {} of cache subnet group {}.",
                                group.vpc.str(), name.str()));
    }
    for (const SubnetId& used : subnets_with_nodes(state, name)) {
      if (std::find(subnets->ids.begin(), subnets->ids.end(), used) == subnets->ids.end()) {
        return refuse("SubnetInUse", fmt::format("The subnet {} is in use by a cache cluster of "
                                                 "cache subnet group {}.",
                                                 used.str(), name.str()));
      }
    }
    group.subnets = std::move(subnets->ids);
  }
  Transition transition;
  transition.put(std::move(group));
  return transition;
}

Admitted<Transition> admit(const State& state, const DeleteSubnetGroup& command, AdmissionContext) {
  const auto name = lookup_id<SubnetGroupName>(command.name);
  if (state.find<SubnetGroup>(name) == nullptr) {
    return tl::unexpected(subnet_group_not_found(name.str()));
  }
  if (is_in_use(state, name)) {
    return refuse(
        "CacheSubnetGroupInUse",
        fmt::format("Cache subnet group {} is currently in use by a cache cluster.", name.str()));
  }
  if (name == default_subnet_group_name()) {
    return refuse("InvalidParameterValue", "The default cache subnet group cannot be deleted.");
  }
  Transition transition;
  transition.remove<SubnetGroup>(name);
  return transition;
}

SubnetGroupName default_subnet_group_name() {
  return SubnetGroupName("default");
}

std::optional<SubnetGroup> ensure_default_subnet_group(const State& state, Transition& transition) {
  if (const SubnetGroup* group = state.find<SubnetGroup>(default_subnet_group_name())) {
    return *group;
  }
  SubnetGroup group;
  group.name = default_subnet_group_name();
  group.description = "Default CacheSubnetGroup";
  for (const auto& [id, subnet] : state.all<Subnet>()) {
    const Vpc* vpc = state.find<Vpc>(subnet.vpc);
    if (vpc != nullptr && vpc->is_default && group.subnets.size() < kMaxSubnetsPerGroup) {
      group.vpc = vpc->id;
      group.subnets.push_back(id);
    }
  }
  if (group.subnets.empty()) {
    return std::nullopt;
  }
  transition.put(group);
  return group;
}

}  // namespace hikae::core
