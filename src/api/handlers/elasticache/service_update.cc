#include "core/admission/service_update.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "api/generated/elasticache_handlers.h"
#include "api/handlers/elasticache/common.h"
#include "base/strings.h"
#include "core/state/updates.h"

namespace hikae::api::elasticache::handlers {
namespace {

// Every update is one of a distribution's packages; how urgent it is stands in its changelog. AWS
// recommends to apply `important` ones within 30 days.
constexpr const char* kSeverity = "important";
constexpr const char* kType = "security-update";  // the only one there is
constexpr const char* kTimePerNode = "1 minute per node";
constexpr Duration kRecommendedWithin = std::chrono::hours(24 * 30);

using Names = std::optional<std::vector<std::string>>;

Instant recommended_by(const core::ServiceUpdate& update) {
  return update.released_at + kRecommendedWithin;
}

// An empty list asks for everything.
bool is_among(const Names& names, const std::string& name) {
  return !names || names->empty() || std::find(names->begin(), names->end(), name) != names->end();
}

bool is_among_ids(const Names& ids, const std::string& id) {
  return std::any_of(ids->begin(), ids->end(),
                     [&](const std::string& text) { return to_lower(text) == id; });
}

ServiceUpdate to_shape(const core::State& state, const core::ServiceUpdate& update) {
  ServiceUpdate out;
  out.service_update_name = update.name.str();
  out.service_update_release_date = update.released_at;
  out.service_update_severity = kSeverity;
  out.service_update_recommended_apply_by_date = recommended_by(update);
  out.service_update_status = core::shown_status(state, update);
  out.service_update_description = fmt::format(
      "{} {} is installed. Nodes that run an older version are restarted with it, "
      "replicas first.",
      update.engine, update.version);
  out.service_update_type = kType;
  out.engine = update.engine;
  out.engine_version = update.version;
  out.auto_update_after_recommended_apply_by_date = false;
  out.estimated_update_time = kTimePerNode;
  return out;
}

std::optional<Instant> known(Instant time) {
  return time == Instant() ? std::nullopt : std::optional(time);
}

// By the names that nodes of groups and of clusters share.
template <class Shape>
Shape node_shape(const core::UpdateAction& action, const core::NodeUpdate& node) {
  Shape out;
  out.cache_node_id = node.node.node.str();
  out.node_update_status = node.status;
  out.node_update_start_date = known(node.started_at);
  out.node_update_end_date = known(node.ended_at);
  if (!action.initiated_by.empty()) {
    out.node_update_initiated_by = action.initiated_by;
    out.node_update_initiated_date = action.initiated_at;
  }
  out.node_update_status_modified_date = known(node.modified_at);
  return out;
}

void describe_nodes(const core::State& state, const core::UpdateAction& action, UpdateAction& out) {
  if (action.replication_group.empty()) {
    auto& list = out.cache_node_update_status.emplace();
    for (const core::NodeUpdate& node : action.nodes) {
      list.push_back(node_shape<CacheNodeUpdateStatus>(action, node));
    }
    return;
  }
  auto& list = out.node_group_update_status.emplace();
  const auto* group = state.find<core::ReplicationGroup>(action.replication_group);
  if (group == nullptr) {
    return;
  }
  for (const core::NodeGroup& node_group : group->node_groups) {
    NodeGroupUpdateStatus& one = list.emplace_back();
    one.node_group_id = node_group.id.str();
    auto& members = one.node_group_member_update_status.emplace();
    for (const core::NodeUpdate& node : action.nodes) {
      const auto& ids = node_group.members;
      if (std::find(ids.begin(), ids.end(), node.node.cluster) != ids.end()) {
        auto member = node_shape<NodeGroupMemberUpdateStatus>(action, node);
        member.cache_cluster_id = node.node.cluster.str();
        members.push_back(std::move(member));
      }
    }
  }
}

// Whether all nodes were updated by the date that is recommended (AWS API reference, UpdateAction).
std::string sla_met(const core::ServiceUpdate& update, const core::UpdateAction& action,
                    Instant now) {
  const Instant deadline = recommended_by(update);
  if (action.available_at > deadline) {
    return "n/a";
  }
  const Instant done = action.status == "complete" ? action.modified_at : now;
  return done <= deadline ? "yes" : "no";
}

std::string engine_of(const core::State& state, const core::UpdateAction& action) {
  if (const auto* group = state.find<core::ReplicationGroup>(action.replication_group)) {
    return group->settings.engine;
  }
  const auto* cluster = state.find<core::CacheCluster>(action.cluster);
  return cluster == nullptr ? "" : cluster->settings.engine;
}

UpdateAction to_shape(const core::State& state, const core::ServiceUpdate& update,
                      const core::UpdateAction& action, bool with_nodes, Instant now) {
  UpdateAction out;
  if (action.replication_group.empty()) {
    out.cache_cluster_id = action.cluster.str();
  } else {
    out.replication_group_id = action.replication_group.str();
  }
  out.service_update_name = update.name.str();
  out.service_update_release_date = update.released_at;
  out.service_update_severity = kSeverity;
  out.service_update_status = core::shown_status(state, update);
  out.service_update_recommended_apply_by_date = recommended_by(update);
  out.service_update_type = kType;
  out.update_action_available_date = action.available_at;
  out.update_action_status = action.status;
  const auto done = std::count_if(action.nodes.begin(), action.nodes.end(),
                                  [](const auto& node) { return node.status == "complete"; });
  out.nodes_updated = fmt::format("{}/{}", done, action.nodes.size());
  out.update_action_status_modified_date = action.modified_at;
  out.sla_met = sla_met(update, action, now);
  if (with_nodes) {
    describe_nodes(state, action, out);
  }
  out.estimated_update_time = kTimePerNode;
  out.engine = engine_of(state, action);
  return out;
}

bool is_asked_for(const core::State& state, const core::ServiceUpdate& update,
                  const core::UpdateAction& action, const DescribeUpdateActionsMessage& input) {
  const bool names_some = (input.replication_group_ids && !input.replication_group_ids->empty()) ||
                          (input.cache_cluster_ids && !input.cache_cluster_ids->empty());
  if (names_some) {
    const Names& ids =
        action.replication_group.empty() ? input.cache_cluster_ids : input.replication_group_ids;
    const std::string& id =
        action.replication_group.empty() ? action.cluster.str() : action.replication_group.str();
    if (!ids || !is_among_ids(ids, id)) {
      return false;
    }
  }
  if (input.service_update_time_range) {
    const auto& range = *input.service_update_time_range;
    if ((range.start_time && update.released_at < *range.start_time) ||
        (range.end_time && update.released_at > *range.end_time)) {
      return false;
    }
  }
  return (!input.service_update_name ||
          to_lower(*input.service_update_name) == update.name.str()) &&
         (!input.engine || to_lower(*input.engine) == engine_of(state, action)) &&
         is_among(input.service_update_status, core::shown_status(state, update)) &&
         is_among(input.update_action_status, action.status);
}

UpdateActionResultsMessage to_shape(const core::UpdateRequest& request,
                                    const std::vector<core::UpdateResult>& results) {
  UpdateActionResultsMessage out;
  auto& processed = out.processed_update_actions.emplace();
  auto& unprocessed = out.unprocessed_update_actions.emplace();
  const auto name = [](const core::UpdateResult& result, auto& shape) {
    (result.group ? shape.replication_group_id : shape.cache_cluster_id) = result.id;
  };
  for (const core::UpdateResult& result : results) {
    if (result.status.empty()) {
      UnprocessedUpdateAction& one = unprocessed.emplace_back();
      name(result, one);
      one.service_update_name = request.update;
      one.error_type = result.refusal.code;
      one.error_message = result.refusal.message;
    } else {
      ProcessedUpdateAction& one = processed.emplace_back();
      name(result, one);
      one.service_update_name = request.update;
      one.update_action_status = result.status;
    }
  }
  return out;
}

using Change = core::Admitted<core::UpdateOutcome> (*)(const core::State&,
                                                       const core::UpdateRequest&,
                                                       core::AdmissionContext);

AsyncResult<UpdateActionResultsMessage> submit_for_all(HandlerContext& context,
                                                       core::UpdateRequest request, Change change) {
  std::vector<core::UpdateResult> results;  // of the newest decision, which is the one committed
  control::Frontend::Decision decision =
      [&](const core::State& state,
          core::AdmissionContext admission) -> core::Admitted<core::Transition> {
    auto outcome = change(state, request, admission);
    if (!outcome) {
      return tl::unexpected(outcome.error());
    }
    results = std::move(outcome->results);
    return std::move(outcome->transition);
  };
  const auto committed = co_await context.frontend().submit(std::move(decision));
  if (!committed) {
    co_return refused(committed.error());
  }
  co_return to_shape(request, results);
}

template <class Message>
core::UpdateRequest request_of(const Message& input) {
  core::UpdateRequest out;
  out.update = input.service_update_name.value_or("");
  out.groups = input.replication_group_ids.value_or(std::vector<std::string>());
  out.clusters = input.cache_cluster_ids.value_or(std::vector<std::string>());
  return out;
}

}  // namespace

AsyncResult<UpdateActionResultsMessage> batch_apply_update_action(
    HandlerContext& context, BatchApplyUpdateActionMessage input) {
  core::UpdateRequest request = request_of(input);
  co_return co_await submit_for_all(context, std::move(request), core::apply_update);
}

AsyncResult<UpdateActionResultsMessage> batch_stop_update_action(
    HandlerContext& context, BatchStopUpdateActionMessage input) {
  core::UpdateRequest request = request_of(input);
  co_return co_await submit_for_all(context, std::move(request), core::stop_update);
}

AsyncResult<ServiceUpdatesMessage> describe_service_updates(HandlerContext& context,
                                                            DescribeServiceUpdatesMessage input) {
  const core::State& state = context.frontend().state();
  ServiceUpdatesMessage answer;
  auto& updates = answer.service_updates.emplace();
  if (input.service_update_name) {
    const core::ServiceUpdateName name(to_lower(*input.service_update_name));
    if (state.find<core::ServiceUpdate>(name) == nullptr) {
      co_return refused(core::service_update_not_found(*input.service_update_name));
    }
  }
  auto pager = Pager::open("DescribeServiceUpdates", input.max_records, input.marker);
  if (!pager) {
    co_return tl::unexpected(pager.error());
  }
  for (const auto& [name, update] : state.all<core::ServiceUpdate>()) {
    const bool named =
        !input.service_update_name || to_lower(*input.service_update_name) == name.str();
    if (named && is_among(input.service_update_status, core::shown_status(state, update)) &&
        pager->take(name.str())) {
      updates.push_back(to_shape(state, update));
    }
    if (pager->done()) {
      break;
    }
  }
  answer.marker = pager->marker();
  co_return answer;
}

AsyncResult<UpdateActionsMessage> describe_update_actions(HandlerContext& context,
                                                          DescribeUpdateActionsMessage input) {
  const core::State& state = context.frontend().state();
  const Instant now = context.frontend().now();
  const bool with_nodes = input.show_node_level_update_status.value_or(false);
  auto pager = Pager::open("DescribeUpdateActions", input.max_records, input.marker);
  if (!pager) {
    co_return tl::unexpected(pager.error());
  }
  UpdateActionsMessage answer;
  auto& actions = answer.update_actions.emplace();
  for (const auto& [id, action] : state.all<core::UpdateAction>()) {
    const auto* update = state.find<core::ServiceUpdate>(action.update);
    if (update != nullptr && is_asked_for(state, *update, action, input) && pager->take(id.str())) {
      actions.push_back(to_shape(state, *update, action, with_nodes, now));
    }
    if (pager->done()) {
      break;
    }
  }
  answer.marker = pager->marker();
  co_return answer;
}

}  // namespace hikae::api::elasticache::handlers
