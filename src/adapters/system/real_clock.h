#pragma once

#include "control/ports.h"

namespace hikae::adapters {

// The machine's own clocks: CLOCK_REALTIME for now(), CLOCK_MONOTONIC for periods,
// CLOCK_BOOTTIME for leases.
class RealClock final : public control::Clock {
 public:
  Instant now() const override;
  Monotonic monotonic() const override;
  Monotonic unsuspended() const override;
  control::Awaitable<void> sleep_until(Monotonic t) override;
};

}  // namespace hikae::adapters
