#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/admission/cache_settings.h"
#include "core/resource/cache_cluster.h"

namespace hikae::core {

// Where the data of a new cache comes from, as CreateReplicationGroup and CreateCacheCluster say
// it.
struct RestoreRequest {
  std::optional<std::string> snapshot;  // SnapshotName
  // SnapshotArns: the object, which was copied from its bucket and found whole.
  struct Fetched {
    std::string arn;
    std::string file;  // in the region's snapshot directory
    std::uint64_t bytes = 0;
    std::uint64_t used_memory = 0;  // 0: unknown
  };
  std::optional<Fetched> fetched;
  bool asked_for() const { return snapshot.has_value() || fetched.has_value(); }
};

// Settings that the client leaves out are the snapshot's. Refuses a snapshot that does not exist or
// is not available, and both ways at once.
Admitted<CacheSettingsRequest> with_snapshot_settings(const State& state,
                                                      const RestoreRequest& restore,
                                                      CacheSettingsRequest request);

// What the first node is to load; an empty source when nothing is asked for. Refuses an older
// engine than the snapshot's, and a node type into which the data does not fit.
Admitted<RestoreSource> restore_source(const State& state, const RestoreRequest& restore,
                                       const CacheSettings& settings);

}  // namespace hikae::core
