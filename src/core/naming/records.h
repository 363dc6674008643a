#pragma once

#include <vector>

#include "core/naming/name_record.h"
#include "core/state/state.h"

namespace hikae::core {

// Names are a projection of the state: nothing sets them, so nothing can forget to.

// All records of one replication group: primary, reader, internal name and the members' own names.
// A member has names while it is in service; the group has names once it was available. Empty for a
// group that does not exist.
std::vector<NameRecord> group_records(const State& state, const ReplicationGroupId& group);

// The node names of a standalone cache cluster.
std::vector<NameRecord> cluster_records(const State& state, const CacheClusterId& cluster);

}  // namespace hikae::core
