#include "control/failover_report.h"

#include <gtest/gtest.h>

namespace hikae::control {
namespace {

core::NodeObservation seen(std::string stream, std::string previous) {
  core::NodeObservation out;
  out.process = core::NodeObservation::Process::kRunning;
  out.link_up = true;
  out.stream = std::move(stream);
  out.previous_stream = std::move(previous);
  return out;
}

TEST(FailoverReport, AReplicaIsAttachedOnceItIsAtTheNewStream) {
  const auto promoted = seen("new", "old");
  EXPECT_TRUE(is_attached(seen("new", "old"), promoted, "old"));
  EXPECT_TRUE(is_attached(seen("new", ""), promoted, "old"));
  EXPECT_FALSE(is_attached(seen("old", ""), promoted, "old")) << "what was seen before";
  EXPECT_FALSE(is_attached(seen("old", ""), seen("old", ""), "old")) << "not asked since promoted";
  auto down = seen("new", "old");
  down.link_up = false;
  EXPECT_FALSE(is_attached(down, promoted, "old"));
  auto dying = seen("new", "old");
  dying.process = core::NodeObservation::Process::kDying;
  EXPECT_FALSE(is_attached(dying, promoted, "old"));
}

TEST(FailoverReport, WhatKeepsTheStreamBeforeWentOnFromIt) {
  EXPECT_EQ(resync_of(seen("new", "old")), "partial");
  EXPECT_EQ(resync_of(seen("new", "")), "full");
  EXPECT_EQ(resync_of(seen("", "")), "unknown");
}

TEST(FailoverReport, OneLineTellsItAll) {
  FailoverReport report;
  report.old_primary = "foo-001";
  report.new_primary = "foo-002";
  report.epoch = 2;
  report.committed_us = 3'400;
  report.names_us = 3'450;
  report.promoted_us = 4'250;
  report.replicas = {{"foo-003", 5'000, "partial"}, {"foo-001", 60'000, "full"}};
  report.repaired = true;
  report.repaired_us = 61'049;
  report.bytes_at_risk = 7;
  report.last_heard_us = 12'345;
  EXPECT_EQ(describe(report),
            "failed over from foo-001 to foo-002 in epoch 2: committed after 3.4 ms, names changed "
            "after 3.5 ms, promoted after 4.2 ms, foo-003 attached after 5.0 ms (partial "
            "resynchronization), foo-001 attached after 60.0 ms (full resynchronization), all "
            "members in service after 61.0 ms; 7 bytes at risk, and what was written in the 12.3 "
            "ms before the fault");
  report.repaired = false;
  EXPECT_NE(describe(report).find("not all members came back"), std::string::npos);
  report.last_heard_us = -1;
  EXPECT_NE(describe(report).find("not known how many bytes"), std::string::npos);
  report.planned = true;
  EXPECT_NE(describe(report).find("nothing at risk"), std::string::npos);
}

TEST(FailoverReport, OfALeaderThatIsGoneTellsWhatTheNextOneKnows) {
  FailoverReport report;
  report.old_primary = "foo-001";
  report.new_primary = "foo-002";
  report.epoch = 2;
  report.confirmed_us = 2'000;
  report.fenced_us = 3'000;
  report.taken_over = true;
  report.repaired = true;
  report.repaired_us = 4'000'000;
  report.bytes_at_risk = 7;
  report.last_heard_us = 12'345;
  EXPECT_EQ(describe(report),
            "failed over from foo-001 to foo-002 in epoch 2: decided after 3.0 ms, all members in "
            "service after 4000.0 ms; 7 bytes at risk, and what was written in the 12.3 ms before "
            "the fault; reported by the leader after the one that committed it, without the stages "
            "that it has not seen");
}

}  // namespace
}  // namespace hikae::control
