#pragma once

#include <string>
#include <vector>

#include "core/placement/placement.h"
#include "core/reconcile/observed.h"
#include "core/state/events.h"
#include "core/state/state.h"

namespace hikae::core {

// Steps that replication groups and standalone clusters share.

// The zone in which the node has to be: the one it was in when its host was lost, else the one that
// the client asked for; empty for any.
const ZoneName& zone_wish(const Node& node);

// What is seen of the cluster's node; nullptr: not observed yet, or no such cluster.
const NodeObservation* seen_of(const State& state, const Observed& observed,
                               const CacheClusterId& id);

// Writes a placement into a cluster that `transition` is about to put.
void set_placement(CacheCluster& cluster, const PlacedNode& placed, AdmissionContext context);

// True when every node of the cluster runs the asked generation, answers, has taken what it can of
// the newest edition, has the asked role, and as a replica is synchronised.
bool in_service(const Observed& observed, const CacheCluster& cluster, Role role);

// What the first node that is not in service still lacks, in words.
std::string missing(const Observed& observed, const CacheCluster& cluster, Role role);

// The host's agent has told that it acts by an assignment of that revision or a later one.
bool has_taken_up(const Observed& observed, const HostId& host, Revision revision);

// True when no host has anything left of a deleting cluster.
bool released(const Observed& observed, const CacheCluster& cluster);

// Moves a creating or rebooting cluster to available, with the events that AWS writes.
void make_available(const Observed& observed, CacheCluster& cluster, EventWriter& events,
                    Instant now);

// A process was lost and is being brought back; and is back (AWS's events of a node replacement).
void begin_recovery(CacheCluster& cluster, EventWriter& events);
void finish_recovery(CacheCluster& cluster, EventWriter& events);

// A changed parameter is `applying` until the node has taken it. Answers whether that is over for
// some node of the cluster, and notes it.
bool settle_parameters(const Observed& observed, CacheCluster& cluster);

// What waits for the maintenance window has its turn now; else says when to look again.
bool is_maintenance_time(const CacheSettings& settings, Instant now, Duration& recheck_after);

}  // namespace hikae::core
