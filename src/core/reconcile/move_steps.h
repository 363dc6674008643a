#pragma once

#include <string>

#include "core/reconcile/observed.h"
#include "core/state/state.h"

namespace hikae::core {

// A node moves to another host of its zone, which keeps its id, its names and its data
// (docs/adr/0034-a-host-is-drained-copy-first.md). A function of the state and of what was
// observed, without memory.
//
//   a copy starts at the new place and follows -> it has all -> the node is there, and the copy at
//   the old place ends
//
// A node that takes writes and has no replica hands them over in between: it holds back writes
// until the copy has all of them, then it ends, and only then does the copy lead. Before that
// everything can be called off, and nothing has happened.
enum class MoveStepKind {
  kNone,      // the node stays where it is
  kWait,      // for something to be observed
  kHandOver,  // hold back writes
  kLeave,     // end the process at the old place
  kArrive,    // the node is at the new place
  kCallOff,   // the copy at the new place is to go
};

struct MoveStep {
  MoveStepKind kind = MoveStepKind::kNone;
  std::string reason;  // one line
  // Ask again after this time even if nothing was observed; zero: no need.
  Duration recheck_after{};
};

// The next step of a cluster whose node is on its way. `leads`: it is the primary of its node
// group, or stands alone. `alone`: no other node holds its data.
MoveStep next_move_step(const State& state, const Observed& observed, const CacheCluster& cluster,
                        bool leads, bool alone, Instant now);

// The step, carried out on a copy of the cluster that the caller puts.
void take_move_step(const State& state, const MoveStep& step, CacheCluster& cluster, Instant now);

// A node that is to leave its host sets out, unless another one is on its way or no host has room:
// then `reason` says so and nothing is begun.
struct Departure {
  bool begun = false;
  std::string reason;
  Duration recheck_after{};
};
Departure set_out(const State& state, CacheCluster& cluster, Instant now);

// A copy has to be whole within this time.
inline constexpr Duration kMovePatience = std::chrono::minutes(30);
// Clients are kept waiting for so long at most.
inline constexpr Duration kHandOverBound = std::chrono::seconds(2);

}  // namespace hikae::core
