#include <algorithm>

#include <fmt/format.h>

#include "core/admission/parameter_group.h"
#include "core/catalog/directives.h"
#include "core/reconcile/cluster_steps.h"
#include "core/reconcile/roll.h"

namespace hikae::core {
namespace {

// Of two groups: some parameter that only a reboot brings has another value.
bool needs_reboot(const State& state, const ParameterGroupName& from,
                  const ParameterGroupName& to) {
  const auto before = find_parameter_group(state, from.str());
  const auto after = find_parameter_group(state, to.str());
  if (!before || !after) {
    return false;
  }
  return std::any_of(after->family->parameters.begin(), after->family->parameters.end(),
                     [&](const Parameter& parameter) {
                       const auto* old = find_parameter(*before->family, parameter.name);
                       return parameter.change == Parameter::Change::kRequiresReboot &&
                              old != nullptr && before->value(*old) != after->value(parameter);
                     });
}

}  // namespace

CacheSettings target_of(const State& state, const CacheCluster& cluster) {
  const auto* group = state.find<ReplicationGroup>(cluster.replication_group);
  return group == nullptr ? with(cluster.settings, cluster.applying)
                          : with(group->settings, group->applying);
}

bool is_yet_to_change(const State& state, const CacheCluster& member) {
  return is_in_hand(member) || differs(member, target_of(state, member));
}

// The primary is weighed, and by now that may be a member that is small already.
bool is_to_shrink(const State& state, const CacheCluster& cluster) {
  const auto* later = find_node_type(target_of(state, cluster).node_type);
  const auto shrinks = [&](const CacheCluster& member) {
    const auto* now = find_node_type(effective_settings(member).node_type);
    return now != nullptr && later != nullptr && later->memory_bytes < now->memory_bytes;
  };
  const auto* group = state.find<ReplicationGroup>(cluster.replication_group);
  if (group == nullptr) {
    return shrinks(cluster);
  }
  for (const NodeGroup& node_group : group->node_groups) {
    for (const CacheClusterId& id : node_group.members) {
      const auto* member = state.find<CacheCluster>(id);
      if (member != nullptr && shrinks(*member)) {
        return true;
      }
    }
  }
  return false;
}

std::uint64_t room_of(const State& state, const CacheSettings& settings) {
  const auto group = find_parameter_group(state, settings.parameter_group.str());
  const auto* type = find_node_type(settings.node_type);
  return group && type != nullptr ? maxmemory_bytes(*group->family, *type, group->overrides()) : 0;
}

void tell(const State& state, CacheCluster& member, const CacheSettings& target, Instant now) {
  member.upgrade = changes_between(member.settings, target);
  member.status = "modifying";
  const bool reboot = !member.upgrade.parameter_group.empty() && !member.upgrade.renews() &&
                      needs_reboot(state, member.settings.parameter_group, target.parameter_group);
  for (Node& node : member.nodes) {
    ++node.edition;
    node.renew = member.upgrade.renews();
    node.restart_at = now;
    const bool waits_already = node.parameter_status == "pending-reboot" && !node.renew;
    node.parameter_status = reboot || waits_already ? "pending-reboot" : "applying";
  }
}

void begin_restart(CacheCluster& member, bool keep_data, EventWriter& events, Instant now) {
  for (Node& node : member.nodes) {
    ask_for_restart(node);
    node.renew = false;
    node.keep_data = keep_data;
    node.restart_at = now;
    events.add(kSourceCacheCluster, member.id.str(),
               fmt::format("Cache node {} shutdown", node.id.str()));
  }
}

void finish_upgrade(const Observed& observed, CacheCluster& member, EventWriter& events,
                    Instant now) {
  const NodeChanges done = member.upgrade;
  member.settings = effective_settings(member);
  member.upgrade = {};
  for (Node& node : member.nodes) {
    node.renew = node.keep_data = false;
    if (node.parameter_status == "applying") {
      node.parameter_status = "in-sync";
    }
    const auto* seen = observed.find(NodeKey{member.id, node.id});
    if (seen != nullptr && !seen->substitution.empty() &&
        !(done.engine.empty() && done.engine_version.empty())) {
      events.add(kSourceCacheCluster, member.id.str(),
                 fmt::format("Cache node {}: {}", node.id.str(), seen->substitution));
    }
  }
  make_available(observed, member, events, now);
  if (!done.engine.empty() || !done.engine_version.empty() || done.updates()) {
    events.add(kSourceCacheCluster, member.id.str(), "Cache cluster patched");
  }
}

void take_back(CacheCluster& member, Instant now) {
  if (!is_in_hand(member)) {
    return;
  }
  member.upgrade = {};
  for (Node& node : member.nodes) {
    ++node.edition;
    node.renew = false;
    node.parameter_status = "in-sync";
    if (node.status == "rebooting") {
      ask_for_restart(node);
      node.restart_at = now;
    }
  }
}

void call_off_restart(CacheCluster& member, const NodeObservation& runs) {
  for (Node& node : member.nodes) {
    if (node.status != "rebooting" || runs.dead()) {
      continue;
    }
    node.status = "available";
    if (runs.generation < node.generation) {
      node.called_off = node.generation;
      node.generation = runs.generation;
      node.renew = !member.upgrade.empty();
      if (member.status == "rebooting cluster nodes") {
        node.parameter_status = "pending-reboot";  // it may have been, and an owner asks again
      }
    }
  }
}

void tell_of_success(const NodeChanges& changes, std::string_view source_type,
                     const std::string& source, EventWriter& events) {
  if (!changes.node_type.empty()) {
    events.add(source_type, source,
               fmt::format("Succeeded applying modification to cache node type to {}.",
                           changes.node_type));
  }
  if (!changes.engine_version.empty()) {
    events.add(source_type, source,
               fmt::format("Succeeded applying modification to engine version to {}.",
                           changes.engine_version));
  }
  if (!changes.transit_encryption.empty()) {
    events.add(source_type, source,
               fmt::format("Succeeded applying modification to transit encryption mode to {}.",
                           changes.transit_encryption));
  }
  if (!changes.parameter_group.empty()) {
    events.add(
        source_type, source,
        fmt::format("Updated to use a CacheParameterGroup {}", changes.parameter_group.str()));
  }
}

void tell_of_failure(const NodeChanges& changes, std::string_view source_type,
                     const std::string& source, const RollStep& step, EventWriter& events) {
  const std::string& reason = step.reason;
  if (step.too_small) {
    const char* what = source_type == kSourceReplicationGroup ? "Replication Group" : "Cluster";
    events.add(source_type, source,
               fmt::format("Failed to scale down to cache node type {} {} [{}] because {}.",
                           changes.node_type, what, source, reason));
    return;
  }
  if (!changes.node_type.empty()) {
    events.add(source_type, source,
               fmt::format("Failed applying modification to cache node type to {}. {}",
                           changes.node_type, reason));
  }
  if (!changes.engine_version.empty()) {
    events.add(source_type, source,
               fmt::format("Failed applying modification to engine version to {}. {}",
                           changes.engine_version, reason));
  }
  if (!changes.transit_encryption.empty()) {
    events.add(source_type, source,
               fmt::format("Failed applying modification to transit encryption mode to {}. {}",
                           changes.transit_encryption, reason));
  }
  if (!changes.parameter_group.empty()) {
    events.add(source_type, source,
               fmt::format("Failed applying modification to cache parameter group to {}. {}",
                           changes.parameter_group.str(), reason));
  }
  if (changes.updates()) {
    events.add(source_type, source, fmt::format("Failed applying service update. {}", reason));
  }
}

void begin_changes(CacheCluster& standalone, const NodeChanges& changes) {
  standalone.applying = changes;
  standalone.pending = {};
  standalone.status = changes.empty() ? standalone.status : "modifying";
}

void begin_changes(const State& state, ReplicationGroup& group, const NodeChanges& changes,
                   Transition& out) {
  group.applying = changes;
  group.pending = {};
  if (changes.empty()) {
    return;
  }
  group.status = "modifying";
  for (const NodeGroup& node_group : group.node_groups) {
    for (const CacheClusterId& id : node_group.members) {
      const auto* member = find_after<CacheCluster>(state, out, id);
      if (member != nullptr && member->status == "available") {
        CacheCluster next = *member;
        next.status = "modifying";
        out.put(std::move(next));
      }
    }
  }
}

}  // namespace hikae::core
