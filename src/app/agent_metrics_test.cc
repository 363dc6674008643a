#include "app/agent_metrics.h"

#include <gtest/gtest.h>

namespace hikae::app {
namespace {

TEST(AgentMetrics, WhatIsWrittenIsRead) {
  AgentsLoad load;
  load.nodes = 900;
  load.watched = 300;
  load.glance = std::chrono::milliseconds(60);
  load.poll = std::chrono::milliseconds(2'400);
  load.cpu = std::chrono::microseconds(1'234'567);
  load.resets = true;
  const std::string text = render_metrics(load);
  EXPECT_NE(text.find("\nhikae_agent_watched_primaries 300.000000\n"), std::string::npos) << text;
  const auto again = parse_metrics(text);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->nodes, 900);
  EXPECT_EQ(again->watched, 300);
  EXPECT_EQ(again->glance, load.glance);
  EXPECT_EQ(again->poll, load.poll);
  EXPECT_EQ(again->cpu, load.cpu);
  EXPECT_TRUE(again->resets);
  EXPECT_FALSE(parse_metrics("hikae_agent_nodes 1\n"));
  EXPECT_FALSE(parse_metrics("<html>"));
}

}  // namespace
}  // namespace hikae::app
