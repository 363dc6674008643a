#include "core/failover/lease.h"

#include <algorithm>

namespace hikae::core {
namespace {

// On a clock that is slower than the leader's by one per cent it lasts for longer.
Duration longest(Duration lease) {
  return lease + lease / 100 + kLeaseSlack;
}

}  // namespace

Duration follow_bond() {
  return longest(kFollowPromise);
}

LeaseLedger::LeaseLedger(Monotonic now, Duration length)
    : length_(length), first_(now + std::max(longest(length), kLeaseHandover)) {}

void LeaseLedger::granted(const HostId& host, Monotonic now) {
  Monotonic& end = ends_[host];
  end = std::max(end, now + longest(length_));
}

Monotonic LeaseLedger::certain_end(const HostId& host) const {
  const auto it = ends_.find(host);
  return it == ends_.end() ? first_ : std::max(first_, it->second);
}

void HeldLease::extend(Monotonic asked, Duration length) {
  until_ = std::max(until_, asked + length);
}

Duration HeldLease::promised(Monotonic now) const {
  return until_ > granted_from_ + length_ && until_ > now ? until_ - now : Duration();
}

void HeldLease::granted(Monotonic asked, Duration length) {
  granted_from_ = std::max(granted_from_, asked);
  length_ = length;
  extend(asked, length);
}

}  // namespace hikae::core
