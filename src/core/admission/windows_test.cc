#include "core/admission/windows.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace hikae::core {
namespace {

TEST(Windows, MaintenanceIsAWeeklySpanOfOneHourToOneDay) {
  EXPECT_EQ(parse_maintenance_window("Sun:05:00-Sun:06:00"), "sun:05:00-sun:06:00");
  EXPECT_TRUE(parse_maintenance_window("sun:23:30-mon:00:30"));
  for (const char* bad : {"", "sun:05:00-sun:05:59", "sun:05:00-tue:05:00", "xxx:05:00-sun:06:00",
                          "sun:24:00-mon:01:00", "sun:5:00-sun:6:00"}) {
    EXPECT_FALSE(parse_maintenance_window(bad)) << bad;
  }
}

TEST(Windows, SnapshotIsADailySpanOfAnHourAtLeast) {
  EXPECT_TRUE(parse_snapshot_window("23:30-00:30"));
  EXPECT_FALSE(parse_snapshot_window("05:00-05:30"));
  EXPECT_FALSE(parse_snapshot_window("05:00"));
}

TEST(Windows, OverlapIsFoundOnEveryDayAndOverMidnight) {
  EXPECT_TRUE(windows_overlap("wed:05:00-wed:06:00", "05:30-06:30"));
  EXPECT_TRUE(windows_overlap("sun:23:30-mon:00:30", "00:00-01:00"));
  EXPECT_FALSE(windows_overlap("wed:05:00-wed:06:00", "06:00-07:00"));
}

RC_GTEST_PROP(Windows, DrawnWindowsAreValidAndApart, (std::uint64_t seed)) {
  SeededRandom random(seed);
  const auto maintenance = random_maintenance_window(random);
  const auto snapshot = random_snapshot_window(random, maintenance);
  RC_ASSERT(parse_maintenance_window(maintenance) == maintenance);
  RC_ASSERT(parse_snapshot_window(snapshot) == snapshot);
  RC_ASSERT(!windows_overlap(maintenance, snapshot));
}

TEST(Windows, TheMaintenanceWindowComesEveryWeek) {
  using std::chrono::hours;
  using std::chrono::minutes;
  const Instant monday(4 * 86'400'000'000);  // 5 January 1970, 00:00
  EXPECT_EQ(until_maintenance("mon:03:00-mon:04:00", monday), Duration(hours(3)));
  EXPECT_EQ(until_maintenance("mon:03:00-mon:04:00", monday + hours(3)), Duration());
  EXPECT_EQ(until_maintenance("mon:03:00-mon:04:00", monday + minutes(239)), Duration());
  EXPECT_EQ(until_maintenance("mon:03:00-mon:04:00", monday + hours(4)),
            Duration(hours(7 * 24 - 1)));
  EXPECT_EQ(until_maintenance("sun:23:30-mon:01:00", monday), Duration()) << "over midnight";
  EXPECT_EQ(until_maintenance("sun:23:30-mon:01:00", monday + hours(7 * 24 - 1)),
            Duration(minutes(30)));
  EXPECT_EQ(until_maintenance("whenever", monday), std::nullopt);
}

Instant at(std::string_view time) {
  return *parse_iso8601(time);
}

TEST(SnapshotWindow, SaysWhenItHasOpened) {
  const auto opened = [](std::string_view now) {
    return snapshot_window_opened("05:00-06:30", at(now));
  };
  EXPECT_EQ(opened("2026-11-25T04:59:59Z"), std::nullopt);
  EXPECT_EQ(opened("2026-11-25T05:00:00Z"), at("2026-11-25T05:00:00Z"));
  EXPECT_EQ(opened("2026-11-25T06:29:59Z"), at("2026-11-25T05:00:00Z"));
  EXPECT_EQ(opened("2026-11-25T06:30:00Z"), std::nullopt);
}

TEST(SnapshotWindow, GoesOverMidnight) {
  EXPECT_EQ(snapshot_window_opened("23:30-00:30", at("2026-11-26T00:10:00Z")),
            at("2026-11-25T23:30:00Z"));
  EXPECT_EQ(snapshot_window_opened("nonsense", at("2026-11-26T00:10:00Z")), std::nullopt);
}

}  // namespace
}  // namespace hikae::core
