#include "core/reconcile/assignments.h"

#include <algorithm>

#include "core/failover/confirmed_writes.h"
#include "core/failover/failover.h"
#include "core/failover/fence.h"
#include "core/failover/member.h"
#include "core/naming/names.h"
#include "core/reconcile/cluster_steps.h"
#include "core/reconcile/log_steps.h"
#include "core/reconcile/roll.h"
#include "core/reconcile/snapshot_steps.h"
#include "core/state/access.h"
#include "core/state/snapshots.h"

namespace hikae::core {
namespace {

// Every brisk engine takes some tenths of a per cent of a processor; after the loss of a zone all
// of them would leave nothing to those that serve.
constexpr int kMostBriskGroups = 16;

// The file that the cluster's node is to write for a snapshot; empty: none.
std::string snapshot_file_of(const State& state, const CacheCluster& cluster) {
  const auto* group = state.find<ReplicationGroup>(cluster.replication_group);
  const Snapshot* snapshot =
      group == nullptr ? snapshot_under_way(state, cluster) : snapshot_under_way(state, *group);
  if (snapshot != nullptr) {
    for (const NodeSnapshot& data : snapshot->nodes) {
      if (data.taker == cluster.id) {
        return data.file;
      }
    }
  }
  return "";
}

const NodeGroup* node_group_of(const ReplicationGroup& group, const CacheClusterId& member) {
  for (const NodeGroup& node_group : group.node_groups) {
    const auto& members = node_group.members;
    if (std::find(members.begin(), members.end(), member) != members.end()) {
      return &node_group;
    }
  }
  return nullptr;
}

bool is_synchronising(const State& state, const Observed& observed, const CacheClusterId& id) {
  const auto* seen = seen_of(state, observed, id);
  return seen != nullptr && seen->process == NodeObservation::Process::kRunning && !seen->link_up;
}

bool holds_copy(const State& state, const Observed& observed, const CacheClusterId& id) {
  const auto* seen = seen_of(state, observed, id);
  return seen != nullptr && !seen->dead() && seen->ready && seen->synced;
}

// One that is itself a replica passes on what it gets once it has a whole copy.
bool may_be_followed(const ReplicationGroup& group, const NodeObservation& primary) {
  return primary.ready &&
         (group.migration.follows() ? primary.link_up : primary.role == Role::kPrimary);
}

// A replica may follow once the primary answers. A new group's replicas are empty, so they all
// attach at once, and so does one that holds a copy: it goes on from where it is, within a
// millisecond. Others wait for their turn, because each takes a full synchronisation from the
// primary and two at a time cost the clients more than one after the other.
bool may_attach(const State& state, const Observed& observed, const ReplicationGroup& group,
                const NodeGroup& node_group, const CacheClusterId& replica) {
  const auto* seen = seen_of(state, observed, node_group.primary);
  if (seen == nullptr || !may_be_followed(group, *seen)) {
    return false;
  }
  if (group.status == "creating" || holds_copy(state, observed, replica)) {
    return true;
  }
  for (const CacheClusterId& member : node_group.members) {
    if (member == replica) {
      return true;
    }
    if (member != node_group.primary && is_synchronising(state, observed, member)) {
      return false;
    }
  }
  return true;
}

// Every member is what it should be, so nothing is to be synchronised.
bool is_whole(const State& state, const Observed& observed, const ReplicationGroup& group,
              const NodeGroup& node_group) {
  return group.status != "creating" &&
         std::all_of(node_group.members.begin(), node_group.members.end(),
                     [&](const CacheClusterId& id) {
                       const auto* member = state.find<CacheCluster>(id);
                       const bool leads = id == node_group.primary && !group.migration.follows();
                       const Role role = leads ? Role::kPrimary : Role::kReplica;
                       return member != nullptr && in_service(observed, *member, role);
                     });
}

// A dying node whose names others serve under: the primary takes writes, and readers were sent to
// another replica.
bool may_release_clients(const Observed& observed, const Node& node, const NodeKey& key,
                         const NodeObservation* primary) {
  const auto* own = observed.find(key);
  return own != nullptr && own->dying() && node.recovering && primary != nullptr &&
         primary->ready && primary->role == Role::kPrimary;
}

// The member that was chosen takes writes in a moment. Clients wait for that, so a process that
// starts would take its time on the machine from them.
bool is_about_to_lead(const ReplicationGroup& group, const NodeGroup& node_group,
                      const NodeObservation* primary) {
  return node_group.epoch > Epoch(1) && !group.migration.follows() && primary != nullptr &&
         !primary->dead() && !primary->hung && primary->ready && primary->role == Role::kReplica;
}

std::vector<Ipv4> other_addresses(const State& state, const NodeGroup& node_group,
                                  const CacheClusterId& id) {
  std::vector<Ipv4> out;
  for (const CacheClusterId& member : node_group.members) {
    const auto* cluster = state.find<CacheCluster>(member);
    if (member != id && cluster != nullptr && !cluster->nodes.empty()) {
      out.push_back(cluster->nodes[0].address);
    }
  }
  return out;
}

void assign_source(const Migration& migration, NodeAssignment& out) {
  if (!migration.under_way()) {
    return;
  }
  using Use = MigrationSource::Use;
  out.source.host = migration.host;
  out.source.port = migration.port;
  out.source.deadline = migration.deadline;
  out.source.use = migration.stage == "completing" ? Use::kCutOver
                   : migration.follows()           ? Use::kFollow
                                                   : Use::kCheck;
  if (migration.follows()) {
    out.role = Role::kReplica;
    out.attach = true;
    out.survey = out.source.use == Use::kCutOver;
  }
}

void assign_role(const State& state, const Observed& observed, const ReplicationGroup& group,
                 const Node& node, NodeAssignment& out) {
  const NodeGroup* node_group = node_group_of(group, out.node.cluster);
  if (node_group == nullptr) {
    return;
  }
  out.group = group.id;
  out.brisk =
      observed.unsettled <= kMostBriskGroups && !is_whole(state, observed, group, *node_group);
  out.epoch = node_group->epoch;
  out.primary_name = internal_name(state.region(), group.id, node_group->id);
  const auto* primary = state.find<CacheCluster>(node_group->primary);
  if (primary != nullptr && !primary->nodes.empty()) {
    out.primary_address = primary->nodes[0].address;
    out.primary_port = primary->settings.port;
    out.primary_plain = !primary->settings.access.encrypted();
  }
  const auto* primary_seen = seen_of(state, observed, node_group->primary);
  if (node_group->primary == out.node.cluster) {
    out.may_promote = may_promote_primary(state, observed, group, *node_group);
    out.hold = holds_dead_primary(state, observed, group, *node_group);
    out.start_limit = start_limit(group, *node_group, primary_seen);
    out.replaceable = can_be_replaced(state, observed, group, *node_group);
    // Only while the kill leads to a failover: else the node would be killed again and again.
    const bool is_test = node_group->kill_epoch == node_group->epoch && out.replaceable;
    out.kill =
        (is_test && !is_restarting(*primary)) || is_to_end(state, observed, group, *node_group);
    out.pause_writes = !node_group->switchover_target.empty() || node.move.handing_over();
    assign_source(group.migration, out);
    out.survey = out.survey || place_wanted(state, group) == PlaceWanted::kOfPrimary ||
                 asks_before_release(state, observed, group, *node_group, out.node.cluster);
    // First the state forgets that it is fenced, then its agent opens the fence.
    out.lease = node.fenced || wants_lease(state, observed, group, *node_group);
    out.peers = out.lease ? lease_peers(state, *node_group) : out.peers;
    out.kept = out.lease && node.kept;
    return;
  }
  out.role = Role::kReplica;
  out.hold = is_about_to_lead(group, *node_group, primary_seen);
  out.keep_running = restart_waits(state, observed, group, *node_group, out.node.cluster);
  out.attach = may_attach(state, observed, group, *node_group, out.node.cluster);
  out.anew = asks_witnesses(state, observed, *node_group);
  out.survey = out.anew || node_group->switchover_target == out.node.cluster ||
               asks_before_release(state, observed, group, *node_group, out.node.cluster) ||
               out.keep_running || (primary_seen != nullptr && primary_seen->dead()) ||
               asks_replicas(state, observed, *node_group) ||
               place_wanted(state, group) == PlaceWanted::kOfReplicas;
  out.release_clients = may_release_clients(observed, node, out.node, primary_seen);
  if (out.release_clients) {
    out.members = other_addresses(state, *node_group, out.node.cluster);
  }
}

bool is_over(const CacheCluster& cluster) {
  return cluster.status == "deleting" || cluster.status == "restore-failed";
}

bool shares_address(const State& state, const HostId& id) {
  const auto* host = state.find<Host>(id);
  return host != nullptr && host->shared_addresses;
}

// What the node is at whatever place.
NodeAssignment settings_of(const State& state, const CacheCluster& cluster, const Node& node,
                           DirectiveTable& known) {
  NodeAssignment out;
  out.node = NodeKey{cluster.id, node.id};
  const CacheSettings settings = effective_settings(cluster);
  out.engine = settings.engine;
  out.engine_version = settings.engine_version;
  out.port = cluster.settings.port;
  out.generation = node.generation;
  out.edition = node.edition;
  out.update = cluster.upgrade.updates();
  out.directives = known.of(state, cluster);
  out.access = settings.access;
  if (const auto* group = state.find<ReplicationGroup>(cluster.replication_group)) {
    out.users = access_of(state, *group);
    out.certificate_aliases = certificate_aliases(state.region(), *group, cluster, node.id);
    out.logs = wanted_logs(group->log_deliveries);
  } else {
    out.logs = wanted_logs(cluster.log_deliveries);
  }
  out.certificate_name = certificate_name(state.region(), cluster, node.id);
  return out;
}

// One that holds a copy goes on from where it is; else its turn comes after the members'.
bool may_attach_arrival(const State& state, const Observed& observed, const NodeGroup* node_group,
                        const NodeKey& key) {
  const auto* source =
      node_group == nullptr ? observed.find(key) : seen_of(state, observed, node_group->primary);
  if (source == nullptr || !source->ready || source->role != Role::kPrimary) {
    return false;
  }
  const auto* own = observed.find_arrival(key);
  if (node_group == nullptr || (own != nullptr && own->synced)) {
    return true;
  }
  return std::none_of(
      node_group->members.begin(), node_group->members.end(), [&](const CacheClusterId& member) {
        return member != node_group->primary && is_synchronising(state, observed, member);
      });
}

}  // namespace

std::optional<NodeAssignment> node_assignment(const State& state, const Observed& observed,
                                              const CacheCluster& cluster, const Node& node,
                                              DirectiveTable& known) {
  if (node.host.empty() || is_over(cluster) || node.move.left()) {
    return std::nullopt;
  }
  NodeAssignment out = settings_of(state, cluster, node, known);
  out.address = node.address;
  out.shared_address = shares_address(state, node.host);
  out.keep_data = node.keep_data;
  out.weigh = is_to_shrink(state, cluster);
  out.pause_writes = node.move.handing_over();
  out.snapshot_file = snapshot_file_of(state, cluster);
  if (const auto* group = state.find<ReplicationGroup>(cluster.replication_group)) {
    assign_role(state, observed, *group, node, out);
  }
  if (cluster.status == "creating" && out.role == Role::kPrimary) {
    out.restore_file = cluster.restore.file;
  }
  // An engine with an append-only file begins with that, and looks at no other. It can turn it on
  // while it runs, and does once the data is there.
  if (!out.restore_file.empty() && out.directives.contains("appendonly")) {
    out.directives.set("appendonly", "no");
  }
  return out;
}

std::optional<NodeAssignment> node_assignment(const State& state, const Observed& observed,
                                              const CacheCluster& cluster, const Node& node) {
  DirectiveTable known;
  return node_assignment(state, observed, cluster, node, known);
}

std::optional<NodeAssignment> arrival_assignment(const State& state, const Observed& observed,
                                                 const CacheCluster& cluster, const Node& node,
                                                 DirectiveTable& known) {
  if (!node.move.under_way() || is_over(cluster)) {
    return std::nullopt;
  }
  NodeAssignment out = settings_of(state, cluster, node, known);
  out.address = node.move.address;
  out.shared_address = shares_address(state, node.move.host);
  out.role = Role::kReplica;
  out.primary_address = node.address;
  out.primary_port = cluster.settings.port;
  out.primary_plain = !cluster.settings.access.encrypted();
  out.brisk = true;
  out.survey = node.move.handing_over();
  const auto* group = state.find<ReplicationGroup>(cluster.replication_group);
  const NodeGroup* node_group = group == nullptr ? nullptr : node_group_of(*group, cluster.id);
  out.attach = may_attach_arrival(state, observed, node_group, out.node);
  if (node_group == nullptr) {
    return out;
  }
  out.group = group->id;
  out.epoch = node_group->epoch;
  out.primary_name = internal_name(state.region(), group->id, node_group->id);
  const auto* primary = state.find<CacheCluster>(node_group->primary);
  if (primary != nullptr && !primary->nodes.empty()) {
    out.primary_address = primary->nodes[0].address;
    out.primary_port = primary->settings.port;
    out.primary_plain = !primary->settings.access.encrypted();
  }
  return out;
}

Assignment assignment_for(const State& state, const Observed& observed, const HostId& host) {
  Assignment out;
  out.host = host;
  out.revision = state.revision();
  DirectiveTable known;
  for (const auto& [id, cluster] : state.all<CacheCluster>()) {
    for (const Node& node : cluster.nodes) {
      auto one = node.host == host ? node_assignment(state, observed, cluster, node, known)
                 : node.move.host == host
                     ? arrival_assignment(state, observed, cluster, node, known)
                     : std::nullopt;
      if (one) {
        out.nodes.emplace_back(std::move(*one));
      }
    }
  }
  return out;
}

}  // namespace hikae::core
