#include "core/failover/liveness.h"

namespace hikae::core {
namespace {

// Between two glances our own thread has looked at its sockets: an answer that had come was seen.
constexpr int kGlances = 3;

}  // namespace

void Liveness::begin() {
  *this = Liveness(limits_);
}

void Liveness::asked(Monotonic now) {
  if (ever_answered_ && !unanswered_since_) {
    unanswered_since_ = now;
  }
}

void Liveness::answered() {
  ever_answered_ = true;
  unanswered_since_.reset();
}

bool Liveness::glance(const ProcessActivity& seen, Monotonic now) {
  const bool works = seen.cpu_ticks != cpu_ticks_;
  cpu_ticks_ = seen.cpu_ticks;
  const bool still = seen.stopped || (unanswered_since_ && seen.sleeping && !works);
  if (!still) {
    still_since_.reset();
    still_glances_ = 0;
  } else {
    still_since_ = still_since_.value_or(now);
    ++still_glances_;
  }
  const bool hangs = still && still_glances_ >= kGlances && now - *still_since_ >= limits_.hang;
  const bool busy_too_long =
      unanswered_since_ && limits_.busy > Duration() && now - *unanswered_since_ >= limits_.busy;
  return hangs || busy_too_long;
}

}  // namespace hikae::core
