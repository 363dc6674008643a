#include "control/touched.h"

#include "core/state/access.h"

namespace hikae::control {
namespace {

using core::CacheCluster;
using core::ParameterGroup;
using core::Put;
using core::Remove;
using core::ReplicationGroup;

Unit group_unit(const core::ReplicationGroupId& id) {
  return {Unit::Kind::kGroup, id.str()};
}
Unit standalone_unit(const core::CacheClusterId& id) {
  return {Unit::Kind::kStandalone, id.str()};
}

struct Toucher {
  const core::State& state;
  std::set<Unit>& out;

  template <class T>
  void operator()(const T&) const {}

  void operator()(const Put<ReplicationGroup>& put) const { out.insert(group_unit(put.value.id)); }
  void operator()(const Remove<ReplicationGroup>& remove) const {
    out.insert(group_unit(remove.key));
  }
  void operator()(const Put<CacheCluster>& put) const { out.insert(unit_of(put.value)); }
  // A removed member's group is put by the same transition.
  void operator()(const Remove<CacheCluster>& remove) const {
    out.insert(standalone_unit(remove.key));
  }
  void operator()(const Put<ParameterGroup>& put) const {
    for (const auto& [id, cluster] : state.all<CacheCluster>()) {
      if (effective_settings(cluster).parameter_group == put.value.name) {
        out.insert(unit_of(cluster));
      }
    }
  }
  void operator()(const Put<core::Snapshot>& put) const {
    out.insert(put.value.group.empty() ? standalone_unit(put.value.cluster)
                                       : group_unit(put.value.group));
  }
  void operator()(const Put<core::UserGroup>& put) const {
    for (const core::ReplicationGroupId& id : replication_groups_of(state, put.value.id)) {
      out.insert(group_unit(id));
    }
  }
  void operator()(const Put<core::User>& put) const {
    for (const core::ReplicationGroupId& id : replication_groups_of(state, put.value.id)) {
      out.insert(group_unit(id));
    }
  }
  // Whose node is on it or comes to it; and who may go to it: nodes without a place, and those that
  // leave another host.
  void operator()(const Put<core::Host>& put) const {
    add_clusters_on(put.value.id);
    add_clusters_on(core::HostId());
    for (const auto& [id, host] : state.all<core::Host>()) {
      if (host.draining) {
        add_clusters_on(id);
      }
    }
  }
  void add_clusters_on(const core::HostId& host) const {
    for (const auto& [id, nodes] : state.occupancy().on(host).clusters) {
      out.insert(unit_of(*state.find<CacheCluster>(id)));
    }
  }
};

}  // namespace

std::string Unit::str() const {
  return (kind == Kind::kGroup ? "replication group " : "cache cluster ") + id;
}

Unit unit_of(const CacheCluster& cluster) {
  return cluster.replication_group.empty() ? standalone_unit(cluster.id)
                                           : group_unit(cluster.replication_group);
}

std::set<Unit> all_units(const core::State& state) {
  std::set<Unit> out;
  for (const auto& [id, group] : state.all<ReplicationGroup>()) {
    out.insert(group_unit(id));
  }
  for (const auto& [id, cluster] : state.all<CacheCluster>()) {
    out.insert(unit_of(cluster));
  }
  return out;
}

std::set<Unit> touched_units(const core::State& after, const core::Transition& transition) {
  std::set<Unit> out;
  Toucher toucher{after, out};
  for (const core::Change& change : transition.changes) {
    std::visit(toucher, change);
  }
  return out;
}

std::vector<const CacheCluster*> clusters_of(const core::State& state, const Unit& unit) {
  std::vector<const CacheCluster*> out;
  if (unit.kind == Unit::Kind::kStandalone) {
    const auto* cluster = state.find<CacheCluster>(core::CacheClusterId(unit.id));
    if (cluster != nullptr && cluster->replication_group.empty()) {
      out.push_back(cluster);
    }
    return out;
  }
  const auto* group = state.find<ReplicationGroup>(core::ReplicationGroupId(unit.id));
  if (group == nullptr) {
    return out;
  }
  for (const core::NodeGroup& node_group : group->node_groups) {
    for (const core::CacheClusterId& member : node_group.members) {
      if (const auto* cluster = state.find<CacheCluster>(member)) {
        out.push_back(cluster);
      }
    }
  }
  return out;
}

}  // namespace hikae::control
