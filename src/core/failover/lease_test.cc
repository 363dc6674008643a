#include "core/failover/lease.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace hikae::core {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const HostId kHost("h1");
constexpr Monotonic kBegan(1'000'000'000);

TEST(LeaseLedger, ANewLeaderWaitsForWhatOthersGranted) {
  const LeaseLedger ledger(kBegan, milliseconds(1000));
  EXPECT_EQ(ledger.certain_end(kHost), kBegan + kLeaseHandover);
  EXPECT_GT(kLeaseHandover, kLongestLease + kLongestLease / 100 + kLeaseSlack)
      << "the servers of a region may be configured for different leases";
}

TEST(LeaseLedger, ALeaseLastsLongerThanItsLength) {
  LeaseLedger ledger(kBegan, milliseconds(1000));
  const Monotonic now = kBegan + seconds(60);
  ledger.granted(kHost, now);
  EXPECT_EQ(ledger.certain_end(kHost), now + milliseconds(1010) + kLeaseSlack);
  ledger.granted(kHost, kBegan + seconds(59));
  EXPECT_EQ(ledger.certain_end(kHost), now + milliseconds(1010) + kLeaseSlack);
  EXPECT_EQ(ledger.certain_end(HostId("h2")), kBegan + kLeaseHandover);
}

TEST(HeldLease, CountsFromTheQuestion) {
  HeldLease held;
  EXPECT_EQ(held.until(), Monotonic());
  held.granted(kBegan, milliseconds(1000));
  EXPECT_EQ(held.until(), kBegan + milliseconds(1000));
  EXPECT_FALSE(held.needs_replicas(kBegan + milliseconds(500)));
  EXPECT_TRUE(held.needs_replicas(kBegan + milliseconds(501)));
  held.extend(kBegan + milliseconds(600), milliseconds(1000));
  EXPECT_EQ(held.until(), kBegan + milliseconds(1600));
  EXPECT_TRUE(held.needs_replicas(kBegan + milliseconds(700))) << "servers are still silent";
  held.granted(kBegan + milliseconds(100), milliseconds(1000));
  EXPECT_EQ(held.until(), kBegan + milliseconds(1600)) << "an answer that comes late";
  EXPECT_EQ(held.promised(kBegan + milliseconds(700)), milliseconds(900));
  EXPECT_EQ(held.promised(kBegan + milliseconds(1700)), Duration());
  held.granted(kBegan + milliseconds(600), milliseconds(1000));
  EXPECT_EQ(held.promised(kBegan + milliseconds(700)), Duration());
}

// The agent's clock runs as it likes between one per cent slower and one per cent faster, and the
// messages take as long as they like.
RC_GTEST_PROP(Lease, EndsForTheEngineBeforeItEndsForTheLeader, ()) {
  const Duration length(
      *rc::gen::inRange<std::int64_t>(kShortestLease.count(), kLongestLease.count() + 1));
  const auto permille = *rc::gen::inRange<std::int64_t>(-9, 10);
  const auto there = *rc::gen::inRange<std::int64_t>(0, 3'000'000);
  const auto offset = *rc::gen::inRange<std::int64_t>(0, 1'000'000'000'000);
  // In real time: asked at 0, granted at `there`. The leader's clock is right, the agent's drifts.
  const auto agent_clock = [&](std::int64_t real) {
    return Monotonic(offset + real + real * permille / 1000);
  };
  LeaseLedger ledger(Monotonic(-100'000'000), length);
  ledger.granted(kHost, Monotonic(there));
  HeldLease held;
  held.granted(agent_clock(0), length);
  const std::int64_t certain_end = ledger.certain_end(kHost).microseconds();
  RC_ASSERT(agent_clock(certain_end) > held.until());
}

}  // namespace
}  // namespace hikae::core
