#pragma once

#include <cstdint>
#include <string>

#include "control/agent_note.h"
#include "control/ports.h"
#include "core/reconcile/node_action.h"

namespace hikae::control {

// How far a node has come towards its newest assignment, told to whoever plans its restart.
struct AgentStanding {
  std::string wanted_program;  // what serves the assignment; empty: nothing installed does
  std::string wanted_version;  // `valkey 8.0.2`, of it
  std::uint64_t programs = 0;  // EngineDriver::programs_edition() when it was judged
  std::string unservable;      // then why
  std::string substitution;    // not empty: what the wanted program stands in for
  std::uint64_t edition = 0;   // the newest of which all that needs no restart is in effect
  bool outdated = false;       // a restart would bring something of it

  // The assignment names an engine or a version that was not judged yet, or other programs are
  // installed. A program that is not
  // noted is taken for the right one.
  void judge(EngineDriver& driver, const core::NodeAssignment& desired, AgentNote& note);
  // Compares what runs with what is wanted.
  void take_stock(const core::NodeAssignment& desired, const core::NodeKnowledge& known,
                  const AgentNote& note, const std::string& running_version);
  // `valkey 8.0.2` where that is what a restart would bring, and newer than the version that runs;
  // else empty.
  std::string newer_program(const std::string& running_version, const AgentNote& note) const;
  // A new process was started from `spec`.
  void restarted(const LaunchSpec& spec);
};

// The two ask for different engines or versions, or for other clients, which takes a module.
bool asks_for_other_engine(const core::NodeAssignment& a, const core::NodeAssignment& b);

}  // namespace hikae::control
