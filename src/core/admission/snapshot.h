#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "core/admission/admission.h"
#include "core/resource/snapshot.h"

namespace hikae::core {

// AWS User Guide, "Making manual backups".
inline constexpr std::size_t kMaxManualSnapshots = 20;  // of one source within 24 hours
// Ours: a table that is gone through on every answer has to have an end.
inline constexpr std::size_t kMaxSnapshots = 5000;

struct CreateSnapshot {
  std::string name;
  std::optional<std::string> cluster;
  std::optional<std::string> group;
  Tags tags;
};
// Begins a snapshot of an available group or cluster; its agents and the reconciler finish it.
Admitted<Transition> admit(const State& state, const CreateSnapshot& command,
                           AdmissionContext context);

struct CopySnapshot {
  std::string source;
  std::string target;
  std::optional<std::string> bucket;  // export the files in place of making another snapshot
  Tags tags;
};
Admitted<Transition> admit(const State& state, const CopySnapshot& command,
                           AdmissionContext context);

struct DeleteSnapshot {
  std::string name;
};
Admitted<Transition> admit(const State& state, const DeleteSnapshot& command,
                           AdmissionContext context);

// A snapshot that begins now, of the source as it is. For those that nobody asked for by name too.
Snapshot new_snapshot(const State& state, const ReplicationGroup& group, const CacheCluster& member,
                      SnapshotName name, Instant now);
Snapshot new_snapshot(const State& state, const CacheCluster& standalone, SnapshotName name,
                      Instant now);

// The last snapshot of what is to be deleted, checked like any other that a client asks for.
Admitted<Snapshot> final_snapshot(const State& state, const ReplicationGroup& group,
                                  const std::string& name, Instant now);
Admitted<Snapshot> final_snapshot(const State& state, const CacheCluster& standalone,
                                  const std::string& name, Instant now);

// Automatic snapshots go with their source: those of the group, or of the standalone cluster.
void drop_automatic_snapshots(const State& state, const ReplicationGroupId& group,
                              const CacheClusterId& standalone, Transition& transition);

Fault snapshot_not_found(std::string_view name);

}  // namespace hikae::core
