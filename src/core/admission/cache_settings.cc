#include "core/admission/cache_settings.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "core/admission/settings_rules.h"
#include "core/admission/subnet_group.h"
#include "core/admission/windows.h"
#include "core/catalog/catalog.h"

namespace hikae::core {
namespace {

constexpr int kDefaultPort = 6379;

Checked resolve_engine(const CacheSettingsRequest& request, CacheSettings& out) {
  out.engine = to_lower(request.engine.value_or("redis"));
  if (out.engine != "redis" && out.engine != "valkey") {
    return refuse("InvalidParameterValue",
                  fmt::format("Invalid cache engine name: {}. Valid values are redis and valkey.",
                              out.engine));
  }
  const auto version = resolve_version(out.engine, request.engine_version.value_or(""));
  if (!version) {
    return tl::unexpected(version.error());
  }
  out.engine_version = (*version)->version;
  return {};
}

Checked resolve_node_type(const CacheSettingsRequest& request, CacheSettings& out) {
  if (!request.node_type) {
    return refuse("InvalidParameterValue", "The parameter CacheNodeType must be provided.");
  }
  out.node_type = *request.node_type;
  return check_node_type(out);
}

Checked resolve_parameter_group(const State& state, const CacheSettingsRequest& request,
                                CacheSettings& out) {
  const auto* version = find_engine_version(out.engine, out.engine_version);
  const std::string standard = default_parameter_group_name(*find_family(version->family), false);
  out.parameter_group = ParameterGroupName(to_lower(request.parameter_group.value_or(standard)));
  return check_parameter_group(state, out);
}

Checked resolve_network(const State& state, const CacheSettingsRequest& request,
                        Transition& transition, CacheSettings& out) {
  if (request.cache_security_groups && !request.cache_security_groups->empty()) {
    return refuse("InvalidParameterCombination",
                  "Use of cache security groups is not permitted in this API version for your "
                  "account.");
  }
  out.subnet_group = SubnetGroupName(to_lower(request.subnet_group.value_or("default")));
  if (out.subnet_group.str() == "default") {
    if (!ensure_default_subnet_group(state, transition)) {
      return refuse("InvalidVPCNetworkStateFault",
                    "There is no default VPC with subnets. Name a cache subnet group.");
    }
  }
  const auto* group = find_after<SubnetGroup>(state, transition, out.subnet_group);
  if (group == nullptr) {
    return refuse("CacheSubnetGroupNotFoundFault",
                  fmt::format("Cache subnet group {} not found.", out.subnet_group.str()));
  }
  const auto named = check_security_groups(
      state, group->vpc, request.security_groups.value_or(std::vector<std::string>()));
  if (!named) {
    return tl::unexpected(named.error());
  }
  out.security_groups = *named;
  for (const auto& [id, candidate] : state.all<SecurityGroup>()) {
    if (out.security_groups.empty() && candidate.vpc == group->vpc && candidate.name == "default") {
      out.security_groups.push_back(id);
    }
  }
  return {};
}

Checked resolve_windows(const CacheSettingsRequest& request, Random& random, CacheSettings& out) {
  const int days = request.snapshot_retention_days.value_or(0);
  if (auto fault = invalid_retention(days)) {
    return tl::unexpected(*fault);
  }
  if (days > 0 && out.node_type == "cache.t1.micro") {
    return refuse("InvalidParameterCombination",
                  "Snapshots are not supported for cache.t1.micro nodes.");
  }
  const std::string asked_snapshot = request.snapshot_window.value_or("");
  std::optional<std::string> maintenance;
  if (request.maintenance_window) {
    maintenance = parse_maintenance_window(*request.maintenance_window);
  } else {
    do {
      maintenance = random_maintenance_window(random);
    } while (windows_overlap(*maintenance, asked_snapshot));
  }
  if (!maintenance) {
    return tl::unexpected(invalid_maintenance_window(*request.maintenance_window));
  }
  const auto snapshot = request.snapshot_window ? parse_snapshot_window(*request.snapshot_window)
                                                : random_snapshot_window(random, *maintenance);
  if (!snapshot) {
    return tl::unexpected(invalid_snapshot_window(*request.snapshot_window));
  }
  if (windows_overlap(*maintenance, *snapshot)) {
    return tl::unexpected(overlapping_windows());
  }
  out.maintenance_window = *maintenance;
  out.snapshot_window = *snapshot;
  out.snapshot_retention_days = days;
  return {};
}

Checked resolve_port(const CacheSettingsRequest& request, CacheSettings& out) {
  const int port = request.port.value_or(kDefaultPort);
  if (port < 1 || port > 65535) {
    return refuse("InvalidParameterValue", fmt::format("Invalid port: {}.", port));
  }
  out.port = std::uint16_t(port);
  return {};
}

}  // namespace

Admitted<CacheSettings> resolve_cache_settings(const State& state,
                                               const CacheSettingsRequest& request,
                                               const AdmissionContext& context,
                                               Transition& transition) {
  CacheSettings out;
  Checked checked = resolve_engine(request, out);
  if (checked) {
    checked = resolve_node_type(request, out);
  }
  if (checked) {
    checked = resolve_port(request, out);
  }
  if (checked) {
    checked = resolve_parameter_group(state, request, out);
  }
  if (checked) {
    checked = resolve_network(state, request, transition, out);
  }
  if (checked) {
    checked = resolve_windows(request, context.random, out);
  }
  if (!checked) {
    return tl::unexpected(checked.error());
  }
  out.notification_topic_arn = request.notification_topic_arn.value_or("");
  out.auto_minor_version_upgrade = request.auto_minor_version_upgrade.value_or(true);
  return out;
}

}  // namespace hikae::core
