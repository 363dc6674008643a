#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/admission/admission.h"
#include "core/catalog/catalog.h"
#include "core/resource/cache_cluster.h"

namespace hikae::core {

// What the settings of caches have to keep to, when they are made and when they are modified.

using Checked = Admitted<std::monostate>;

// The version that a request means, or AWS's refusal.
Admitted<const EngineVersion*> resolve_version(const std::string& engine,
                                               const std::string& requested);

// The node type exists and is offered for the engine and its version.
Checked check_node_type(const CacheSettings& settings);

// The parameter group exists, is of the family of the engine and version, and of no sharded group.
Checked check_parameter_group(const State& state, const CacheSettings& settings);

// All exist and are of the VPC.
Admitted<std::vector<SecurityGroupId>> check_security_groups(const State& state, const VpcId& vpc,
                                                             const std::vector<std::string>& ids);

std::optional<Fault> invalid_retention(int days);
Fault invalid_maintenance_window(const std::string& text);
Fault invalid_snapshot_window(const std::string& text);
Fault overlapping_windows();

}  // namespace hikae::core
