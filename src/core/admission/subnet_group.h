#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/admission/admission.h"
#include "core/resource/cache_groups.h"

namespace hikae::core {

inline constexpr std::size_t kMaxSubnetGroups = 300;  // per region (ElastiCache's default quota)
inline constexpr std::size_t kMaxSubnetsPerGroup = 20;

struct CreateSubnetGroup {
  std::string name;
  std::string description;
  std::vector<std::string> subnets;
  Tags tags;  // checked, see tags.h
};
// The group's name must be new and valid, its subnets exist and lie in one VPC.
Admitted<Transition> admit(const State& state, const CreateSubnetGroup& command,
                           AdmissionContext context);

struct ModifySubnetGroup {
  std::string name;
  std::optional<std::string> description;
  std::optional<std::vector<std::string>> subnets;  // replaces the list
};
// A subnet that holds a node of a cluster of this group cannot leave it; the VPC stays the same.
Admitted<Transition> admit(const State& state, const ModifySubnetGroup& command,
                           AdmissionContext context);

struct DeleteSubnetGroup {
  std::string name;
};
// Refused while a cluster or replication group names it, and for `default`.
Admitted<Transition> admit(const State& state, const DeleteSubnetGroup& command,
                           AdmissionContext context);

// The group of clusters that name none: made from the default VPC's subnets when first needed.
SubnetGroupName default_subnet_group_name();

// The group called `default`, added to `transition` if it does not exist yet. nullopt: there is no
// default VPC or it has no subnets.
std::optional<SubnetGroup> ensure_default_subnet_group(const State& state, Transition& transition);

}  // namespace hikae::core
