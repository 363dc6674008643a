#include "core/admission/parameter_group.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "core/admission/identifiers.h"
#include "core/admission/parameter_value.h"
#include "core/state/events.h"

namespace hikae::core {
namespace {

Fault invalid_value(std::string message) {
  return Fault{"InvalidParameterValue", std::move(message)};
}

bool is_in_use(const State& state, const ParameterGroupName& group) {
  const auto names_it = [&group](const auto& entry) { return uses(entry.second, group); };
  const auto& clusters = state.all<CacheCluster>();
  const auto& groups = state.all<ReplicationGroup>();
  return std::any_of(clusters.begin(), clusters.end(), names_it) ||
         std::any_of(groups.begin(), groups.end(), names_it);
}

// The customer's group that a change is for. A default group's name is not even an identifier,
// which is how AWS refuses to change one.
Admitted<ParameterGroupView> changeable_group(const State& state, const std::string& text) {
  const Admitted<ParameterGroupName> name = parse_parameter_group_name(text);
  if (!name) {
    return tl::unexpected(name.error());
  }
  std::optional<ParameterGroupView> group = find_parameter_group(state, name->str());
  if (!group) {
    return tl::unexpected(parameter_group_not_found(name->str()));
  }
  return *group;
}

Admitted<const Parameter*> changeable_parameter(const ParameterGroupView& group,
                                                const std::string& name, bool in_use) {
  const Parameter* parameter = find_parameter(*group.family, name);
  if (parameter == nullptr) {
    return tl::unexpected(invalid_value(fmt::format("Parameter {} doesn't exist", name)));
  }
  if (!parameter->modifiable && parameter->modifiable_when_unattached && in_use) {
    return tl::unexpected(
        Fault{"InvalidCacheParameterGroupState",
              fmt::format("The parameter {} cannot be modified while cache clusters are members of "
                          "parameter group {}.",
                          name, group.name)});
  }
  if (!parameter->modifiable && !parameter->modifiable_when_unattached) {
    return tl::unexpected(invalid_value(fmt::format("The parameter {} cannot be modified.", name)));
  }
  return parameter;
}

std::optional<Fault> wrong_count(std::size_t count) {
  if (count >= 1 && count <= kMaxParametersPerCall) {
    return std::nullopt;
  }
  return invalid_value(
      fmt::format("Between 1 and {} parameters can be changed in one call, but {} were given.",
                  kMaxParametersPerCall, count));
}

std::optional<std::string_view> value_in(const ParameterValues& overrides,
                                         const Parameter& parameter) {
  const auto it = overrides.find(std::string(parameter.name));
  return it == overrides.end() ? parameter.value : std::optional<std::string_view>(it->second);
}

// Nodes tell when they have taken an immediate change; one that needs a reboot waits for it.
void mark_nodes(const State& state, const ParameterGroupName& group, bool needs_reboot,
                Transition& transition) {
  for (const auto& [id, existing] : state.all<CacheCluster>()) {
    if (effective_settings(existing).parameter_group != group || existing.status == "deleting") {
      continue;
    }
    CacheCluster cluster = existing;
    for (Node& node : cluster.nodes) {
      ++node.edition;
      const bool waits = needs_reboot || node.parameter_status == "pending-reboot";
      node.parameter_status = waits ? "pending-reboot" : "applying";
    }
    transition.put(std::move(cluster));
  }
}

// The transition that gives the group these overrides, with all that follows from it.
Transition change_overrides(const State& state, const ParameterGroupView& group,
                            ParameterValues overrides, Instant now) {
  Transition transition;
  EventWriter events(state, now);
  bool needs_reboot = false;
  bool changed = false;
  for (const Parameter& parameter : group.family->parameters) {
    const std::optional<std::string_view> before = group.value(parameter);
    const std::optional<std::string_view> after = value_in(overrides, parameter);
    if (before == after) {
      continue;
    }
    changed = true;
    const bool reboot = parameter.change == Parameter::Change::kRequiresReboot;
    needs_reboot = needs_reboot || reboot;
    events.add(kSourceParameterGroup, group.name,
               fmt::format("Updated parameter {} to {} with apply method {}", parameter.name,
                           after.value_or(""), reboot ? "pending-reboot" : "immediate"));
  }
  if (!changed && overrides == group.custom->overrides) {
    return transition;
  }
  ParameterGroup changed_group = *group.custom;
  changed_group.overrides = std::move(overrides);
  transition.put(std::move(changed_group));
  mark_nodes(state, group.custom->name, needs_reboot, transition);
  events.finish(transition);
  return transition;
}

const ParameterValues& no_overrides() {
  static const ParameterValues kNone;
  return kNone;
}

}  // namespace

std::string ParameterGroupView::description() const {
  if (custom != nullptr) {
    return custom->description;
  }
  return cluster_on ? fmt::format("Customized default parameter group for {} with cluster mode on",
                                  family->name)
                    : fmt::format("Default parameter group for {}", family->name);
}

const ParameterValues& ParameterGroupView::overrides() const {
  return custom != nullptr ? custom->overrides : no_overrides();
}

std::optional<std::string_view> ParameterGroupView::value(const Parameter& parameter) const {
  return custom != nullptr ? value_in(custom->overrides, parameter)
                           : default_value(parameter, cluster_on);
}

bool ParameterGroupView::cluster_enabled() const {
  const Parameter* parameter = find_parameter(*family, "cluster-enabled");
  return parameter != nullptr && value(*parameter) == "yes";
}

std::optional<ParameterGroupView> find_parameter_group(const State& state, std::string_view name) {
  ParameterGroupView view;
  view.name = to_lower(name);
  if (const auto found = find_default_parameter_group(view.name)) {
    view.family = found->family;
    view.cluster_on = found->cluster_on;
    return view;
  }
  view.custom = state.find<ParameterGroup>(ParameterGroupName(view.name));
  if (view.custom == nullptr) {
    return std::nullopt;
  }
  view.family = find_family(view.custom->family);
  return view.family == nullptr ? std::nullopt : std::optional(std::move(view));
}

std::vector<ParameterGroupView> list_parameter_groups(const State& state) {
  std::vector<ParameterGroupView> groups;
  for (const ParameterFamily& family : parameter_families()) {
    groups.push_back({default_parameter_group_name(family, false), &family, false, nullptr});
    if (family.has_cluster_on) {
      groups.push_back({default_parameter_group_name(family, true), &family, true, nullptr});
    }
  }
  for (const auto& [name, group] : state.all<ParameterGroup>()) {
    if (auto view = find_parameter_group(state, name.str())) {
      groups.push_back(std::move(*view));
    }
  }
  std::sort(groups.begin(), groups.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return groups;
}

Admitted<Transition> admit(const State& state, const CreateParameterGroup& command,
                           AdmissionContext) {
  const Admitted<ParameterGroupName> name = parse_parameter_group_name(command.name);
  if (!name) {
    return tl::unexpected(name.error());
  }
  const ParameterFamily* family = find_family(command.family);
  if (family == nullptr) {
    return tl::unexpected(invalid_value(fmt::format(
        "CacheParameterGroupFamily {} is not a valid parameter group family", command.family)));
  }
  if (state.find<ParameterGroup>(*name) != nullptr) {
    return refuse("CacheParameterGroupAlreadyExists",
                  fmt::format("Parameter group {} already exists", name->str()));
  }
  if (state.all<ParameterGroup>().size() >= kMaxParameterGroups) {
    return refuse("CacheParameterGroupQuotaExceeded",
                  fmt::format("You have already reached your quota of {} parameter groups in this "
                              "region.",
                              kMaxParameterGroups));
  }
  ParameterGroup group;
  group.name = *name;
  group.family = std::string(family->name);
  group.description = command.description;
  group.tags = command.tags;
  Transition transition;
  transition.put(std::move(group));
  return transition;
}

Admitted<Transition> admit(const State& state, const ModifyParameterGroup& command,
                           AdmissionContext context) {
  const Admitted<ParameterGroupView> group = changeable_group(state, command.name);
  if (!group) {
    return tl::unexpected(group.error());
  }
  if (std::optional<Fault> fault = wrong_count(command.values.size())) {
    return tl::unexpected(std::move(*fault));
  }
  const bool in_use = is_in_use(state, group->custom->name);
  ParameterValues overrides = group->overrides();
  for (const auto& [name, value] : command.values) {
    const Admitted<const Parameter*> parameter = changeable_parameter(*group, name, in_use);
    if (!parameter) {
      return tl::unexpected(parameter.error());
    }
    if (!is_allowed_value(**parameter, value)) {
      return tl::unexpected(
          invalid_value(fmt::format("Invalid parameter value: {} for: {} allowed values are: {}",
                                    value, name, (*parameter)->allowed_values)));
    }
    overrides.insert_or_assign(name, value);
  }
  return change_overrides(state, *group, std::move(overrides), context.now);
}

Admitted<Transition> admit(const State& state, const ResetParameterGroup& command,
                           AdmissionContext context) {
  const Admitted<ParameterGroupView> group = changeable_group(state, command.name);
  if (!group) {
    return tl::unexpected(group.error());
  }
  if (command.all && !command.parameters.empty()) {
    return refuse("InvalidParameterCombination",
                  "ResetAllParameters and ParameterNameValues cannot be given together.");
  }
  const bool in_use = is_in_use(state, group->custom->name);
  std::vector<std::string> names = command.parameters;
  if (command.all) {
    for (const auto& [name, value] : group->overrides()) {
      names.push_back(name);
    }
  } else if (std::optional<Fault> fault = wrong_count(names.size())) {
    return tl::unexpected(std::move(*fault));
  }
  ParameterValues overrides = group->overrides();
  for (const std::string& name : names) {
    const Admitted<const Parameter*> parameter = changeable_parameter(*group, name, in_use);
    if (!parameter) {
      return tl::unexpected(parameter.error());
    }
    overrides.erase(name);
  }
  return change_overrides(state, *group, std::move(overrides), context.now);
}

Admitted<Transition> admit(const State& state, const DeleteParameterGroup& command,
                           AdmissionContext) {
  const Admitted<ParameterGroupName> name = parse_parameter_group_name(command.name);
  if (!name) {
    return tl::unexpected(name.error());
  }
  if (state.find<ParameterGroup>(*name) == nullptr) {
    // AWS's own spelling for this action; Terraform's tests look for it.
    return refuse("CacheParameterGroupNotFound",
                  fmt::format("CacheParameterGroupnot found: {}", name->str()));
  }
  if (is_in_use(state, *name)) {
    return refuse("InvalidCacheParameterGroupState",
                  fmt::format("One or more cache clusters are still members of this parameter "
                              "group {}, so the group cannot be deleted.",
                              name->str()));
  }
  Transition transition;
  transition.remove<ParameterGroup>(*name);
  return transition;
}

}  // namespace hikae::core
