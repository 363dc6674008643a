#include "core/admission/replication_group.h"

#include "api/generated/elasticache_handlers.h"
#include "api/handlers/elasticache/auth_token.h"
#include "api/handlers/elasticache/cache_settings.h"
#include "api/handlers/elasticache/common.h"
#include "api/handlers/elasticache/describe.h"
#include "api/handlers/elasticache/log_delivery.h"
#include "api/handlers/elasticache/snapshot_source.h"
#include "api/handlers/elasticache/unsupported.h"
#include "base/strings.h"
#include "control/frontend.h"
#include "core/admission/group_changes.h"

namespace hikae::api::elasticache::handlers {
namespace {

using core::lookup_id;

std::optional<ApiFault> unsupported(const CreateReplicationGroupMessage& input) {
  Unsupported check;
  check.text("GlobalReplicationGroupId", input.global_replication_group_id);
  check.list("NodeGroupConfiguration", input.node_group_configuration);
  check.flag("DataTieringEnabled", input.data_tiering_enabled);
  check.text("NetworkType", input.network_type, "ipv4");
  check.text("IpDiscovery", input.ip_discovery, "ipv4");
  check.text("ClusterMode", input.cluster_mode, "disabled");
  check.text("ServerlessCacheSnapshotName", input.serverless_cache_snapshot_name);
  return check.fault();
}

std::optional<ApiFault> unsupported(const ModifyReplicationGroupMessage& input) {
  Unsupported check;
  check.text("IpDiscovery", input.ip_discovery, "ipv4");
  check.text("ClusterMode", input.cluster_mode, "disabled");
  return check.fault();
}

core::AccessRequest access_of(const CreateReplicationGroupMessage& input,
                              std::optional<std::string> token) {
  core::AccessRequest out;
  out.transit_encryption = input.transit_encryption_enabled;
  out.transit_encryption_mode = input.transit_encryption_mode;
  out.token = std::move(token);
  out.at_rest_encryption = input.at_rest_encryption_enabled;
  out.kms_key = input.kms_key_id;
  return out;
}

core::UserGroupsChange user_groups_of(const ModifyReplicationGroupMessage& input) {
  core::UserGroupsChange out;
  out.to_add = input.user_group_ids_to_add.value_or(std::vector<std::string>());
  out.to_remove = input.user_group_ids_to_remove.value_or(std::vector<std::string>());
  out.remove_all = input.remove_user_groups.value_or(false);
  return out;
}

core::CreateReplicationGroup command_of(const CreateReplicationGroupMessage& input,
                                        core::Tags tags) {
  core::CreateReplicationGroup out;
  out.id = input.replication_group_id.value_or("");
  out.description = input.replication_group_description.value_or("");
  out.primary_cluster = input.primary_cluster_id;
  out.automatic_failover = input.automatic_failover_enabled;
  out.multi_az = input.multi_az_enabled;
  out.num_cache_clusters = input.num_cache_clusters;
  out.num_node_groups = input.num_node_groups;
  out.replicas_per_node_group = input.replicas_per_node_group;
  out.preferred_zones = input.preferred_cache_cluster_azs.value_or(std::vector<std::string>());
  out.user_groups = input.user_group_ids.value_or(std::vector<std::string>());
  out.logs = log_requests_of(input.log_delivery_configurations);
  out.settings = settings_of(input);
  out.tags = std::move(tags);
  return out;
}

}  // namespace

AsyncResult<CreateReplicationGroupResult> create_replication_group(
    HandlerContext& context, CreateReplicationGroupMessage input) {
  if (auto fault = unsupported(input)) {
    co_return tl::unexpected(*fault);
  }
  auto tags = read_tags(input.tags);
  if (!tags) {
    co_return tl::unexpected(tags.error());
  }
  auto token = digest_of(input.auth_token);
  if (!token) {
    co_return refused(token.error());
  }
  core::CreateReplicationGroup command = command_of(input, std::move(*tags));
  command.access = access_of(input, std::move(*token));
  std::string engine = to_lower(input.engine.value_or("redis"));
  std::string version = input.engine_version.value_or("");
  auto source = co_await open_snapshot_source(context, input.snapshot_name, input.snapshot_arns,
                                              std::move(engine), std::move(version));
  if (!source) {
    co_return tl::unexpected(source.error());
  }
  command.restore = *source;
  auto decision = decision_on(command);
  const auto committed = co_await context.frontend().submit(std::move(decision));
  if (!committed) {
    co_await give_back(context, *source);
    co_return refused(committed.error());
  }
  CreateReplicationGroupResult result;
  result.replication_group = describe_group(context.frontend().state(), command.id);
  co_return result;
}

AsyncResult<DeleteReplicationGroupResult> delete_replication_group(
    HandlerContext& context, DeleteReplicationGroupMessage input) {
  core::DeleteReplicationGroup command;
  command.id = input.replication_group_id.value_or("");
  command.retain_primary = input.retain_primary_cluster.value_or(false);
  command.final_snapshot = input.final_snapshot_identifier;
  auto decision = decision_on(command);
  const auto committed = co_await context.frontend().submit(std::move(decision));
  if (!committed) {
    co_return refused(committed.error());
  }
  DeleteReplicationGroupResult result;
  result.replication_group = describe_group(context.frontend().state(), command.id);
  co_return result;
}

AsyncResult<ModifyReplicationGroupResult> modify_replication_group(
    HandlerContext& context, ModifyReplicationGroupMessage input) {
  if (auto fault = unsupported(input)) {
    co_return tl::unexpected(*fault);
  }
  auto token = token_change_of(input);
  if (!token) {
    co_return refused(token.error());
  }
  core::ModifyReplicationGroup command;
  command.id = input.replication_group_id.value_or("");
  command.description = input.replication_group_description;
  command.automatic_failover = input.automatic_failover_enabled;
  command.multi_az = input.multi_az_enabled;
  command.primary_cluster = input.primary_cluster_id;
  command.snapshotting_cluster = input.snapshotting_cluster_id;
  command.user_groups = user_groups_of(input);
  command.logs = log_requests_of(input.log_delivery_configurations);
  command.settings = settings_change_of(input);
  command.settings.token = std::move(*token);
  command.settings.encryption = {input.transit_encryption_enabled, input.transit_encryption_mode};
  auto decision = decision_on(command);
  const auto committed = co_await context.frontend().submit(std::move(decision));
  if (!committed) {
    co_return refused(committed.error());
  }
  ModifyReplicationGroupResult result;
  result.replication_group = describe_group(context.frontend().state(), command.id);
  co_return result;
}

AsyncResult<TestFailoverResult> test_failover(HandlerContext& context, TestFailoverMessage input) {
  core::TestFailover command;
  command.group = input.replication_group_id.value_or("");
  command.node_group = input.node_group_id.value_or("");
  command.quota = context.quotas().test_failovers_per_day;
  auto decision = decision_on(command);
  const auto committed = co_await context.frontend().submit(std::move(decision));
  if (!committed) {
    co_return refused(committed.error());
  }
  TestFailoverResult result;
  result.replication_group = describe_group(context.frontend().state(), command.group);
  co_return result;
}

AsyncResult<ReplicationGroupMessage> describe_replication_groups(
    HandlerContext& context, DescribeReplicationGroupsMessage input) {
  const core::State& state = context.frontend().state();
  ReplicationGroupMessage result;
  std::vector<ReplicationGroup> groups;
  if (input.replication_group_id) {
    const auto id = lookup_id<core::ReplicationGroupId>(*input.replication_group_id);
    const auto* group = state.find<core::ReplicationGroup>(id);
    if (group == nullptr) {
      co_return refused(core::replication_group_not_found(*input.replication_group_id));
    }
    groups.push_back(describe(state, *group));
    result.replication_groups = std::move(groups);
    co_return result;
  }
  auto pager = Pager::open("replication-groups", input.max_records, input.marker);
  if (!pager) {
    co_return tl::unexpected(pager.error());
  }
  for (const auto& [id, group] : state.all<core::ReplicationGroup>()) {
    if (pager->take(id.str())) {
      groups.push_back(describe(state, group));
    }
    if (pager->done()) {
      break;
    }
  }
  result.marker = pager->marker();
  result.replication_groups = std::move(groups);
  co_return result;
}

}  // namespace hikae::api::elasticache::handlers
