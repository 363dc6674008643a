#include "control/failover_report.h"

#include <fmt/format.h>

namespace hikae::control {

std::string show_milliseconds(std::int64_t microseconds) {
  return fmt::format("{:.1f} ms", double(microseconds) / 1000);
}

std::string describe_risk(const FailoverReport& report) {
  if (report.planned) {
    return "nothing at risk";
  }
  if (report.last_heard_us < 0) {
    return "it is not known how many bytes were at risk";
  }
  return fmt::format("{} bytes at risk, and what was written in the {} before the fault",
                     report.bytes_at_risk, show_milliseconds(report.last_heard_us));
}

std::string describe(const FailoverReport& report) {
  std::string out = fmt::format(
      "{} from {} to {} in epoch {}: ", report.planned ? "switched over" : "failed over",
      report.old_primary, report.new_primary, report.epoch);
  std::string stages;
  const auto add = [&stages](const char* stage, const std::optional<std::int64_t>& time) {
    if (time) {
      stages +=
          fmt::format("{}{} after {}", stages.empty() ? "" : ", ", stage, show_milliseconds(*time));
    }
  };
  if (report.taken_over) {
    add("decided", report.fenced_us);
  }
  add("committed", report.committed_us);
  add("names changed", report.names_us);
  add("promoted", report.promoted_us);
  out += stages;
  for (const ReplicaReturn& replica : report.replicas) {
    out += fmt::format(", {} attached after {} ({} resynchronization)", replica.cluster,
                       show_milliseconds(replica.attached_us), replica.resync);
  }
  out += report.repaired ? fmt::format(", all members in service after {}",
                                       show_milliseconds(report.repaired_us))
                         : ", not all members came back into service";
  out += "; " + describe_risk(report);
  return report.taken_over ? out +
                                 "; reported by the leader after the one that committed it, "
                                 "without the stages that it has not seen"
                           : out;
}

bool is_attached(const core::NodeObservation& replica, const core::NodeObservation& primary,
                 const std::string& old_stream) {
  if (!replica.link_up || replica.dead()) {
    return false;
  }
  return primary.stream.empty() ||
         (primary.stream != old_stream && replica.stream == primary.stream);
}

std::string resync_of(const core::NodeObservation& replica) {
  if (replica.stream.empty()) {
    return "unknown";
  }
  return replica.previous_stream.empty() ? "full" : "partial";
}

}  // namespace hikae::control
