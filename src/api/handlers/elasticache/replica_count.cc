#include "core/admission/replica_count.h"

#include "api/generated/elasticache_handlers.h"
#include "api/handlers/elasticache/common.h"
#include "api/handlers/elasticache/describe.h"
#include "api/handlers/elasticache/unsupported.h"
#include "control/frontend.h"

namespace hikae::api::elasticache::handlers {
namespace {

using Shards = std::optional<std::vector<ConfigureShard>>;

std::optional<ApiFault> unsupported(const Shards& shards) {
  Unsupported check;
  for (const ConfigureShard& shard : shards.value_or(std::vector<ConfigureShard>())) {
    check.list("PreferredOutpostArns", shard.preferred_outpost_arns);
  }
  return check.fault();
}

std::vector<core::ShardReplicas> shards_of(const Shards& shards) {
  std::vector<core::ShardReplicas> out;
  for (const ConfigureShard& shard : shards.value_or(std::vector<ConfigureShard>())) {
    core::ShardReplicas one;
    one.node_group = shard.node_group_id.value_or("");
    one.replicas = shard.new_replica_count.value_or(0);
    one.zones = shard.preferred_availability_zones.value_or(std::vector<std::string>());
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace

AsyncResult<IncreaseReplicaCountResult> increase_replica_count(HandlerContext& context,
                                                               IncreaseReplicaCountMessage input) {
  if (auto fault = unsupported(input.replica_configuration)) {
    co_return tl::unexpected(*fault);
  }
  core::IncreaseReplicaCount command;
  command.group = input.replication_group_id.value_or("");
  command.replicas = input.new_replica_count;
  command.shards = shards_of(input.replica_configuration);
  command.apply_immediately = input.apply_immediately.value_or(false);
  auto decision = decision_on(command);
  const auto committed = co_await context.frontend().submit(std::move(decision));
  if (!committed) {
    co_return refused(committed.error());
  }
  IncreaseReplicaCountResult result;
  result.replication_group = describe_group(context.frontend().state(), command.group);
  co_return result;
}

AsyncResult<DecreaseReplicaCountResult> decrease_replica_count(HandlerContext& context,
                                                               DecreaseReplicaCountMessage input) {
  if (auto fault = unsupported(input.replica_configuration)) {
    co_return tl::unexpected(*fault);
  }
  core::DecreaseReplicaCount command;
  command.group = input.replication_group_id.value_or("");
  command.replicas = input.new_replica_count;
  command.shards = shards_of(input.replica_configuration);
  command.remove = input.replicas_to_remove.value_or(std::vector<std::string>());
  command.apply_immediately = input.apply_immediately.value_or(false);
  auto decision = decision_on(command);
  const auto committed = co_await context.frontend().submit(std::move(decision));
  if (!committed) {
    co_return refused(committed.error());
  }
  DecreaseReplicaCountResult result;
  result.replication_group = describe_group(context.frontend().state(), command.group);
  co_return result;
}

}  // namespace hikae::api::elasticache::handlers
