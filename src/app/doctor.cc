#include "app/doctor.h"

#include <cstdio>
#include <iterator>

#include <fmt/format.h>

#include "app/doctor_checks.h"

namespace hikae::app {

std::vector<Finding> examine(const ServeConfig& config) {
  std::vector<Finding> findings;
  const auto add = [&findings](std::vector<Finding> more) {
    findings.insert(findings.end(), std::make_move_iterator(more.begin()),
                    std::make_move_iterator(more.end()));
  };
  add(check_engines(config));
  add(check_data_directory(config));
  add(check_node_ports());
  add(check_own_ports(config));
  add(check_dns(config));
  add(check_namespaces());
  add(check_limits());
  add(check_priority());
  add(check_socket_resets());
  add(check_fence());
  add(check_front());
  add(check_agents(config));
  add(check_store(config));
  return findings;
}

std::string render(const Finding& finding) {
  const char* level = finding.level == Finding::Level::kOk     ? "ok  "
                      : finding.level == Finding::Level::kWarn ? "warn"
                                                               : "fail";
  return fmt::format("{}  {}: {}{}{}", level, finding.subject, finding.text,
                     finding.mend.empty() ? "" : "; ", finding.mend);
}

int run_doctor(const ServeConfig& config) {
  bool failed = false;
  for (const Finding& finding : examine(config)) {
    fmt::print("{}\n", render(finding));
    failed = failed || finding.level == Finding::Level::kFail;
  }
  return failed ? 1 : 0;
}

}  // namespace hikae::app
