#pragma once

#include "core/reconcile/plan.h"

namespace hikae::core {

// The next step of a snapshot that is being taken: choose who saves its data, wait for its agent,
// and make the outcome known. An empty reason: no snapshot is being taken of it.
//
// Data is taken from a replica that is in sync, and from a primary only while there is none: saving
// costs memory and processor time where clients write. A snapshot holds all that was acknowledged
// before it was asked for: first the primary is asked how far it is, then the replicas, and one
// saves that has come as far.
Plan plan_snapshot(const State& state, const Observed& observed, const ReplicationGroup& group,
                   AdmissionContext context);
Plan plan_snapshot(const State& state, const Observed& observed, const CacheCluster& standalone,
                   AdmissionContext context);

// A creating cluster whose engine cannot take in the snapshot's data: it and its group have failed,
// and wait to be deleted. Empty when that is not so.
Plan plan_restore_failure(const State& state, const Observed& observed, const CacheCluster& cluster,
                          AdmissionContext context);

// Events about how far the loading of a restored cache has come; empty when there is no news.
Plan plan_restore_progress(const State& state, const Observed& observed,
                           const CacheCluster& cluster, AdmissionContext context);

// Who is to tell how far it is, for the snapshot that is being taken of the group.
enum class PlaceWanted { kOfNobody, kOfPrimary, kOfReplicas };
PlaceWanted place_wanted(const State& state, const ReplicationGroup& group);

}  // namespace hikae::core
