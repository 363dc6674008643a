#pragma once

#include <string>

#include "core/state/state.h"

namespace hikae::core {

// What follows from the table of snapshots for their sources. A snapshot that is being taken of a
// group changes nothing in how the group is kept; it only forbids to change the group meanwhile.

// The snapshot that is being taken of it; nullptr: none.
const Snapshot* snapshot_under_way(const State& state, const ReplicationGroup& group);
const Snapshot* snapshot_under_way(const State& state, const CacheCluster& cluster);

// Of that group, or where there is none of that standalone cluster.
bool is_taken_of(const Snapshot& snapshot, const ReplicationGroupId& group,
                 const CacheClusterId& standalone);

// Its status as the API shows it: `snapshotting` while a snapshot is taken, `deleting` from the
// call that asked for a final one.
std::string shown_status(const State& state, const ReplicationGroup& group);
std::string shown_status(const State& state, const CacheCluster& cluster);
// The same of a snapshot: `restoring` while a cache is made of it.
std::string shown_status(const State& state, const Snapshot& snapshot);

// Available, and no snapshot is being taken of it: it may be changed.
template <class Resource>
bool is_free(const State& state, const Resource& resource) {
  return shown_status(state, resource) == "available";
}

}  // namespace hikae::core
