#include "core/admission/settings_rules.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "core/admission/identifiers.h"
#include "core/admission/parameter_group.h"

namespace hikae::core {
namespace {

constexpr int kMaxRetentionDays = 35;

}  // namespace

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

Checked check_node_type(const CacheSettings& settings) {
  const auto* type = find_node_type(settings.node_type);
  if (type == nullptr) {
    return refuse("InvalidParameterValue",
                  fmt::format("Invalid cache node type: {}.", settings.node_type));
  }
  const auto least = min_version(*type, settings.engine);
  if (least.empty() || compare_versions(settings.engine_version, least) < 0) {
    return refuse("InvalidParameterCombination",
                  fmt::format("The cache node type {} is not supported for {} {}.", type->name,
                              settings.engine, settings.engine_version));
  }
  return {};
}

Checked check_parameter_group(const State& state, const CacheSettings& settings) {
  const auto* version = find_engine_version(settings.engine, settings.engine_version);
  const auto group = find_parameter_group(state, settings.parameter_group.str());
  if (!group) {
    return tl::unexpected(parameter_group_not_found(settings.parameter_group.str()));
  }
  if (group->family->engine != settings.engine) {
    return refuse("InvalidParameterCombination",
                  fmt::format("{} parameter group is not applicable to engine {}",
                              group->family->engine, settings.engine));
  }
  if (group->family->name != version->family) {
    return refuse("InvalidParameterCombination",
                  fmt::format("Expected a parameter group of family {} but found one of family {}",
                              version->family, group->family->name));
  }
  if (group->cluster_enabled()) {
    return refuse("InvalidParameterCombination",
                  "Cluster mode should be disabled in parameter group, but found it is enabled. "
                  "Hikae does not build sharded groups yet.");
  }
  return {};
}

Admitted<std::vector<SecurityGroupId>> check_security_groups(const State& state, const VpcId& vpc,
                                                             const std::vector<std::string>& ids) {
  std::vector<SecurityGroupId> out;
  for (const std::string& id : ids) {
    const auto* found = state.find<SecurityGroup>(SecurityGroupId(id));
    if (found == nullptr || found->vpc != vpc) {
      return refuse(
          "InvalidParameterValue",
          fmt::format("Some security group ids are invalid or not in VPC {}: [{}]", vpc.str(), id));
    }
    out.push_back(found->id);
  }
  return out;
}

std::optional<Fault> invalid_retention(int days) {
  if (days >= 0 && days <= kMaxRetentionDays) {
    return std::nullopt;
  }
  return Fault{"InvalidParameterValue",
               fmt::format("Invalid snapshot retention limit: {}. It must be from 0 to {}.", days,
                           kMaxRetentionDays)};
}

Fault invalid_maintenance_window(const std::string& text) {
  return Fault{"InvalidParameterValue",
               fmt::format("Invalid maintenance window format: {}. Use ddd:hh24:mi-ddd:hh24:mi, at "
                           "least 60 minutes.",
                           text)};
}

Fault invalid_snapshot_window(const std::string& text) {
  return Fault{
      "InvalidParameterValue",
      fmt::format("Invalid snapshot window format: {}. Use hh24:mi-hh24:mi, at least 60 minutes.",
                  text)};
}

Fault overlapping_windows() {
  return Fault{"InvalidParameterCombination",
               "The snapshot window and the maintenance window must not overlap."};
}

}  // namespace hikae::core
