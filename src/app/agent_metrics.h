#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace hikae::app {

// Answered to loopback only.
inline constexpr const char* kMetricsPath = "/_hikae/metrics";

// What the agents of this process watch and what that costs.
struct AgentsLoad {
  int nodes = 0;
  int watched = 0;      // primaries that a replica could replace
  Duration glance{};    // the longest time between two glances at one of those
  Duration poll{};      // the longest time between two questions to a settled node
  Duration cpu{};       // processor time of the agents' thread so far, all of its work
  bool resets = false;  // connections of dying processes can be ended
};

// In the text format of Prometheus.
std::string render_metrics(const AgentsLoad& load);

// What render_metrics() wrote; nullopt when it is something else.
std::optional<AgentsLoad> parse_metrics(std::string_view text);

}  // namespace hikae::app
