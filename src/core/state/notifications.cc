#include "core/state/notifications.h"

#include "core/state/events.h"

namespace hikae::core {
namespace {

struct Named {
  std::string_view begins;  // the message of the event
  std::string_view name;
  std::string_view of_group = {};  // where it is another one for replication groups
};

constexpr Named kNames[] = {
    {"Cache cluster created", "CacheClusterProvisioningComplete"},
    {"Cache cluster deleted", "DeleteCacheClusterComplete"},
    {"Replication group ", "CreateReplicationGroupComplete"},
    {"Added cache node ", "AddCacheNodeComplete"},
    {"Failover from primary node ", "FailoverComplete"},
    {"Recovering cache nodes ", "CacheNodeReplaceStarted"},
    {"Finished recovery for cache nodes ", "CacheNodeReplaceComplete"},
    {"Snapshot succeeded for ", "SnapshotComplete"},
    {"Snapshot failed for ", "SnapshotFailed"},
    {"Service update is available for ", "ServiceUpdateAvailableForNode"},
    {"Updated to use a CacheParameterGroup ", "CacheClusterParametersChanged"},
    {"Succeeded applying modification to cache node type ", "CacheClusterScalingComplete",
     "ReplicationGroupScalingComplete"},
    {"Failed applying modification to cache node type ", "CacheClusterScalingFailed",
     "ReplicationGroupScalingFailed"},
    {"Failed to scale down ", "CacheClusterScalingFailed", "ReplicationGroupScalingFailed"},
};

}  // namespace

std::string_view notification_name(const Event& event) {
  const std::string_view message = event.message;
  const bool of_group = event.source_type == kSourceReplicationGroup;
  if (message.starts_with("Cache node ") && message.ends_with(" restarted")) {
    return "CacheNodesRebooted";
  }
  if (message.starts_with("Replication group ") && !message.ends_with(" created")) {
    return "";
  }
  for (const Named& one : kNames) {
    if (message.starts_with(one.begins)) {
      return of_group && !one.of_group.empty() ? one.of_group : one.name;
    }
  }
  return "";
}

NotificationTopics::NotificationTopics(const State& state) {
  for (const auto& [id, cluster] : state.all<CacheCluster>()) {
    take(kSourceCacheCluster, id.str(), cluster.settings);
  }
  for (const auto& [id, group] : state.all<ReplicationGroup>()) {
    take(kSourceReplicationGroup, id.str(), group.settings);
  }
}

void NotificationTopics::take(std::string_view source_type, const std::string& source,
                              const CacheSettings& settings) {
  const std::pair<std::string, std::string> key(source_type, source);
  if (settings.notification_topic_arn.empty() || settings.notification_topic_status != "active") {
    topics_.erase(key);
  } else {
    topics_[key] = settings.notification_topic_arn;
  }
}

std::vector<Notification> NotificationTopics::follow(const Transition& transition) {
  for (const Change& change : transition.changes) {
    if (const auto* cluster = std::get_if<Put<CacheCluster>>(&change)) {
      take(kSourceCacheCluster, cluster->value.id.str(), cluster->value.settings);
    } else if (const auto* group = std::get_if<Put<ReplicationGroup>>(&change)) {
      take(kSourceReplicationGroup, group->value.id.str(), group->value.settings);
    }
  }
  std::vector<Notification> out;
  for (const Change& change : transition.changes) {
    const auto* event = std::get_if<Put<Event>>(&change);
    if (event == nullptr || topics_.empty()) {
      continue;
    }
    const auto topic = topics_.find({event->value.source_type, event->value.source});
    if (topic != topics_.end()) {
      out.push_back({event->value, topic->second});
    }
  }
  for (const Change& change : transition.changes) {
    if (const auto* cluster = std::get_if<Remove<CacheCluster>>(&change)) {
      topics_.erase({std::string(kSourceCacheCluster), cluster->key.str()});
    } else if (const auto* group = std::get_if<Remove<ReplicationGroup>>(&change)) {
      topics_.erase({std::string(kSourceReplicationGroup), group->key.str()});
    }
  }
  return out;
}

}  // namespace hikae::core
