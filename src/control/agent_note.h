#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/shared_map.h"
#include "core/resource/access.h"

namespace hikae::control {

// The file of a note in the node's directory.
inline constexpr std::string_view kAgentNoteFile = "node.note";

// What an agent must know of a running process and cannot ask it, so that the next agent adopts it
// with nothing to do. Written before the process is started, so it never lags behind.
struct AgentNote {
  std::uint64_t generation = 0;
  std::string program;  // what was started; empty when it is not known
  std::string version;  // of it, `valkey 8.0.1`; likewise
  // The process was told to save its data for the next start, which has not answered yet.
  bool saved = false;
  SharedMap directives;      // as started and changed since
  core::Access access;       // likewise
  SharedMap users;           // likewise; the file is as private as the engine's configuration
  std::uint64_t starts = 0;  // how often a process was started, this one among them
  friend bool operator==(const AgentNote&, const AgentNote&) = default;
};

// One `key=value` a line.
std::string write_agent_note(const AgentNote& note);
// Lines it does not know are left out; what is missing keeps its default (generation 0 makes the
// agent restart the process).
AgentNote read_agent_note(std::string_view text);

}  // namespace hikae::control
