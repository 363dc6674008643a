#pragma once

#include <string>
#include <vector>

#include "core/admission/admission.h"
#include "core/state/state.h"

namespace hikae::core {

struct NewPlace {
  HostId host;
  Ipv4 address;
  std::string reason;  // one line: why this host
};

// Another host of the node's zone that has room for it: the one with the fewest members of its
// group, then the fewest nodes, then the id. A refusal says what each of them lacks.
Admitted<NewPlace> place_anew(const State& state, const CacheCluster& cluster, const Node& node);

// The node is where it was on its way to.
void arrive(const State& state, Node& node);

// The node is to leave its host, which is being drained.
bool is_to_leave(const State& state, const Node& node, Instant now);

// Some node of the region is on its way. One at a time, because each takes a full synchronisation.
bool any_node_moves(const State& state);

// For people, one line for each node on a host that is being drained, or is on its way from it:
// where it goes, or why it cannot.
std::vector<std::string> drain_notes(const State& state, const HostId& host);

}  // namespace hikae::core
