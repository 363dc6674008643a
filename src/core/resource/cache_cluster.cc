#include "core/resource/cache_cluster.h"

#include <algorithm>

#include "core/resource/replication_group.h"

namespace hikae::core {
namespace {

template <class T>
void take_over(T& to, const T& from) {
  if (!from.empty()) {
    to = from;
  }
}

template <class T>
T if_changed(const T& from, const T& to) {
  return from == to ? T() : to;
}

}  // namespace

CacheSettings with(CacheSettings settings, const NodeChanges& changes) {
  take_over(settings.engine, changes.engine);
  take_over(settings.engine_version, changes.engine_version);
  take_over(settings.node_type, changes.node_type);
  take_over(settings.parameter_group, changes.parameter_group);
  if (changes.access) {
    settings.access.tokens = changes.access->tokens;
    settings.access.token_optional = changes.access->token_optional;
  }
  if (!changes.transit_encryption.empty()) {
    settings.access.transit_encryption =
        changes.transit_encryption == kNoEncryption ? "" : changes.transit_encryption;
  }
  settings.renewal = std::max(settings.renewal, changes.renewal);
  return settings;
}

NodeChanges changes_between(const CacheSettings& from, const CacheSettings& to) {
  NodeChanges out;
  out.engine = if_changed(from.engine, to.engine);
  out.engine_version = if_changed(from.engine_version, to.engine_version);
  out.node_type = if_changed(from.node_type, to.node_type);
  out.parameter_group = if_changed(from.parameter_group, to.parameter_group);
  if (!from.access.same_tokens(to.access)) {
    out.access = to.access;
  }
  if (from.access.transit_encryption != to.access.transit_encryption) {
    out.transit_encryption = to.access.encrypted() ? to.access.transit_encryption : kNoEncryption;
  }
  if (from.renewal < to.renewal) {
    out.renewal = to.renewal;
  }
  return out;
}

bool is_restarting(const CacheCluster& cluster) {
  return std::any_of(cluster.nodes.begin(), cluster.nodes.end(),
                     [](const Node& node) { return node.status == "rebooting"; });
}

void ask_for_restart(Node& node) {
  node.generation = std::max(node.generation, node.called_off) + 1;
  node.status = "rebooting";
  node.parameter_status = "in-sync";
}

CacheSettings effective_settings(const CacheCluster& cluster) {
  return with(cluster.settings, cluster.upgrade);
}

bool uses(const CacheCluster& cluster, const ParameterGroupName& group) {
  return cluster.settings.parameter_group == group || cluster.upgrade.parameter_group == group ||
         cluster.applying.parameter_group == group || cluster.pending.parameter_group == group;
}

bool uses(const ReplicationGroup& group, const ParameterGroupName& name) {
  return group.settings.parameter_group == name || group.applying.parameter_group == name ||
         group.pending.parameter_group == name;
}

}  // namespace hikae::core
