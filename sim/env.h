#pragma once

#include "base/random.h"
#include "sim/options.h"
#include "sim/timeline.h"
#include "sim/trace.h"

namespace hikae::sim {

// What does not pass of a host that is cut off: what it should hear, what it says, or both.
enum class Way { kBoth, kIn, kOut };

// What every part of a run shares. One source of randomness: never draw twice in one expression.
struct Env {
  Random& random;
  Timeline& timeline;
  Trace& trace;
  const Options& options;

  Duration draw(Duration low, Duration high) const { return draw_between(random, low, high); }
};

}  // namespace hikae::sim
