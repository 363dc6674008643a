#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "app/drill.h"
#include "control/failover_recorder.h"

namespace hikae::app {

// What a drill found at one primary endpoint.
struct DrillFinding {
  std::string group;
  std::string endpoint;
  bool as_administrator = false;  // clients need more than a drill has: TLS, a password
  Duration write_gap{};           // longest time between two acknowledged writes
  std::size_t acknowledged = 0;
  std::size_t lost = 0;
  std::optional<Duration> whole_after;  // nullopt: not within the drill's patience
  std::string problem;                  // not empty: the values could not be read back
};

// The names of the report files below `<data>/failovers`.
std::set<std::string> report_files(const std::string& data_directory);

// The reports of a group among the files that are not in `known`, oldest first.
std::vector<control::FailoverReport> new_reports(const std::string& data_directory,
                                                 const std::set<std::string>& known,
                                                 const std::string& group);

std::string render(const DrillFinding& finding,
                   const std::vector<control::FailoverReport>& reports);

// One line for every way in which a finding fails the drill; empty: it passed. Pure.
std::vector<std::string> violations(const DrillFinding& finding, const DrillOptions& options);

}  // namespace hikae::app
