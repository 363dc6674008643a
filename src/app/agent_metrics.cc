#include "app/agent_metrics.h"

#include <cmath>
#include <cstdlib>
#include <map>

#include <fmt/format.h>

#include "base/strings.h"

namespace hikae::app {
namespace {

constexpr const char* kNodes = "hikae_agent_nodes";
constexpr const char* kWatched = "hikae_agent_watched_primaries";
constexpr const char* kGlance = "hikae_agent_glance_period_seconds";
constexpr const char* kPoll = "hikae_agent_poll_period_seconds";
constexpr const char* kCpu = "hikae_agent_cpu_seconds_total";
constexpr const char* kResets = "hikae_agent_socket_resets_permitted";

double seconds(Duration time) {
  return double(time.count()) / 1e6;
}

Duration from_seconds(double value) {
  return Duration(std::llround(value * 1e6));
}

std::string metric(const char* name, const char* type, const char* help, double value) {
  return fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n{0} {3:.6f}\n", name, help, type, value);
}

}  // namespace

std::string render_metrics(const AgentsLoad& load) {
  return metric(kNodes, "gauge", "Nodes that run on this machine.", load.nodes) +
         metric(kWatched, "gauge", "Primaries that a replica could replace.", load.watched) +
         metric(kGlance, "gauge", "Longest time between two glances at a watched primary.",
                seconds(load.glance)) +
         metric(kPoll, "gauge", "Longest time between two questions to a settled node.",
                seconds(load.poll)) +
         metric(kCpu, "counter", "Processor time of the agents, all their work.",
                seconds(load.cpu)) +
         metric(kResets, "gauge", "Whether clients of a dying primary can be sent away at once.",
                load.resets ? 1 : 0);
}

std::optional<AgentsLoad> parse_metrics(std::string_view text) {
  std::map<std::string, double> values;
  for (const std::string& line : split(text, '\n')) {
    const auto blank = line.find(' ');
    if (!line.empty() && line.front() != '#' && blank != std::string::npos) {
      values[line.substr(0, blank)] = std::strtod(line.c_str() + blank + 1, nullptr);
    }
  }
  for (const char* name : {kNodes, kWatched, kGlance, kPoll, kCpu, kResets}) {
    if (!values.contains(name)) {
      return std::nullopt;
    }
  }
  AgentsLoad load;
  load.nodes = int(values[kNodes]);
  load.watched = int(values[kWatched]);
  load.glance = from_seconds(values[kGlance]);
  load.poll = from_seconds(values[kPoll]);
  load.cpu = from_seconds(values[kCpu]);
  load.resets = values[kResets] != 0;
  return load;
}

}  // namespace hikae::app
