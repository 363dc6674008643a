#pragma once

#include "core/admission/admission.h"
#include "core/state/state.h"

namespace hikae::core {

// What is due by the time alone: automatic snapshots whose daily window is open, automatic ones
// that are older than their source's retention, and snapshots whose source is gone before they were
// taken. Empty when nothing is. Asked again after every change and at least once a minute, it takes
// one snapshot of every source in each of its windows, whatever became of it.
Transition due_snapshots(const State& state, AdmissionContext context);

// `automatic.foo-001-2026-11-25-23-37`
SnapshotName automatic_snapshot_name(const CacheClusterId& source, Instant now);

}  // namespace hikae::core
