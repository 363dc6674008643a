#include <gtest/gtest.h>

#include "app/drill_report.h"
#include "app/drill_targets.h"

namespace hikae::app {
namespace {

constexpr const char* kNames =
    "127.1.2.10 demo-001.abc.0001.apne1.cache.hikae.internal\n"
    "127.1.3.10 demo-002.abc.0001.apne1.cache.hikae.internal\n"
    "127.1.3.10 demo.abc.ng.0001.apne1.cache.hikae.internal\n"
    "127.1.2.10 demo-ro.abc.ng.0001.apne1.cache.hikae.internal\n"
    "127.1.3.10 demo.abc.0001.internal.apne1.cache.hikae.internal\n"
    "127.1.2.11 alone.abc.0001.apne1.cache.hikae.internal\n"
    "not an address\n";

TEST(DrillTargets, AGroupIsFoundByItsNames) {
  const auto targets = drill_targets(parse_names(kNames));
  ASSERT_EQ(targets.size(), 1u);
  EXPECT_EQ(targets[0].group, "demo");
  EXPECT_EQ(targets[0].endpoint, "demo.abc.ng.0001.apne1.cache.hikae.internal");
  EXPECT_EQ(targets[0].internal, "demo.abc.0001.internal.apne1.cache.hikae.internal");
}

TEST(DrillTargets, ANodeIsNoGroupOfTheSameName) {
  const NameTable names = parse_names(kNames);
  EXPECT_EQ(node_address(names, "demo-002"), Ipv4::parse("127.1.3.10"));
  EXPECT_EQ(node_address(names, "alone"), Ipv4::parse("127.1.2.11"));
  EXPECT_EQ(node_address(names, "demo"), std::nullopt);
  EXPECT_EQ(node_address(names, "demo-ro"), std::nullopt);
}

constexpr const char* kEncrypted =
    "127.1.2.10 safe-001.safe.abc.apne1.cache.hikae.internal\n"
    "127.1.3.10 safe-002.safe.abc.apne1.cache.hikae.internal\n"
    "127.1.3.10 master.safe.abc.apne1.cache.hikae.internal\n"
    "127.1.2.10 replica.safe.abc.apne1.cache.hikae.internal\n"
    "127.1.3.10 safe.abc.0001.internal.apne1.cache.hikae.internal\n"
    "127.1.2.12 alone.abc.0001.apne1.cache.hikae.internal\n";

TEST(DrillTargets, AnEncryptedGroupHasOtherNames) {
  const NameTable names = parse_names(kEncrypted);
  const auto targets = drill_targets(names);
  ASSERT_EQ(targets.size(), 1u);
  EXPECT_EQ(targets[0].group, "safe");
  EXPECT_EQ(targets[0].endpoint, "master.safe.abc.apne1.cache.hikae.internal");
  EXPECT_EQ(node_address(names, "safe-002"), Ipv4::parse("127.1.3.10"));
  EXPECT_EQ(node_address(names, "master"), std::nullopt);
  EXPECT_EQ(node_address(names, "safe"), std::nullopt);
}

TEST(DrillTargets, ANodeIsFoundByItsAddress) {
  for (const char* table : {kNames, kEncrypted}) {
    const NameTable names = parse_names(table);
    for (const std::string cluster : {"demo-001", "demo-002", "safe-001", "safe-002", "alone"}) {
      if (const auto address = node_address(names, cluster)) {
        EXPECT_EQ(cluster_at(names, *address), cluster);
      }
    }
    EXPECT_EQ(cluster_at(names, *Ipv4::parse("127.9.9.9")), std::nullopt);
  }
}

TEST(DrillReport, ABudgetIsKeptUpToItsValue) {
  DrillFinding finding;
  finding.group = "demo";
  finding.write_gap = std::chrono::milliseconds(20);
  finding.lost = 2;
  finding.whole_after = std::chrono::milliseconds(300);
  DrillOptions options;
  EXPECT_TRUE(violations(finding, options).empty());
  options.budget_ms = 20;
  options.writes_lost_max = 2;
  EXPECT_TRUE(violations(finding, options).empty());
  options.budget_ms = 19;
  options.writes_lost_max = 1;
  EXPECT_EQ(violations(finding, options).size(), 2u);
}

TEST(DrillReport, WhatIsNotKnownOrNotWholeFails) {
  DrillFinding finding;
  finding.problem = "nobody answers";
  EXPECT_EQ(violations(finding, DrillOptions()).size(), 2u);
}

TEST(DrillReport, ShowsTheStagesOfTheFailover) {
  DrillFinding finding;
  finding.group = "demo";
  control::FailoverReport report;
  report.old_primary = "demo-001";
  report.new_primary = "demo-002";
  report.epoch = 2;
  report.promoted_us = 4300;
  report.repaired = true;
  report.replicas.push_back({"demo-003", 12'500});
  const std::string text = render(finding, {report});
  EXPECT_NE(text.find("failover from demo-001 to demo-002, epoch 2"), std::string::npos);
  EXPECT_NE(text.find("promoted 4.3 ms"), std::string::npos);
  EXPECT_NE(text.find("demo-003 attached 12.5 ms"), std::string::npos);
}

}  // namespace
}  // namespace hikae::app
