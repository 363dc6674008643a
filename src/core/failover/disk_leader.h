#pragma once

#include <cstdint>
#include <optional>

#include "core/reconcile/observed.h"
#include "core/state/state.h"

namespace hikae::core {

// What the files of an engine come to that never had data, and more.
inline constexpr std::uint64_t kEmptyOnDisk = 512;

// It starts again from its own disk, and so with all that it had.
bool starts_from_disk(const Observed& observed, const NodeKey& key);

// For a node group of which no process holds a copy any more: the member that is to lead in place
// of the primary, because it has the most data on its disk and the primary has none. Nobody when
// the primary has data itself, which is never older than a replica's, or when nobody has.
std::optional<CacheClusterId> disk_leader(const State& state, const Observed& observed,
                                          const NodeGroup& node_group);

}  // namespace hikae::core
