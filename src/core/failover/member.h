#pragma once

#include <vector>

#include "core/reconcile/observed.h"
#include "core/state/state.h"

namespace hikae::core {

// A member of a node group as a failover looks at it. Pointers are into the state and what was
// observed, and last as long as those.
struct Member {
  NodeKey key;
  const CacheCluster* cluster = nullptr;  // nullptr: it left the state
  const NodeObservation* seen = nullptr;  // nullptr: not observed yet
};

Member member_of(const State& state, const Observed& observed, const CacheClusterId& id);

// It was chosen to lead, and before its promotion another process took the place of the one that
// was, which has not told that it holds anything.
bool may_be_empty(const NodeObservation& primary);
// And it answers: so it is certain that it does not.
bool came_back_empty(const NodeObservation& primary);

// Nobody can say what became of it, but it takes no writes by a server's word.
bool is_cut_off(const Observed& observed, const Member& primary);

// A replica is put in the place of a primary that is lost: at some time, and now, which it is not
// while the group is being made.
bool wants_failover(const ReplicationGroup& group, const NodeGroup& node_group);
bool failover_is_on(const ReplicationGroup& group, const NodeGroup& node_group);

// It holds a whole copy and could be promoted now.
bool can_lead(const Member& member);

// It is still being made and has its copy already. While nobody else can take writes, that is
// enough.
bool has_copy_early(const Member& member);

// A process of the member is still to be ended by a restart that was asked for.
bool is_to_restart(const Member& member);

// A replica's restart waits, because the primary is gone and the replica may hold the last copy.
bool restart_waits(const State& state, const Observed& observed, const ReplicationGroup& group,
                   const NodeGroup& node_group, const CacheClusterId& member);

// The replicas that can lead now. Those that are to restart only while nobody else can.
std::vector<Member> candidates(const State& state, const Observed& observed,
                               const NodeGroup& node_group);

// It was asked since the primary's end was seen, and told how far it is. Whoever does not answer
// may be dead already, or have come back without its copy.
bool has_answered(const Observed& observed, const Member& member);

// A replica that may hold a copy has not told yet whether it does.
bool awaits_replica(const State& state, const Observed& observed, const NodeGroup& node_group);

// A replica may have writes that clients had confirmed, so the primary's place is kept for it.
bool keeps_confirmed(const State& state, const Observed& observed, const NodeGroup& node_group);

}  // namespace hikae::core
