#include "core/admission/cache_settings.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "core/admission/subnet_group.h"
#include "core/admission/windows.h"
#include "core/catalog/catalog.h"

namespace hikae::core {
namespace {

constexpr int kDefaultPort = 6379;
constexpr int kMaxRetentionDays = 35;

using Checked = Admitted<std::monostate>;

Admitted<const EngineVersion*> resolve_version(const std::string& engine,
                                               const std::string& requested) {
  if (const auto* version = find_engine_version(engine, requested)) {
    return version;
  }
  // From Redis 6 on clients choose `major.minor`; the patch version is AWS's.
  const auto parts = split(requested, '.');
  if (parts.size() == 3) {
    const std::string minor = parts[0] + "." + parts[1];
    const bool by_minor = compare_versions(minor, "6.0") >= 0;
    if (by_minor && find_engine_version(engine, minor) != nullptr) {
      return refuse("InvalidParameterValue",
                    fmt::format("Specific version selection is not allowed for '{}', please use "
                                "'{}'",
                                requested, minor));
    }
  }
  return refuse("InvalidParameterCombination",
                fmt::format("Cannot find version {} for {}", requested, engine));
}

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
  const auto* type = find_node_type(*request.node_type);
  if (type == nullptr) {
    return refuse("InvalidParameterValue",
                  fmt::format("Invalid cache node type: {}.", *request.node_type));
  }
  const auto least = out.engine == "valkey" ? type->min_valkey : type->min_redis;
  if (least.empty() || compare_versions(out.engine_version, least) < 0) {
    return refuse("InvalidParameterCombination",
                  fmt::format("The cache node type {} is not supported for {} {}.", type->name,
                              out.engine, out.engine_version));
  }
  out.node_type = type->name;
  return {};
}

Checked resolve_parameter_group(const State& state, const CacheSettingsRequest& request,
                                CacheSettings& out) {
  const auto* version = find_engine_version(out.engine, out.engine_version);
  const std::string wanted(version->family);
  const std::string name = to_lower(request.parameter_group.value_or("default." + wanted));
  out.parameter_group = ParameterGroupName(name);
  std::string family;
  if (const auto* group = state.find<ParameterGroup>(out.parameter_group)) {
    family = group->family;
  } else if (name.starts_with("default.")) {
    family = name.substr(std::string_view("default.").size());
  }
  constexpr std::string_view kClusterOn = ".cluster.on";
  if (name.starts_with("default.") && family.ends_with(kClusterOn)) {
    return refuse("InvalidParameterCombination",
                  "Cluster mode should be disabled in parameter group, but found it is enabled. "
                  "Hikae does not build sharded groups yet.");
  }
  if (find_family(family) == nullptr) {
    return refuse("CacheParameterGroupNotFound",
                  fmt::format("CacheParameterGroup {} not found.", name));
  }
  if (family != wanted) {
    return refuse("InvalidParameterCombination",
                  fmt::format("Expected a parameter group of family {} but found one of family {}",
                              wanted, family));
  }
  return {};
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
  for (const std::string& id : request.security_groups.value_or(std::vector<std::string>())) {
    const auto* found = state.find<SecurityGroup>(SecurityGroupId(id));
    if (found == nullptr || found->vpc != group->vpc) {
      return refuse("InvalidParameterValue",
                    fmt::format("Some security group ids are invalid or not in VPC {}: [{}]",
                                group->vpc.str(), id));
    }
    out.security_groups.push_back(found->id);
  }
  for (const auto& [id, candidate] : state.all<SecurityGroup>()) {
    if (out.security_groups.empty() && candidate.vpc == group->vpc && candidate.name == "default") {
      out.security_groups.push_back(id);
    }
  }
  return {};
}

Checked resolve_windows(const CacheSettingsRequest& request, Random& random, CacheSettings& out) {
  const int days = request.snapshot_retention_days.value_or(0);
  if (days < 0 || days > kMaxRetentionDays) {
    return refuse("InvalidParameterValue",
                  fmt::format("Invalid snapshot retention limit: {}. It must be from 0 to {}.",
                              days, kMaxRetentionDays));
  }
  if (days > 0) {
    return refuse("InvalidParameterCombination",
                  "Hikae does not take automatic snapshots yet: SnapshotRetentionLimit must be 0.");
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
    return refuse("InvalidParameterValue",
                  fmt::format("Invalid maintenance window format: {}. Use ddd:hh24:mi-ddd:hh24:mi, "
                              "at least 60 minutes.",
                              *request.maintenance_window));
  }
  const auto snapshot = request.snapshot_window ? parse_snapshot_window(*request.snapshot_window)
                                                : random_snapshot_window(random, *maintenance);
  if (!snapshot) {
    return refuse(
        "InvalidParameterValue",
        fmt::format("Invalid snapshot window format: {}. Use hh24:mi-hh24:mi, at least 60 "
                    "minutes.",
                    *request.snapshot_window));
  }
  if (windows_overlap(*maintenance, *snapshot)) {
    return refuse("InvalidParameterCombination",
                  "The snapshot window and the maintenance window must not overlap.");
  }
  out.maintenance_window = *maintenance;
  out.snapshot_window = *snapshot;
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
