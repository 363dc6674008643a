#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"

namespace hikae::core {

// How long a process may give no sign before it counts as hung.
struct LivenessLimits {
  // It is stopped, or it sleeps and leaves a question unanswered: it does nothing at all.
  Duration hang = std::chrono::milliseconds(100);
  // It leaves questions unanswered but works, or waits for the machine: a long script, KEYS on many
  // keys, a disk that is slow. Zero: for ever.
  Duration busy = std::chrono::seconds(60);
};

// What a glance at a process shows.
struct ProcessActivity {
  bool stopped = false;  // by a signal or a debugger
  // Waits for something that the machine does not owe it: neither computes, nor waits for a
  // processor or a disk.
  bool sleeping = false;
  std::uint64_t cpu_ticks = 0;  // processor time used since its start
};

// Tells a process that hangs from one that is busy, from glances at it and from whether it answers.
//
// A machine that is short of processors delays us as well: silence is only held against a process
// that was seen doing nothing in several glances, one after the other, and a process that waits for
// a processor or a disk is busy, however long. One process at a time; no clock of its own.
class Liveness {
 public:
  explicit Liveness(LivenessLimits limits) : limits_(limits) {}

  // Another process from here on. It need not answer before it did for the first time.
  void begin();
  // A question is on its way, or is asked again.
  void asked(Monotonic now);
  void answered();
  // It owes no answer and was not seen standing still: a glance could not show that it hangs.
  bool is_unsuspected() const { return !unanswered_since_ && !still_since_; }
  // Takes in a glance; true: it hangs, as far as was seen until now.
  bool glance(const ProcessActivity& seen, Monotonic now);

 private:
  LivenessLimits limits_;
  bool ever_answered_ = false;
  std::optional<Monotonic> unanswered_since_;
  std::optional<Monotonic> still_since_;  // seen doing nothing, and never otherwise since
  int still_glances_ = 0;
  std::uint64_t cpu_ticks_ = 0;
};

}  // namespace hikae::core
