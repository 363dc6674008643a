#pragma once

#include <vector>

#include "core/failover/member.h"
#include "core/reconcile/observed.h"
#include "core/state/state.h"

namespace hikae::core {

// Which primaries take writes by a lease alone, and when one that cannot be asked takes none.

// The primary of this node group is to have a lease: another member may lead in its place, every
// member is on a host that can fence its engines, no engine runs that has no fence, and all that
// run have the same kind: replicas promise either by a command of the module, or by following.
bool wants_lease(const State& state, const Observed& observed, const ReplicationGroup& group,
                 const NodeGroup& node_group);

// Members other than the primary that may lead in its place: without the promise of each of them it
// does not go on when no server can be asked.
std::vector<Ipv4> lease_peers(const State& state, const NodeGroup& node_group);

// What the state knows of a node's fence.
struct FenceNote {
  bool fenced = false;
  bool kept = false;
  Epoch counted_epoch{0};
  friend bool operator==(const FenceNote&, const FenceNote&) = default;
};
FenceNote fence_note(const Node& node);

// What that is to be by what was seen. A primary is fenced only while its engine is known to take
// no write without a lease, and stays so when its host can no longer be asked. A replica that is
// counted on stays so until it has another place: until then the agent of the primary may have no
// other news.
FenceNote known_fence(const State& state, const Observed& observed, const ReplicationGroup& group,
                      const NodeGroup& node_group, const CacheCluster& member);

// The node takes no writes, for certain, although its host cannot be asked: it takes them by a
// lease alone, and the last one that a server granted is over. One that its replicas extend may
// last; see is_promised().
bool lease_is_over(const Observed& observed, const Node& node);

// The replicas are to be asked quickly what they promised and how far they are: the lease was over
// a moment ago, or one of them does not let the primary go on.
bool asks_replicas(const State& state, const Observed& observed, const NodeGroup& node_group);

// The member may lead in place of a primary whose host cannot be asked: that primary takes no
// writes without its promise.
bool is_counted_on(const Member& member, const Member& primary, const NodeGroup& node_group);

}  // namespace hikae::core
