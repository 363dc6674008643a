#include "core/reconcile/cluster_steps.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/admission/windows.h"

namespace hikae::core {

const ZoneName& zone_wish(const Node& node) {
  return node.zone.empty() ? node.preferred_zone : node.zone;
}

const NodeObservation* seen_of(const State& state, const Observed& observed,
                               const CacheClusterId& id) {
  const auto* cluster = state.find<CacheCluster>(id);
  return cluster == nullptr || cluster->nodes.empty() ? nullptr
                                                      : observed.find(id, cluster->nodes[0]);
}

void set_placement(CacheCluster& cluster, const PlacedNode& placed, AdmissionContext context) {
  for (Node& node : cluster.nodes) {
    if (node.id != placed.node.node) {
      continue;
    }
    node.host = placed.host;
    node.zone = placed.zone;
    node.subnet = placed.subnet;
    node.vpc_address = placed.vpc_address;
    node.address = placed.address;
    node.placement_reason = placed.reason;
    node.network_interface = NetworkInterfaceId("eni-" + context.random.hex(17));
    node.created_at = context.now;
    node.fenced = node.kept = false;
    node.counted_epoch = Epoch(0);
  }
}

std::string missing(const Observed& observed, const CacheCluster& cluster, Role role) {
  for (const Node& node : cluster.nodes) {
    const NodeKey key{cluster.id, node.id};
    const auto* seen = observed.find(key);
    if (seen == nullptr || seen->process != NodeObservation::Process::kRunning) {
      const bool told = seen != nullptr && !seen->problem.empty();
      return fmt::format("the process of {}{}", key.str(), told ? ": " + seen->problem : "");
    }
    if (seen->generation < node.generation) {
      return fmt::format("the restart of {}", key.str());
    }
    if (!seen->ready) {
      return fmt::format("an answer of {}", key.str());
    }
    if (seen->edition != node.edition) {
      return fmt::format("the parameters of {}", key.str());
    }
    if (seen->role != role) {
      return fmt::format("{} to become {}", key.str(),
                         role == Role::kPrimary ? "primary" : "a replica");
    }
    if (role == Role::kReplica && !seen->link_up) {
      return fmt::format("{} to synchronise", key.str());
    }
  }
  return "";
}

bool in_service(const Observed& observed, const CacheCluster& cluster, Role role) {
  return missing(observed, cluster, role).empty();
}

bool has_taken_up(const Observed& observed, const HostId& host, Revision revision) {
  const auto taken_up = observed.assignment_revision.find(host);
  return taken_up != observed.assignment_revision.end() && taken_up->second >= revision;
}

bool released(const Observed& observed, const CacheCluster& cluster) {
  for (const Node& node : cluster.nodes) {
    const NodeKey key{cluster.id, node.id};
    const bool here =
        !node.host.empty() &&
        (!has_taken_up(observed, node.host, cluster.retired_at) || observed.find(key) != nullptr);
    const bool there =
        node.move.under_way() && (!has_taken_up(observed, node.move.host, cluster.retired_at) ||
                                  observed.find_arrival(key) != nullptr);
    if (here || there) {
      return false;
    }
  }
  return true;
}

void make_available(const Observed& observed, CacheCluster& cluster, EventWriter& events,
                    Instant now) {
  const bool first_time = !cluster.created_at.has_value();
  for (Node& node : cluster.nodes) {
    if (node.status == "creating") {
      events.add(kSourceCacheCluster, cluster.id.str(),
                 fmt::format("Added cache node {} in availability zone {}", node.id.str(),
                             node.zone.str()));
    } else if (node.status == "rebooting") {
      events.add(kSourceCacheCluster, cluster.id.str(),
                 fmt::format("Cache node {} restarted", node.id.str()));
    }
    const auto* seen = observed.find(NodeKey{cluster.id, node.id});
    if (first_time && seen != nullptr && !seen->substitution.empty()) {
      events.add(kSourceCacheCluster, cluster.id.str(),
                 fmt::format("Cache node {}: {}", node.id.str(), seen->substitution));
    }
    node.status = "available";
  }
  cluster.status = "available";
  cluster.restore = {};
  if (first_time) {
    cluster.created_at = now;
    events.add(kSourceCacheCluster, cluster.id.str(), "Cache cluster created");
  }
}

void begin_recovery(CacheCluster& cluster, EventWriter& events) {
  for (Node& node : cluster.nodes) {
    node.recovering = true;
    events.add(kSourceCacheCluster, cluster.id.str(),
               fmt::format("Recovering cache nodes {}", node.id.str()));
  }
}

void finish_recovery(CacheCluster& cluster, EventWriter& events) {
  for (Node& node : cluster.nodes) {
    node.recovering = false;
    events.add(kSourceCacheCluster, cluster.id.str(),
               fmt::format("Finished recovery for cache nodes {}", node.id.str()));
  }
}

bool settle_parameters(const Observed& observed, CacheCluster& cluster) {
  bool changed = false;
  for (Node& node : cluster.nodes) {
    const auto* seen = observed.find(NodeKey{cluster.id, node.id});
    if (node.parameter_status == "applying" && seen != nullptr && seen->edition == node.edition) {
      node.parameter_status = "in-sync";
      changed = true;
    }
  }
  return changed;
}

bool is_maintenance_time(const CacheSettings& settings, Instant now, Duration& recheck_after) {
  // Civil time may jump, and the window may be changed: it is never waited for longer than this.
  constexpr Duration kLongestWait = std::chrono::minutes(10);
  const auto until = until_maintenance(settings.maintenance_window, now);
  if (until == Duration()) {
    return true;
  }
  recheck_after = std::min(until.value_or(kLongestWait), kLongestWait);
  return false;
}

}  // namespace hikae::core
