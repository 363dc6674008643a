#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/reconcile/assignment.h"
#include "core/resource/ids.h"

namespace hikae::core {

// What an agent saw of one node, the newest reading of each value.
struct NodeObservation {
  enum class Process {
    kAbsent,   // no process, no directory
    kStopped,  // a directory without a process
    kStarting,
    kRunning,
  };
  NodeKey node;
  Process process = Process::kAbsent;
  std::int64_t pid = 0;
  std::uint64_t generation = 0;  // of the running process
  bool ready = false;            // answers commands and is not loading
  Role role = Role::kPrimary;    // as the engine says
  bool link_up = false;          // replica: its first synchronisation is done and the link is up
  std::uint64_t replication_offset = 0;
  std::string running_version;  // `8.0.1`, of the installed engine
  std::string problem;          // one line for the operator, empty when all is well
  friend bool operator==(const NodeObservation&, const NodeObservation&) = default;
};

// One agent's whole view, sent after every change. Level-triggered: a lost report costs time only.
struct HostReport {
  HostId host;
  Revision assignment_revision;  // of the newest assignment the agent has taken up
  std::vector<NodeObservation> nodes;
};

// The newest report of every host.
struct Observed {
  std::map<HostId, Revision> assignment_revision;
  std::map<NodeKey, NodeObservation> nodes;

  const NodeObservation* find(const NodeKey& key) const {
    const auto it = nodes.find(key);
    return it == nodes.end() ? nullptr : &it->second;
  }
};

}  // namespace hikae::core
