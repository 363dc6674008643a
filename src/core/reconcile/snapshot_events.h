#pragma once

#include <string>

#include "core/resource/snapshot.h"
#include "core/state/events.h"

namespace hikae::core {

// AWS tells both the group and the node.
inline void add_snapshot_event(const Snapshot& snapshot, const std::string& text,
                               EventWriter& events) {
  if (!snapshot.group.empty()) {
    events.add(kSourceReplicationGroup, snapshot.group.str(), text);
  }
  events.add(kSourceCacheCluster, snapshot.cluster.str(), text);
}

}  // namespace hikae::core
