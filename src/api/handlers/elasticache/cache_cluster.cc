#include "core/admission/cache_cluster.h"

#include "api/generated/elasticache_handlers.h"
#include "api/handlers/elasticache/auth_token.h"
#include "api/handlers/elasticache/cache_settings.h"
#include "api/handlers/elasticache/common.h"
#include "api/handlers/elasticache/describe.h"
#include "api/handlers/elasticache/log_delivery.h"
#include "api/handlers/elasticache/snapshot_source.h"
#include "api/handlers/elasticache/unsupported.h"
#include "control/frontend.h"
#include "core/admission/cluster_changes.h"
#include "core/admission/replication_group.h"

namespace hikae::api::elasticache::handlers {
namespace {

using core::lookup_id;

std::optional<ApiFault> unsupported(const CreateCacheClusterMessage& input) {
  Unsupported check;
  check.text("OutpostMode", input.outpost_mode);
  check.text("PreferredOutpostArn", input.preferred_outpost_arn);
  check.list("PreferredOutpostArns", input.preferred_outpost_arns);
  check.text("NetworkType", input.network_type, "ipv4");
  check.text("IpDiscovery", input.ip_discovery, "ipv4");
  return check.fault();
}

std::optional<ApiFault> unsupported(const ModifyCacheClusterMessage& input) {
  Unsupported check;
  check.list("CacheNodeIdsToRemove", input.cache_node_ids_to_remove);
  check.text("AZMode", input.az_mode, "single-az");
  check.list("NewAvailabilityZones", input.new_availability_zones);
  check.text("IpDiscovery", input.ip_discovery, "ipv4");
  check.flag("ScaleConfig", input.scale_config.has_value());
  return check.fault();
}

std::optional<ApiFault> check_engine(const CreateCacheClusterMessage& input) {
  // AWS's default engine of this action is memcached.
  const std::string engine = to_lower(input.engine.value_or("memcached"));
  if (engine == "valkey") {
    return ApiFault("InvalidParameterValue",
                    "This API doesn't support Valkey engine. Please use CreateReplicationGroup API "
                    "for Valkey cluster creation.");
  }
  if (engine == "memcached") {
    return ApiFault("InvalidParameterCombination",
                    "Hikae does not run memcached clusters yet. Use --engine redis.");
  }
  return std::nullopt;
}

// A replica is encrypted as its group is; AWS encrypts no other cluster of Redis.
std::optional<ApiFault> check_access(const CreateCacheClusterMessage& input) {
  if (input.transit_encryption_enabled.value_or(false)) {
    return ApiFault("InvalidParameterCombination",
                    "Encryption feature is not supported for engine REDIS.");
  }
  if (input.auth_token) {
    return ApiFault("InvalidParameterValue",
                    "The AUTH token is only supported when encryption-in-transit is enabled");
  }
  return std::nullopt;
}

std::string wished_zone(const CreateCacheClusterMessage& input) {
  const auto& zones = input.preferred_availability_zones;
  if (!input.preferred_availability_zone && zones && zones->size() == 1) {
    return zones->front();
  }
  const std::string zone = input.preferred_availability_zone.value_or("");
  return zone == "Multiple" ? "" : zone;
}

control::Frontend::Decision create_decision(const CreateCacheClusterMessage& input,
                                            core::RestoreRequest restore, core::Tags tags) {
  if (input.replication_group_id) {
    core::AddReplica command;
    command.group = *input.replication_group_id;
    command.cluster_id = input.cache_cluster_id.value_or("");
    command.preferred_zone = wished_zone(input);
    command.tags = std::move(tags);
    return decision_on(std::move(command));
  }
  core::CreateCacheCluster command;
  command.id = input.cache_cluster_id.value_or("");
  command.num_nodes = input.num_cache_nodes;
  command.preferred_zone = wished_zone(input);
  command.settings = settings_of(input);
  command.restore = std::move(restore);
  command.logs = log_requests_of(input.log_delivery_configurations);
  command.tags = std::move(tags);
  return decision_on(std::move(command));
}

// A replica has its group's data, and its logs go where the group's go.
std::optional<ApiFault> check_source(const CreateCacheClusterMessage& input) {
  const auto& logs = input.log_delivery_configurations;
  if (input.replication_group_id && logs && !logs->empty()) {
    return ApiFault("InvalidParameterCombination",
                    "The logs of a replica are delivered as its replication group says. Use "
                    "ModifyReplicationGroup.");
  }
  const bool restores =
      input.snapshot_name || (input.snapshot_arns && !input.snapshot_arns->empty());
  return restores && input.replication_group_id
             ? std::optional(ApiFault("InvalidParameterCombination",
                                      "A replica cannot be restored from a snapshot."))
             : std::nullopt;
}

// The answer of an action that changed one cluster: the cluster as it is now.
std::optional<CacheCluster> changed_cluster(const HandlerContext& context, const std::string& id) {
  const core::State& state = context.frontend().state();
  const auto* cluster = state.find<core::CacheCluster>(lookup_id<core::CacheClusterId>(id));
  if (cluster == nullptr) {
    return std::nullopt;
  }
  return describe(state, *cluster, false);
}

}  // namespace

AsyncResult<CreateCacheClusterResult> create_cache_cluster(HandlerContext& context,
                                                           CreateCacheClusterMessage input) {
  auto fault = unsupported(input);
  if (!fault && !input.replication_group_id) {
    fault = check_engine(input);
  }
  if (!fault) {
    fault = check_access(input);
  }
  if (!fault) {
    fault = check_source(input);
  }
  if (fault) {
    co_return tl::unexpected(*fault);
  }
  auto tags = read_tags(input.tags);
  if (!tags) {
    co_return tl::unexpected(tags.error());
  }
  std::string engine = "redis";
  std::string version = input.engine_version.value_or("");
  auto source = co_await open_snapshot_source(context, input.snapshot_name, input.snapshot_arns,
                                              std::move(engine), std::move(version));
  if (!source) {
    co_return tl::unexpected(source.error());
  }
  auto decision = create_decision(input, *source, std::move(*tags));
  const auto committed = co_await context.frontend().submit(std::move(decision));
  if (!committed) {
    co_await give_back(context, *source);
    co_return refused(committed.error());
  }
  CreateCacheClusterResult result;
  result.cache_cluster = changed_cluster(context, input.cache_cluster_id.value_or(""));
  co_return result;
}

AsyncResult<DeleteCacheClusterResult> delete_cache_cluster(HandlerContext& context,
                                                           DeleteCacheClusterMessage input) {
  const core::DeleteCacheCluster command{input.cache_cluster_id.value_or(""),
                                         input.final_snapshot_identifier};
  auto decision = decision_on(command);
  const auto committed = co_await context.frontend().submit(std::move(decision));
  if (!committed) {
    co_return refused(committed.error());
  }
  DeleteCacheClusterResult result;
  result.cache_cluster = changed_cluster(context, command.id);
  co_return result;
}

AsyncResult<ModifyCacheClusterResult> modify_cache_cluster(HandlerContext& context,
                                                           ModifyCacheClusterMessage input) {
  if (auto fault = unsupported(input)) {
    co_return tl::unexpected(*fault);
  }
  auto token = token_change_of(input);
  if (!token) {
    co_return refused(token.error());
  }
  core::ModifyCacheCluster command;
  command.id = input.cache_cluster_id.value_or("");
  command.num_nodes = input.num_cache_nodes;
  command.settings = settings_change_of(input);
  command.settings.token = std::move(*token);
  command.logs = log_requests_of(input.log_delivery_configurations);
  auto decision = decision_on(command);
  const auto committed = co_await context.frontend().submit(std::move(decision));
  if (!committed) {
    co_return refused(committed.error());
  }
  ModifyCacheClusterResult result;
  result.cache_cluster = changed_cluster(context, command.id);
  co_return result;
}

AsyncResult<RebootCacheClusterResult> reboot_cache_cluster(HandlerContext& context,
                                                           RebootCacheClusterMessage input) {
  core::RebootCacheCluster command;
  command.id = input.cache_cluster_id.value_or("");
  command.nodes = input.cache_node_ids_to_reboot.value_or(std::vector<std::string>());
  auto decision = decision_on(command);
  const auto committed = co_await context.frontend().submit(std::move(decision));
  if (!committed) {
    co_return refused(committed.error());
  }
  RebootCacheClusterResult result;
  result.cache_cluster = changed_cluster(context, command.id);
  co_return result;
}

AsyncResult<CacheClusterMessage> describe_cache_clusters(HandlerContext& context,
                                                         DescribeCacheClustersMessage input) {
  const core::State& state = context.frontend().state();
  const bool with_nodes = input.show_cache_node_info.value_or(false);
  CacheClusterMessage result;
  std::vector<CacheCluster> clusters;
  if (input.cache_cluster_id) {
    const auto id = lookup_id<core::CacheClusterId>(*input.cache_cluster_id);
    const auto* cluster = state.find<core::CacheCluster>(id);
    if (cluster == nullptr) {
      co_return refused(core::cache_cluster_not_found(*input.cache_cluster_id));
    }
    clusters.push_back(describe(state, *cluster, with_nodes));
    result.cache_clusters = std::move(clusters);
    co_return result;
  }
  const bool standalone_only = input.show_cache_clusters_not_in_replication_groups.value_or(false);
  auto pager = Pager::open(standalone_only ? "standalone-clusters" : "cache-clusters",
                           input.max_records, input.marker);
  if (!pager) {
    co_return tl::unexpected(pager.error());
  }
  for (const auto& [id, cluster] : state.all<core::CacheCluster>()) {
    if (standalone_only && !cluster.replication_group.empty()) {
      continue;
    }
    if (pager->take(id.str())) {
      clusters.push_back(describe(state, cluster, with_nodes));
    }
    if (pager->done()) {
      break;
    }
  }
  result.marker = pager->marker();
  result.cache_clusters = std::move(clusters);
  co_return result;
}

}  // namespace hikae::api::elasticache::handlers
