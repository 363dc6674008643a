#include <fmt/format.h>

#include "api/handlers/elasticache/describe.h"
#include "core/admission/arn.h"
#include "core/catalog/catalog.h"
#include "core/state/snapshots.h"

namespace hikae::api::elasticache {
namespace {

// `5 MB`, as AWS writes it; nothing while there is none.
std::string size_text(std::uint64_t bytes) {
  constexpr std::uint64_t kMegabyte = 1024 * 1024;
  return bytes == 0 ? "" : fmt::format("{} MB", (bytes + kMegabyte - 1) / kMegabyte);
}

NodeGroupConfiguration configuration(const core::Snapshot& snapshot,
                                     const core::NodeSnapshot& node) {
  NodeGroupConfiguration out;
  out.node_group_id = node.node_group.str();
  out.slots = "0-16383";
  out.replica_count = snapshot.cache_nodes - 1;
  if (!snapshot.zone.empty()) {
    out.primary_availability_zone = snapshot.zone.str();
  }
  return out;
}

NodeSnapshot describe_node(const core::Snapshot& snapshot, const core::NodeSnapshot& node,
                           bool with_configuration) {
  NodeSnapshot out;
  out.cache_cluster_id = node.cluster.str();
  out.cache_node_id = node.node.str();
  if (!node.node_group.empty()) {
    out.node_group_id = node.node_group.str();
    if (with_configuration) {
      out.node_group_configuration = configuration(snapshot, node);
    }
  }
  out.cache_size = size_text(node.bytes);
  out.cache_node_create_time = node.node_created_at;
  out.snapshot_create_time = node.taken_at == Instant() ? snapshot.created_at : node.taken_at;
  return out;
}

}  // namespace

Snapshot describe(const core::State& state, const core::Snapshot& snapshot,
                  bool with_configuration) {
  const core::CacheSettings& settings = snapshot.settings;
  const auto* version = core::find_engine_version(settings.engine, settings.engine_version);
  Snapshot out;
  out.snapshot_name = snapshot.name.str();
  if (!snapshot.group.empty()) {
    out.replication_group_id = snapshot.group.str();
    out.replication_group_description = snapshot.description;
    out.automatic_failover = snapshot.automatic_failover;
    out.num_node_groups = snapshot.node_groups;
  }
  out.cache_cluster_id = snapshot.cluster.str();
  out.snapshot_status = core::shown_status(state, snapshot);
  out.snapshot_source = snapshot.source;
  out.cache_node_type = settings.node_type;
  out.engine = settings.engine;
  out.engine_version = version == nullptr ? settings.engine_version : std::string(version->full);
  out.num_cache_nodes = snapshot.cache_nodes;
  if (!snapshot.zone.empty()) {
    out.preferred_availability_zone = snapshot.zone.str();
  }
  out.cache_cluster_create_time = snapshot.cluster_created_at;
  out.preferred_maintenance_window = settings.maintenance_window;
  if (!settings.notification_topic_arn.empty()) {
    out.topic_arn = settings.notification_topic_arn;
  }
  out.port = settings.port;
  out.cache_parameter_group_name = settings.parameter_group.str();
  out.cache_subnet_group_name = settings.subnet_group.str();
  out.vpc_id = snapshot.vpc.str();
  out.auto_minor_version_upgrade = settings.auto_minor_version_upgrade;
  out.snapshot_retention_limit = settings.snapshot_retention_days;
  out.snapshot_window = settings.snapshot_window;
  std::vector<NodeSnapshot> nodes;
  for (const core::NodeSnapshot& node : snapshot.nodes) {
    nodes.push_back(describe_node(snapshot, node, with_configuration));
  }
  out.node_snapshots = std::move(nodes);
  out.arn = core::build_arn(state.region(), core::kArnSnapshot, snapshot.name.str());
  out.data_tiering = "disabled";
  return out;
}

}  // namespace hikae::api::elasticache
