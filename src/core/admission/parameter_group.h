#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/admission/admission.h"
#include "core/catalog/catalog.h"
#include "core/catalog/directives.h"
#include "core/resource/cache_groups.h"

namespace hikae::core {

inline constexpr std::size_t kMaxParameterGroups = 300;  // customers' ones, per region
inline constexpr std::size_t kMaxParametersPerCall = 20;

// A parameter group of either kind: one of the defaults of the catalog, or a customer's. Points
// into the state and the catalog.
struct ParameterGroupView {
  std::string name;
  const ParameterFamily* family = nullptr;
  bool cluster_on = false;                 // of the defaults
  const ParameterGroup* custom = nullptr;  // nullptr for a default group

  std::string description() const;
  const ParameterValues& overrides() const;
  // nullopt: the parameter has no value (notify-keyspace-events when it was never set).
  std::optional<std::string_view> value(const Parameter& parameter) const;
  bool cluster_enabled() const;
};

// nullopt when there is no such group; `name` in any case of letters.
std::optional<ParameterGroupView> find_parameter_group(const State& state, std::string_view name);
// All groups, sorted by name.
std::vector<ParameterGroupView> list_parameter_groups(const State& state);

struct CreateParameterGroup {
  std::string name;
  std::string family;
  std::string description;
  Tags tags;  // checked, see tags.h
};
Admitted<Transition> admit(const State& state, const CreateParameterGroup& command,
                           AdmissionContext context);

struct ModifyParameterGroup {
  std::string name;
  std::vector<std::pair<std::string, std::string>> values;  // 1 to 20
};
// Running nodes see changes of immediate parameters through their assignments. A change of a
// requires-reboot parameter marks the nodes of every cluster of the group `pending-reboot`.
Admitted<Transition> admit(const State& state, const ModifyParameterGroup& command,
                           AdmissionContext context);

struct ResetParameterGroup {
  std::string name;
  bool all = false;
  std::vector<std::string> parameters;  // 1 to 20 unless `all`
};
Admitted<Transition> admit(const State& state, const ResetParameterGroup& command,
                           AdmissionContext context);

struct DeleteParameterGroup {
  std::string name;
};
Admitted<Transition> admit(const State& state, const DeleteParameterGroup& command,
                           AdmissionContext context);

}  // namespace hikae::core
