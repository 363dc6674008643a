#pragma once

#include <string>

#include "core/reconcile/observed.h"
#include "core/state/state.h"

namespace hikae::core {

// Groups in which a write survives every failover once the client had it confirmed by `WAIT`
// (docs/adr/0064-confirmed-writes-survive-by-a-quorum.md).

// So many replicas have to confirm a write: `min-replicas-to-write` of the parameter group by which
// the node group's primary runs. 0: nothing is promised.
int confirmations_of(const State& state, const NodeGroup& node_group);
int confirmations_of(const State& state, const ParameterGroupName& parameter_group);

// What the node has told since it was asked for its offset last; nullptr: nothing yet, or it cannot
// be heard any more.
const NodeObservation* answer_of(const State& state, const Observed& observed,
                                 const CacheClusterId& member);

// Replicas that may hold a confirmed write: all but those that are being made and have no copy yet.
int possible_holders(const State& state, const Observed& observed, const NodeGroup& node_group);

// Some replica has a copy, or has not told that it has none.
bool may_be_held(const State& state, const Observed& observed, const NodeGroup& node_group);

// So many replicas that hold whole copies of one stream have to answer before one of them may lead:
// then one of them holds every confirmed write. At least one.
int witnesses_needed(const State& state, const Observed& observed, const NodeGroup& node_group);

// Every replica is to be asked anew: the primary is gone or came back empty, and what they told
// before is no witness. Where no confirmed writes are promised: only while nothing is heard of a
// primary with a keeper, which goes on for as long as they follow it.
bool asks_witnesses(const State& state, const Observed& observed, const NodeGroup& node_group);

// A member that its owner removed has ended, and may have been the only one that confirmed a write.
// So it stays one of those that may hold it until enough of the others have come as far as the
// primary was after its end. These say whom to ask meanwhile, and when that is so.
bool asks_before_release(const State& state, const Observed& observed,
                         const ReplicationGroup& group, const NodeGroup& node_group,
                         const CacheClusterId& member);
bool may_release(const State& state, const Observed& observed, const ReplicationGroup& group,
                 const NodeGroup& node_group);

}  // namespace hikae::core
