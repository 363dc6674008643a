#include <algorithm>

#include <fmt/format.h>

#include "core/naming/names.h"
#include "sim/world.h"

namespace hikae::sim {
namespace {

using core::CacheCluster;
using core::ReplicationGroup;
using core::Role;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Long enough for what the last fault left behind: a back-off of 12.8 s, a few synchronisations.
constexpr Duration kBound = seconds(60);
// The world must stay at rest for so long to be believed.
constexpr Duration kQuiet = seconds(1);
// An operator has read by then that a group waits.
constexpr Duration kOperator = seconds(20);
constexpr Duration kLookEvery = milliseconds(50);

}  // namespace

void World::come_to_rest() {
  Monotonic look_at = timeline_.now();
  std::optional<Monotonic> quiet_since;
  core::Revision quiet_revision;
  std::optional<std::string> why;
  while (!checker_.violation() && turn()) {
    if (timeline_.now() < look_at) {
      continue;
    }
    look_at = timeline_.now() + kLookEvery;
    give_up_promise();
    why = unrest();
    if (!why && quiet_since && quiet_revision != store_.state().revision()) {
      why = "the state still changes";
    }
    if (why) {
      quiet_since.reset();
    } else if (!quiet_since) {
      quiet_since = timeline_.now();
      quiet_revision = store_.state().revision();
    } else if (timeline_.now() - *quiet_since > kQuiet) {
      break;
    }
    if (timeline_.now() - rest_began_ > kBound) {
      checker_.fail("no rest after the faults stopped: " + why.value_or("still not quiet"));
    }
  }
  if (checker_.violation()) {
    return;
  }
  for (const auto& [id, group] : store_.state().all<ReplicationGroup>()) {
    for (const core::NodeGroup& node_group : group.node_groups) {
      const Engine* primary = fleet_.find_node({node_group.primary, core::NodeId("0001")});
      if (primary != nullptr) {
        checker_.check_acknowledged(id, *primary);
      }
    }
  }
}

void World::give_up_promise() {
  if (options_.confirmations == 0 || gave_up_ || timeline_.now() - rest_began_ < kOperator ||
      !controller_ || !controller_->open()) {
    return;
  }
  for (const auto& [id, group] : store_.state().all<ReplicationGroup>()) {
    for (const core::NodeGroup& node_group : group.node_groups) {
      const Engine* primary = fleet_.find_node({node_group.primary, core::NodeId("0001")});
      const bool serves = primary != nullptr && primary->writable(timeline_.now());
      if (!serves && node_group.wait_told == node_group.epoch) {
        trace_.line("world", "{} waits for confirmed writes that are lost", id.str());
        gave_up_ = true;
      }
    }
  }
  if (gave_up_) {
    checker_.give_up_confirmed();
    promise(0);
  }
}

std::optional<std::string> World::unrest() {
  if (!controller_ || !controller_->open()) {
    return "no controller";
  }
  for (const auto& [id, host] : hosts_) {
    if (host.down) {
      return fmt::format("no agent on {}", id.str());
    }
  }
  for (const auto& [id, group] : store_.state().all<ReplicationGroup>()) {
    if (auto why = unrest_of(group)) {
      return why;
    }
  }
  for (const auto& [id, cluster] : store_.state().all<CacheCluster>()) {
    if (!cluster.replication_group.empty()) {
      continue;
    }
    if (auto why = unrest_of(cluster, Role::kPrimary)) {
      return why;
    }
  }
  for (const auto& [name, snapshot] : store_.state().all<core::Snapshot>()) {
    if (snapshot.is_under_way()) {
      return fmt::format("snapshot {} is still being taken", name.str());
    }
  }
  return leftovers();
}

std::optional<std::string> World::unrest_of(const ReplicationGroup& group) {
  const std::string& name = group.id.str();
  if (group.status != "available") {
    const auto reason =
        controller_->reconciler().reason(control::Unit{control::Unit::Kind::kGroup, name});
    return fmt::format("{} is {}: {}", name, group.status, reason);
  }
  for (const core::NodeGroup& node_group : group.node_groups) {
    for (const core::CacheClusterId& id : node_group.members) {
      const auto* member = store_.state().find<CacheCluster>(id);
      const Role role = id == node_group.primary ? Role::kPrimary : Role::kReplica;
      if (auto why = unrest_of(*member, role)) {
        return why;
      }
    }
    const auto* primary = store_.state().find<CacheCluster>(node_group.primary);
    const auto address =
        zone_.resolve(core::primary_endpoint(store_.state().region(), group.id, node_group.id));
    if (address != primary->nodes.front().address) {
      return fmt::format("{}: the primary's name does not lead to {}", name, primary->id.str());
    }
  }
  const auto writer = writers_.find(group.id);
  if (writer != writers_.end() && writer->second->last_acknowledged() < rest_began_) {
    return fmt::format("{}: no write was acknowledged", name);
  }
  return std::nullopt;
}

std::optional<std::string> World::unrest_of(const CacheCluster& cluster, Role role) {
  const std::string& name = cluster.id.str();
  if (cluster.status != "available") {
    return fmt::format("{} is {}", name, cluster.status);
  }
  for (const core::Node& node : cluster.nodes) {
    const Engine* engine = fleet_.find_node({cluster.id, node.id});
    if (engine == nullptr || engine->dying || !engine->listening || engine->loading) {
      return fmt::format("{} does not run", name);
    }
    if (node.recovering) {
      return fmt::format("{} is recovering", name);
    }
    if (node.status != "available" || engine->role != role || engine->address != node.address) {
      return fmt::format("{} is not what it should be", name);
    }
    if (role == Role::kReplica && !engine->link_up) {
      return fmt::format("{} has no link to its primary", name);
    }
    const Engine* upstream = fleet_.find(engine->upstream);
    if (role == Role::kReplica && (upstream == nullptr || upstream->role != Role::kPrimary)) {
      return fmt::format("{} follows somebody who is no primary", name);
    }
  }
  return std::nullopt;
}

std::optional<std::string> World::leftovers() {
  for (const auto& [id, host] : hosts_) {
    for (const auto& [node, directory] : host.disk.nodes) {
      const auto* cluster = store_.state().find<CacheCluster>(node.cluster);
      if (cluster == nullptr || cluster->nodes.front().host != id) {
        return fmt::format("{} has {} left over", id.str(), node.str());
      }
    }
  }
  for (const auto& [pid, engine] : fleet_.all()) {
    if (store_.state().find<CacheCluster>(engine.node.cluster) == nullptr) {
      return fmt::format("process {} of {} is left over", pid, engine.node.str());
    }
  }
  return std::nullopt;
}

}  // namespace hikae::sim
