#pragma once

#include <string>
#include <vector>

#include "core/admission/admission.h"
#include "core/reconcile/observed.h"
#include "core/state/events.h"
#include "core/state/state.h"

namespace hikae::core {

// What becomes of the nodes of a host that is dead
// (docs/adr/0033-a-dead-host-is-rebuilt-after-its-engines-fell-silent.md).

// The cluster's nodes have no place on the host any more. One on its way to another host is there
// from now on, unless all of its data was on this one. Answers whether the cluster was changed.
bool displace(const State& state, const HostId& host, CacheCluster& cluster, EventWriter& events);

// Why the host cannot be dead although its agent is gone: a replica on a host that is connected
// follows a primary there. Empty: nobody sees its engines.
std::string sign_of_life(const State& state, const Observed& observed, const HostId& host);

// The nodes of a dead host that may be placed elsewhere now, and why the others wait. A primary
// only when another member can take over, and it does that first; a replica only when a member that
// leads or can lead is in reach; a node that is alone when there is room for it, and it comes back
// empty, which `alarms` says. None at all while most hosts are out of reach: then it is rather this
// server that is cut off.
struct Rebuild {
  Transition transition;
  std::vector<std::string> waits;   // one line for each
  std::vector<std::string> alarms;  // what the operator has to know
};
Rebuild plan_rebuild(const State& state, const Observed& observed, const HostId& host, Instant now);

}  // namespace hikae::core
