#include "api/handlers/elasticache/parameter_shapes.h"

namespace hikae::api::elasticache {
namespace {

std::string change_type(core::Parameter::Change change) {
  return change == core::Parameter::Change::kImmediate ? "immediate" : "requires-reboot";
}

Parameter to_shape(const core::ParameterGroupView& group, const core::Parameter& parameter,
                   std::string_view source) {
  Parameter shape;
  shape.parameter_name = std::string(parameter.name);
  if (const auto value = group.value(parameter)) {
    shape.parameter_value = std::string(*value);
  }
  shape.source = std::string(source);
  shape.data_type = std::string(parameter.data_type);
  if (!parameter.allowed_values.empty()) {
    shape.allowed_values = std::string(parameter.allowed_values);
  }
  shape.is_modifiable = parameter.modifiable;
  shape.minimum_engine_version = std::string(parameter.min_engine_version);
  shape.change_type = change_type(parameter.change);
  return shape;
}

std::string_view newest_version(const core::ParameterFamily& family) {
  std::string_view newest;
  for (const core::EngineVersion& version : core::engine_versions()) {
    if (version.family == family.name && core::compare_versions(version.version, newest) > 0) {
      newest = version.version;
    }
  }
  return newest;
}

}  // namespace

std::vector<Parameter> parameters_of(const core::ParameterGroupView& group, std::string_view source,
                                     Pager& pager) {
  std::vector<Parameter> page;
  std::uint64_t position = 0;
  for (const core::Parameter& parameter : group.family->parameters) {
    ++position;
    const bool changed = group.overrides().contains(std::string(parameter.name));
    const std::string_view its_source = changed ? kSourceUser : kSourceSystem;
    if ((source.empty() || source == its_source) && pager.take(pager_key(position))) {
      page.push_back(to_shape(group, parameter, its_source));
    }
  }
  return page;
}

std::vector<CacheNodeTypeSpecificParameter> node_type_parameters_of(
    const core::ParameterFamily& family) {
  const std::string_view newest = newest_version(family);
  std::vector<CacheNodeTypeSpecificParameter> shapes;
  for (const core::NodeTypeParameter& parameter : family.node_type_parameters) {
    CacheNodeTypeSpecificParameter& shape = shapes.emplace_back();
    shape.parameter_name = std::string(parameter.name);
    shape.source = std::string(kSourceSystem);
    shape.data_type = std::string(parameter.data_type);
    shape.allowed_values = std::string(parameter.allowed_values);
    shape.is_modifiable = parameter.modifiable;
    shape.minimum_engine_version = std::string(parameter.min_engine_version);
    shape.change_type = change_type(parameter.change);
    auto& values = shape.cache_node_type_specific_values.emplace();
    for (const core::NodeType& node_type : core::node_types()) {
      const std::string_view least = core::min_version(node_type, family.engine);
      if (!least.empty() && core::compare_versions(least, newest) <= 0) {
        CacheNodeTypeSpecificValue& value = values.emplace_back();
        value.cache_node_type = std::string(node_type.name);
        value.value = std::to_string(core::value_of(parameter, node_type));
      }
    }
  }
  return shapes;
}

}  // namespace hikae::api::elasticache
