#include "core/reconcile/directive_table.h"

#include <string_view>
#include <utility>

#include "core/catalog/catalog.h"

namespace hikae::core {
namespace {

constexpr std::size_t kMostKnown = 1024;

}  // namespace

SharedMap DirectiveTable::of(const State& state, const CacheCluster& cluster) {
  const CacheSettings settings = effective_settings(cluster);
  Source source;
  std::string_view family_name;
  if (const auto* group = state.find<ParameterGroup>(settings.parameter_group)) {
    family_name = group->family;
    source.overrides = group->overrides;
  } else if (const auto* version = find_engine_version(settings.engine, settings.engine_version)) {
    family_name = version->family;
  }
  source.family = find_family(family_name);
  source.node_type = find_node_type(settings.node_type);
  source.engine_version = settings.engine_version;
  if (source.family == nullptr || source.node_type == nullptr) {
    return {};
  }
  if (const auto known = known_.find(source); known != known_.end()) {
    return known->second;
  }
  if (known_.size() >= kMostKnown) {
    known_.clear();  // parameter groups change; what is in use is made again
  }
  SharedMap made =
      engine_directives(*source.family, *source.node_type, source.engine_version, source.overrides);
  return known_.emplace(std::move(source), std::move(made)).first->second;
}

}  // namespace hikae::core
