#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/admission/admission.h"
#include "core/state/state.h"

namespace hikae::core {

// What is to be done with files of snapshots, and what follows from its outcome.

struct SnapshotWork {
  enum class Kind { kCopy, kExport, kRemove };
  Kind kind = Kind::kCopy;
  SnapshotName snapshot;  // kCopy: the new one
  friend bool operator==(const SnapshotWork&, const SnapshotWork&) = default;
};

// The first that is to be done and is not of one of `later`.
std::optional<SnapshotWork> next_snapshot_work(const State& state,
                                               const std::set<SnapshotName>& later);

// Files of the snapshot directory that the state still needs.
std::set<std::string> snapshot_files_in_use(const State& state);

// A copy is whole: `files` has one name for each of its nodes. Empty when it is no longer wanted.
Transition snapshot_copied(const State& state, const SnapshotName& name,
                           const std::vector<std::string>& files, AdmissionContext context);
Transition snapshot_copy_failed(const State& state, const SnapshotName& name,
                                const std::string& why, AdmissionContext context);
// `why`: empty for a success.
Transition snapshot_exported(const State& state, const SnapshotName& name, const std::string& why,
                             AdmissionContext context);
Transition snapshot_removed(const State& state, const SnapshotName& name);

// `<key>-0001.rdb`
std::string export_key(const Snapshot& snapshot, const NodeSnapshot& node);

}  // namespace hikae::core
