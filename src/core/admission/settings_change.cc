#include "core/admission/settings_change.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "core/admission/parameter_group.h"
#include "core/admission/windows.h"
#include "core/catalog/catalog.h"

namespace hikae::core {
namespace {

Checked change_windows(const SettingsChange& change, CacheSettings& settings) {
  if (change.maintenance_window) {
    const auto parsed = parse_maintenance_window(*change.maintenance_window);
    if (!parsed) {
      return tl::unexpected(invalid_maintenance_window(*change.maintenance_window));
    }
    settings.maintenance_window = *parsed;
  }
  if (change.snapshot_window) {
    const auto parsed = parse_snapshot_window(*change.snapshot_window);
    if (!parsed) {
      return tl::unexpected(invalid_snapshot_window(*change.snapshot_window));
    }
    settings.snapshot_window = *parsed;
  }
  if (windows_overlap(settings.maintenance_window, settings.snapshot_window)) {
    return tl::unexpected(overlapping_windows());
  }
  return {};
}

// An empty list asks for nothing: a cache in a VPC always has a group.
Checked change_security_groups(const State& state, const SettingsChange& change,
                               CacheSettings& settings) {
  if (change.cache_security_groups && !change.cache_security_groups->empty()) {
    return refuse("InvalidParameterCombination",
                  "Use of cache security groups is not permitted in this API version for your "
                  "account.");
  }
  const auto* subnets = state.find<SubnetGroup>(settings.subnet_group);
  if (!change.security_groups || change.security_groups->empty() || subnets == nullptr) {
    return {};
  }
  const auto groups = check_security_groups(state, subnets->vpc, *change.security_groups);
  if (!groups) {
    return tl::unexpected(groups.error());
  }
  settings.security_groups = *groups;
  return {};
}

Checked change_notification(const SettingsChange& change, CacheSettings& settings) {
  if (change.notification_topic_status && *change.notification_topic_status != "active" &&
      *change.notification_topic_status != "inactive") {
    return refuse("InvalidParameterValue",
                  fmt::format("Invalid notification topic status: {}. Valid values are active and "
                              "inactive.",
                              *change.notification_topic_status));
  }
  settings.notification_topic_arn =
      change.notification_topic_arn.value_or(settings.notification_topic_arn);
  settings.notification_topic_status =
      change.notification_topic_status.value_or(settings.notification_topic_status);
  return {};
}

bool may_follow(const CacheSettings& from, const EngineVersion& to) {
  if (from.engine == to.engine) {
    return compare_versions(to.version, from.engine_version) >= 0;
  }
  const bool to_valkey = from.engine == "redis" && to.engine == "valkey";
  // The one way back that AWS has.
  const bool roll_back = from.engine == "valkey" && from.engine_version == "7.2" &&
                         to.engine == "redis" && to.version == "7.1";
  return to_valkey || roll_back;
}

// `running`: what runs now; a change that only waits may be taken back.
Checked change_engine(const SettingsChange& change, const CacheSettings& running,
                      CacheSettings& out) {
  if (change.engine) {
    const std::string engine = to_lower(*change.engine);
    if (engine != "redis" && engine != "valkey") {
      return refuse("InvalidParameterValue",
                    fmt::format("Invalid cache engine name: {}. Valid values are redis and valkey.",
                                *change.engine));
    }
    if (engine != out.engine) {
      out.engine = engine;
      out.engine_version = engine == running.engine ? running.engine_version : "";
    }
  }
  if (change.engine_version && !change.engine_version->empty()) {
    out.engine_version = *change.engine_version;
  }
  const auto version = resolve_version(out.engine, out.engine_version);
  if (!version) {
    return tl::unexpected(version.error());
  }
  if (!may_follow(running, **version)) {
    return refuse("InvalidParameterCombination",
                  fmt::format("Downgrading from {} {} to {} {} is not supported.", running.engine,
                              running.engine_version, out.engine, (*version)->version));
  }
  out.engine_version = (*version)->version;
  return {};
}

// `databases` and its like may be set only while no cluster uses the group, so a cluster may only
// go to a group with the same values (AWS User Guide, "Parameter management").
Checked compare_fixed_parameters(const State& state, const ParameterGroupName& from,
                                 const ParameterGroupName& to) {
  const auto before = find_parameter_group(state, from.str());
  const auto after = find_parameter_group(state, to.str());
  if (!before || !after) {
    return {};
  }
  for (const Parameter& parameter : after->family->parameters) {
    const auto* old = find_parameter(*before->family, parameter.name);
    const bool fixed = parameter.modifiable_when_unattached && !parameter.modifiable;
    if (fixed && old != nullptr && before->value(*old) != after->value(parameter)) {
      return refuse("InvalidParameterCombination",
                    fmt::format("The parameter {} must have the same value in the cache parameter "
                                "groups {} and {}.",
                                parameter.name, before->name, after->name));
    }
  }
  return {};
}

Checked change_parameter_group(const State& state, const SettingsChange& change,
                               const CacheSettings& running, CacheSettings& out) {
  if (change.parameter_group) {
    out.parameter_group = ParameterGroupName(to_lower(*change.parameter_group));
  } else if (const auto old = find_default_parameter_group(out.parameter_group.str())) {
    const auto* version = find_engine_version(out.engine, out.engine_version);
    out.parameter_group = ParameterGroupName(
        default_parameter_group_name(*find_family(version->family), old->cluster_on));
  }
  const auto checked = check_parameter_group(state, out);
  return checked ? compare_fixed_parameters(state, running.parameter_group, out.parameter_group)
                 : checked;
}

}  // namespace

bool SettingsChange::asks_for_nothing() const {
  return !changes_nodes() && !security_groups && !cache_security_groups && !maintenance_window &&
         !snapshot_window && !snapshot_retention_days && !notification_topic_arn &&
         !notification_topic_status && !auto_minor_version_upgrade;
}

Checked change_at_once(const State& state, const SettingsChange& change, CacheSettings& settings) {
  Checked checked = change_windows(change, settings);
  if (checked) {
    checked = change_security_groups(state, change, settings);
  }
  if (checked) {
    checked = change_notification(change, settings);
  }
  if (checked && change.snapshot_retention_days) {
    if (auto fault = invalid_retention(*change.snapshot_retention_days)) {
      return tl::unexpected(*fault);
    }
    settings.snapshot_retention_days = *change.snapshot_retention_days;
  }
  settings.auto_minor_version_upgrade =
      change.auto_minor_version_upgrade.value_or(settings.auto_minor_version_upgrade);
  return checked;
}

Admitted<NodeChanges> change_nodes(const State& state, const SettingsChange& change,
                                   const CacheSettings& settings, const NodeChanges& pending) {
  CacheSettings out = with(settings, pending);
  if (!change.changes_nodes()) {
    return pending;
  }
  Checked checked = change_engine(change, settings, out);
  if (checked) {
    out.node_type = change.node_type.value_or(out.node_type);
    checked = check_node_type(out);
  }
  if (checked) {
    checked = change_parameter_group(state, change, settings, out);
  }
  if (checked) {
    checked = change_encryption(change.encryption, settings, out);
  }
  if (checked && change.token) {
    checked = change_tokens(*change.token, out.access);
  }
  if (!checked) {
    return tl::unexpected(checked.error());
  }
  return changes_between(settings, out);
}

}  // namespace hikae::core
