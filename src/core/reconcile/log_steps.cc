#include "core/reconcile/log_steps.h"

#include <algorithm>

namespace hikae::core {

std::vector<LogDelivery> wanted_logs(const std::vector<LogDelivery>& logs) {
  std::vector<LogDelivery> out;
  for (const LogDelivery& one : logs) {
    if (one.wanted()) {
      out.push_back(one);
      out.back().status.clear();
      out.back().message.clear();
    }
  }
  return out;
}

bool settle_logs(const Observed& observed, const std::vector<const CacheCluster*>& members,
                 std::vector<LogDelivery>& logs) {
  if (logs.empty()) {
    return false;
  }
  std::string problem;
  for (const CacheCluster* member : members) {
    for (const Node& node : member->nodes) {
      const auto* seen = observed.find(member->id, node);
      if (member->status == "deleting") {
        continue;
      }
      if (seen == nullptr || !seen->ready || seen->edition != node.edition) {
        return false;
      }
      problem = problem.empty() ? seen->log_problem : problem;
    }
  }
  const std::vector<LogDelivery> before = logs;
  std::erase_if(logs, [](const LogDelivery& one) { return !one.wanted(); });
  for (LogDelivery& one : logs) {
    one.status = problem.empty() ? "active" : "error";
    one.message = problem;
  }
  return logs != before;
}

}  // namespace hikae::core
