#include "core/failover/liveness.h"

#include <gtest/gtest.h>

namespace hikae::core {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr LivenessLimits kLimits{milliseconds(100), seconds(10)};

class LivenessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    liveness_.begin();
    liveness_.answered();
  }
  // Glances every 3 ms for that long; when it was first found to hang, or nothing.
  std::optional<Duration> watch(ProcessActivity seen, Duration longest, int ticks_each = 0) {
    const Monotonic begin = now_;
    while (now_ - begin <= longest) {
      seen.cpu_ticks = ticks_ += std::uint64_t(ticks_each);
      if (liveness_.glance(seen, now_)) {
        return now_ - begin;
      }
      now_ = now_ + milliseconds(3);
    }
    return std::nullopt;
  }

  static ProcessActivity sleeping() { return {false, true, 0}; }
  static ProcessActivity stopped() { return {true, false, 0}; }
  static ProcessActivity waiting() { return {false, false, 0}; }  // for a processor or a disk

  Liveness liveness_{kLimits};
  Monotonic now_{1'000'000};
  std::uint64_t ticks_ = 5;
};

TEST_F(LivenessTest, AStoppedProcessHangsAfterHang) {
  const auto after = watch(stopped(), seconds(1));
  ASSERT_TRUE(after);
  EXPECT_GE(*after, kLimits.hang);
  EXPECT_LE(*after, kLimits.hang + milliseconds(3));
}

TEST_F(LivenessTest, SoDoesOneThatSleepsOnAQuestion) {
  liveness_.asked(now_);
  const auto after = watch(sleeping(), seconds(1));
  ASSERT_TRUE(after);
  EXPECT_LE(*after, kLimits.hang + milliseconds(6));
}

TEST_F(LivenessTest, AnIdleProcessThatNobodyAskedIsFine) {
  EXPECT_FALSE(watch(sleeping(), seconds(30)));
}

TEST_F(LivenessTest, WhoOwesAnAnswerOrStandsStillIsLookedAtCloser) {
  EXPECT_TRUE(liveness_.is_unsuspected());
  liveness_.asked(now_);
  EXPECT_FALSE(liveness_.is_unsuspected());
  liveness_.answered();
  EXPECT_TRUE(liveness_.is_unsuspected());
  EXPECT_FALSE(watch(stopped(), milliseconds(3)));
  EXPECT_FALSE(liveness_.is_unsuspected());
}

TEST_F(LivenessTest, AStopThatEndsInTimeIsForgotten) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(watch(stopped(), milliseconds(80)));
    EXPECT_FALSE(watch(sleeping(), milliseconds(3)));
  }
}

TEST_F(LivenessTest, AnAnswerEndsTheSilence) {
  for (int i = 0; i < 5; ++i) {
    liveness_.asked(now_);
    EXPECT_FALSE(watch(sleeping(), milliseconds(80)));
    liveness_.answered();
    EXPECT_FALSE(watch(sleeping(), milliseconds(9)));
  }
}

TEST_F(LivenessTest, ABusyProcessHasUntilBusy) {
  liveness_.asked(now_);
  const auto after = watch(waiting(), seconds(30), 1);
  ASSERT_TRUE(after);
  EXPECT_GE(*after, kLimits.busy);
  EXPECT_LE(*after, kLimits.busy + milliseconds(3));
}

TEST_F(LivenessTest, OneThatSleepsNowAndThenButWorksIsBusy) {
  liveness_.asked(now_);
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(watch(sleeping(), milliseconds(60)));
    EXPECT_FALSE(watch(sleeping(), milliseconds(0), 1)) << "a tick of processor time: it works";
  }
}

TEST_F(LivenessTest, OneThatWaitsForAProcessorOrADiskIsBusyToo) {
  liveness_.asked(now_);
  EXPECT_FALSE(watch(waiting(), kLimits.busy - milliseconds(10)));
  EXPECT_TRUE(watch(waiting(), seconds(1)));
}

TEST_F(LivenessTest, AskingAgainDoesNotStartTheTimeAnew) {
  liveness_.asked(now_);
  EXPECT_FALSE(watch(waiting(), kLimits.busy - milliseconds(10), 1));
  liveness_.asked(now_);
  EXPECT_TRUE(watch(waiting(), seconds(1), 1));
}

TEST_F(LivenessTest, BusyZeroIsForEver) {
  liveness_ = Liveness({milliseconds(100), Duration()});
  liveness_.answered();
  liveness_.asked(now_);
  EXPECT_FALSE(watch(waiting(), seconds(300), 1));
  EXPECT_TRUE(watch(stopped(), seconds(1)));
}

TEST_F(LivenessTest, OurOwnDelayIsNotHeldAgainstIt) {
  liveness_.asked(now_);
  ProcessActivity seen = sleeping();
  seen.cpu_ticks = ticks_;
  EXPECT_FALSE(liveness_.glance(seen, now_));
  now_ = now_ + seconds(5);  // we did not run; its answer may lie in our socket
  EXPECT_FALSE(liveness_.glance(seen, now_));
  liveness_.answered();
  EXPECT_FALSE(watch(sleeping(), seconds(1)));
}

TEST_F(LivenessTest, AProcessMayTakeLongForItsFirstAnswer) {
  liveness_.begin();
  liveness_.asked(now_);
  EXPECT_FALSE(watch(sleeping(), seconds(100)));
  EXPECT_TRUE(watch(stopped(), seconds(1)));
}

}  // namespace
}  // namespace hikae::core
