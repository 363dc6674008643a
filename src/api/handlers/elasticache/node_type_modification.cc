#include <algorithm>

#include "api/generated/elasticache_handlers.h"
#include "api/handlers/elasticache/common.h"
#include "core/catalog/catalog.h"

namespace hikae::api::elasticache::handlers {
namespace {

struct Subject {
  core::CacheSettings settings;
  bool failover = false;
};

ApiResult<Subject> subject_of(const core::State& state,
                              const ListAllowedNodeTypeModificationsMessage& input) {
  if (input.cache_cluster_id.has_value() == input.replication_group_id.has_value()) {
    return api::refuse("InvalidParameterCombination",
                       "Exactly one of CacheClusterId and ReplicationGroupId must be given.");
  }
  if (input.replication_group_id) {
    const auto id = core::lookup_id<core::ReplicationGroupId>(*input.replication_group_id);
    const auto* group = state.find<core::ReplicationGroup>(id);
    if (group == nullptr) {
      return refused(core::replication_group_not_found(id.str()));
    }
    return Subject{group->settings, group->automatic_failover != "disabled"};
  }
  const auto id = core::lookup_id<core::CacheClusterId>(*input.cache_cluster_id);
  const auto* cluster = state.find<core::CacheCluster>(id);
  if (cluster == nullptr) {
    return refused(core::cache_cluster_not_found(id.str()));
  }
  const auto* group = state.find<core::ReplicationGroup>(cluster->replication_group);
  return Subject{cluster->settings, group != nullptr && group->automatic_failover != "disabled"};
}

}  // namespace

AsyncResult<AllowedNodeTypeModificationsMessage> list_allowed_node_type_modifications(
    HandlerContext& context, ListAllowedNodeTypeModificationsMessage input) {
  const auto subject = subject_of(context.frontend().state(), input);
  if (!subject) {
    co_return tl::unexpected(subject.error());
  }
  const core::CacheSettings& settings = subject->settings;
  AllowedNodeTypeModificationsMessage answer;
  auto& up = answer.scale_up_modifications.emplace();
  auto& down = answer.scale_down_modifications.emplace();
  const core::NodeType* current = core::find_node_type(settings.node_type);
  if (current == nullptr || settings.engine == "memcached") {
    co_return answer;
  }
  for (const core::NodeType& node_type : core::node_types()) {
    const std::string_view least = core::min_version(node_type, settings.engine);
    const bool offered =
        !least.empty() && core::compare_versions(least, settings.engine_version) <= 0;
    if (!offered || &node_type == current || (subject->failover && !node_type.multi_az_allowed)) {
      continue;
    }
    // A type of the same size, of another generation, is a way up too.
    auto& list = node_type.memory_bytes >= current->memory_bytes ? up : down;
    list.emplace_back(node_type.name);
  }
  std::sort(up.begin(), up.end());
  std::sort(down.begin(), down.end());
  co_return answer;
}

}  // namespace hikae::api::elasticache::handlers
