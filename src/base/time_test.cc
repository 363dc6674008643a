#include "base/time.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace hikae {
namespace {

TEST(Time, WritesWhatAwsWrites) {
  EXPECT_EQ(to_iso8601(Instant(1422902817972000)), "2015-02-02T18:46:57.972Z");
  EXPECT_EQ(to_basic_iso8601(Instant(1422902817972000)), "20150202T184657Z");
}

TEST(Time, ReadsEveryFormClientsSend) {
  const Instant expected(1412035200000000);
  EXPECT_EQ(parse_iso8601("2014-09-30T00:00:00Z"), expected);
  EXPECT_EQ(parse_iso8601("2014-09-30T00:00:00.000Z"), expected);
  EXPECT_EQ(parse_iso8601("2014-09-30T09:00:00+09:00"), expected);
  EXPECT_EQ(parse_iso8601("20140930T000000Z"), expected);
}

TEST(Time, RefusesWhatIsNotADate) {
  for (const char* text : {"", "2014", "2014-13-01T00:00:00Z", "2014-02-30T00:00:00Z",
                           "2014-09-30T25:00:00Z", "2014-09-30T00:00:00.Z", "yesterday"}) {
    EXPECT_EQ(parse_iso8601(text), std::nullopt) << text;
  }
}

RC_GTEST_PROP(Time, ReadsBackWhatItWrote, ()) {
  const auto milliseconds = *rc::gen::inRange<std::int64_t>(0, 4'000'000'000'000);
  const Instant t(milliseconds * 1000);
  RC_ASSERT(parse_iso8601(to_iso8601(t)) == t);
}

}  // namespace
}  // namespace hikae
