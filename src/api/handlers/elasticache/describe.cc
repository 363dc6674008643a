#include "api/handlers/elasticache/describe.h"

#include "api/handlers/elasticache/log_delivery.h"
#include "api/handlers/elasticache/user_shapes.h"
#include "core/admission/arn.h"
#include "core/admission/identifiers.h"
#include "core/catalog/catalog.h"
#include "core/naming/names.h"
#include "core/reconcile/roll.h"
#include "core/state/access.h"
#include "core/state/snapshots.h"

namespace hikae::api::elasticache {
namespace {

constexpr const char* kLandingPage =
    "https://console.aws.amazon.com/elasticache/home#client-download:";

Endpoint endpoint(std::string name, std::uint16_t port) {
  Endpoint out;
  out.address = std::move(name);
  out.port = port;
  return out;
}

// `7.1` is answered as `7.1.0`: clusters show the patch version.
std::string full_version(const core::CacheSettings& settings) {
  const auto* version = core::find_engine_version(settings.engine, settings.engine_version);
  return version == nullptr ? settings.engine_version : std::string(version->full);
}

// A change of the AUTH tokens that does not count everywhere yet.
std::optional<std::string> token_status(const core::Access& now, const core::Access& later) {
  if (now.tokens == later.tokens && now.token_optional == later.token_optional) {
    return std::nullopt;
  }
  return later.tokens.size() > 1 || later.token_optional ? "ROTATING" : "SETTING";
}

// When it, or its group, got the tokens that it has.
std::optional<Instant> token_modified_at(const core::State& state,
                                         const core::CacheCluster& cluster) {
  const auto* group = state.find<core::ReplicationGroup>(cluster.replication_group);
  if (cluster.settings.access.tokens.empty()) {
    return std::nullopt;
  }
  return group == nullptr ? cluster.auth_token_modified_at : group->auth_token_modified_at;
}

// By the names that clusters and groups share.
template <class Description>
void describe_access(const core::CacheSettings& settings, Description& out) {
  out.auth_token_enabled = !settings.access.tokens.empty();
  out.transit_encryption_enabled = settings.access.encrypted();
  if (settings.access.encrypted()) {
    out.transit_encryption_mode = settings.access.transit_encryption;
  }
  out.at_rest_encryption_enabled = settings.at_rest_encryption;
}

// By the names that pending values of clusters and groups share. `off` is no mode of AWS's.
template <class Pending>
void describe_encryption(const core::Access& now, const core::Access& later, Pending& out) {
  if (now.transit_encryption == later.transit_encryption) {
    return;
  }
  if (now.encrypted() != later.encrypted()) {
    out.transit_encryption_enabled = later.encrypted();
  }
  if (later.encrypted()) {
    out.transit_encryption_mode = later.transit_encryption;
  }
}

// What the cluster is going to be, now or in the maintenance window.
PendingModifiedValues pending_values(const core::State& state, const core::CacheCluster& cluster) {
  const auto* group = state.find<core::ReplicationGroup>(cluster.replication_group);
  const core::CacheSettings later = core::with(core::target_of(state, cluster),
                                               group == nullptr ? cluster.pending : group->pending);
  PendingModifiedValues out;
  if (later.node_type != cluster.settings.node_type) {
    out.cache_node_type = later.node_type;
  }
  if (full_version(later) != full_version(cluster.settings)) {
    out.engine_version = full_version(later);
  }
  out.auth_token_status = token_status(cluster.settings.access, later.access);
  describe_encryption(cluster.settings.access, later.access, out);
  out.log_delivery_configurations = pending_logs(cluster.log_deliveries);
  return out;
}

// A primary that the client asked for, until it leads; user groups until all nodes have them.
ReplicationGroupPendingModifiedValues pending_values(const core::ReplicationGroup& group) {
  ReplicationGroupPendingModifiedValues out;
  const core::CacheClusterId& next = group.node_groups.front().switchover_target;
  if (group.applying.empty() && !next.empty()) {
    out.primary_cluster_id = next.str();
  }
  const core::CacheSettings later =
      core::with(core::with(group.settings, group.applying), group.pending);
  out.auth_token_status = token_status(group.settings.access, later.access);
  describe_encryption(group.settings.access, later.access, out);
  out.log_delivery_configurations = pending_logs(group.log_deliveries);
  if (!group.adding_user_groups.empty() || !group.removing_user_groups.empty()) {
    UserGroupsUpdateStatus changes;
    changes.user_group_ids_to_add = to_texts(group.adding_user_groups);
    changes.user_group_ids_to_remove = to_texts(group.removing_user_groups);
    out.user_groups = std::move(changes);
  }
  return out;
}

std::vector<SecurityGroupMembership> security_groups(const core::CacheSettings& settings) {
  std::vector<SecurityGroupMembership> out;
  for (const core::SecurityGroupId& id : settings.security_groups) {
    SecurityGroupMembership one;
    one.security_group_id = id.str();
    one.status = "active";
    out.push_back(std::move(one));
  }
  return out;
}

CacheParameterGroupStatus parameter_group(const core::CacheCluster& cluster) {
  CacheParameterGroupStatus out;
  out.cache_parameter_group_name = cluster.settings.parameter_group.str();
  out.parameter_apply_status = "in-sync";
  std::vector<std::string> to_reboot;
  for (const core::Node& node : cluster.nodes) {
    if (node.parameter_status != "in-sync") {
      out.parameter_apply_status = node.parameter_status;
    }
    if (node.parameter_status == "pending-reboot") {
      to_reboot.push_back(node.id.str());
    }
  }
  out.cache_node_ids_to_reboot = std::move(to_reboot);
  return out;
}

std::vector<CacheNode> nodes(const core::State& state, const core::CacheCluster& cluster) {
  std::vector<CacheNode> out;
  for (const core::Node& node : cluster.nodes) {
    CacheNode one;
    one.cache_node_id = node.id.str();
    one.cache_node_status = node.status;
    one.cache_node_create_time = node.created_at;
    one.endpoint =
        endpoint(core::node_endpoint(state.region(), cluster, node.id), cluster.settings.port);
    one.parameter_group_status = node.parameter_status;
    one.customer_availability_zone = node.zone.str();
    out.push_back(std::move(one));
  }
  return out;
}

NodeGroupMember member(const core::State& state, const core::NodeGroup& node_group,
                       const core::CacheCluster& cluster) {
  const core::Node& node = cluster.nodes.front();
  NodeGroupMember out;
  out.cache_cluster_id = cluster.id.str();
  out.cache_node_id = node.id.str();
  out.read_endpoint =
      endpoint(core::node_endpoint(state.region(), cluster, node.id), cluster.settings.port);
  out.preferred_availability_zone = node.zone.str();
  out.current_role = node_group.primary == cluster.id ? "primary" : "replica";
  return out;
}

NodeGroup describe_node_group(const core::State& state, const core::ReplicationGroup& group,
                              const core::NodeGroup& node_group) {
  NodeGroup out;
  out.node_group_id = node_group.id.str();
  out.status = node_group.status;
  const auto port = group.settings.port;
  out.primary_endpoint =
      endpoint(core::primary_endpoint(state.region(), group, node_group.id), port);
  out.reader_endpoint = endpoint(core::reader_endpoint(state.region(), group, node_group.id), port);
  std::vector<NodeGroupMember> members;
  for (const core::CacheClusterId& id : node_group.members) {
    const auto* cluster = state.find<core::CacheCluster>(id);
    if (cluster != nullptr && !cluster->nodes.empty()) {
      members.push_back(member(state, node_group, *cluster));
    }
  }
  out.node_group_members = std::move(members);
  return out;
}

void describe_members(const core::State& state, const core::ReplicationGroup& group,
                      ReplicationGroup& out) {
  if (group.status == "deleting") {
    return;
  }
  std::vector<std::string> members;
  std::vector<NodeGroup> node_groups;
  for (const core::NodeGroup& node_group : group.node_groups) {
    for (const core::CacheClusterId& id : node_group.members) {
      members.push_back(id.str());
    }
    node_groups.push_back(describe_node_group(state, group, node_group));
  }
  out.member_clusters = std::move(members);
  if (group.status != "creating") {
    out.node_groups = std::move(node_groups);
  }
}

}  // namespace

CacheCluster describe(const core::State& state, const core::CacheCluster& cluster,
                      bool with_nodes) {
  const core::CacheSettings& settings = cluster.settings;
  CacheCluster out;
  out.cache_cluster_id = cluster.id.str();
  out.client_download_landing_page = kLandingPage;
  out.cache_node_type = settings.node_type;
  out.engine = settings.engine;
  out.engine_version = full_version(settings);
  out.cache_cluster_status = core::shown_status(state, cluster);
  out.num_cache_nodes = std::int32_t(cluster.nodes.size());
  if (!cluster.nodes.empty() && !cluster.nodes.front().zone.empty()) {
    out.preferred_availability_zone = cluster.nodes.front().zone.str();
  }
  out.cache_cluster_create_time = cluster.created_at;
  out.preferred_maintenance_window = settings.maintenance_window;
  out.pending_modified_values = pending_values(state, cluster);
  if (!settings.notification_topic_arn.empty()) {
    NotificationConfiguration notification;
    notification.topic_arn = settings.notification_topic_arn;
    notification.topic_status = settings.notification_topic_status;
    out.notification_configuration = std::move(notification);
  }
  out.cache_security_groups.emplace();
  out.cache_parameter_group = parameter_group(cluster);
  out.cache_subnet_group_name = settings.subnet_group.str();
  if (with_nodes && cluster.status != "creating") {
    out.cache_nodes = nodes(state, cluster);
  }
  out.auto_minor_version_upgrade = settings.auto_minor_version_upgrade;
  out.security_groups = security_groups(settings);
  if (!cluster.replication_group.empty()) {
    out.replication_group_id = cluster.replication_group.str();
  }
  out.snapshot_retention_limit = settings.snapshot_retention_days;
  out.snapshot_window = settings.snapshot_window;
  describe_access(settings, out);
  out.auth_token_last_modified_date = token_modified_at(state, cluster);
  out.arn = core::build_arn(state.region(), core::kArnCluster, cluster.id.str());
  const auto* owner = state.find<core::ReplicationGroup>(cluster.replication_group);
  out.replication_group_log_delivery_enabled = owner != nullptr && !owner->log_deliveries.empty();
  out.log_delivery_configurations = describe_logs(cluster.log_deliveries);
  out.network_type = "ipv4";
  out.ip_discovery = "ipv4";
  return out;
}

ReplicationGroup describe(const core::State& state, const core::ReplicationGroup& group) {
  ReplicationGroup out;
  out.replication_group_id = group.id.str();
  out.description = group.description;
  out.status = core::shown_status(state, group);
  out.pending_modified_values = pending_values(group);
  describe_members(state, group, out);
  if (!group.snapshotting_cluster.empty()) {
    out.snapshotting_cluster_id = group.snapshotting_cluster.str();
  }
  out.automatic_failover = group.automatic_failover;
  out.multi_az = group.multi_az ? "enabled" : "disabled";
  out.snapshot_retention_limit = group.settings.snapshot_retention_days;
  out.snapshot_window = group.settings.snapshot_window;
  out.cluster_enabled = false;
  out.cache_node_type = group.settings.node_type;
  describe_access(group.settings, out);
  if (!group.settings.access.tokens.empty()) {
    out.auth_token_last_modified_date = group.auth_token_modified_at;
  }
  if (!group.settings.kms_key.empty()) {
    out.kms_key_id = group.settings.kms_key;
  }
  out.arn = core::build_arn(state.region(), core::kArnReplicationGroup, group.id.str());
  out.user_group_ids = to_texts(core::before_changes(group.user_groups, group.adding_user_groups,
                                                     group.removing_user_groups));
  out.log_delivery_configurations = describe_logs(group.log_deliveries);
  out.replication_group_create_time = group.created_at;
  out.data_tiering = "disabled";
  out.auto_minor_version_upgrade = group.settings.auto_minor_version_upgrade;
  out.network_type = group.network_type;
  out.ip_discovery = group.ip_discovery;
  out.cluster_mode = "disabled";
  out.engine = group.settings.engine;
  return out;
}

std::optional<ReplicationGroup> describe_group(const core::State& state, const std::string& id) {
  const auto* group =
      state.find<core::ReplicationGroup>(core::lookup_id<core::ReplicationGroupId>(id));
  return group == nullptr ? std::nullopt : std::optional(describe(state, *group));
}

}  // namespace hikae::api::elasticache
