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
      "{} from {} to {} in epoch {}: committed after {}, names changed after {}, promoted after {}",
      report.planned ? "switched over" : "failed over", report.old_primary, report.new_primary,
      report.epoch, show_milliseconds(report.committed_us), show_milliseconds(report.names_us),
      show_milliseconds(report.promoted_us));
  for (const ReplicaReturn& replica : report.replicas) {
    out += fmt::format(", {} attached after {} ({} resynchronization)", replica.cluster,
                       show_milliseconds(replica.attached_us), replica.resync);
  }
  out += report.repaired ? fmt::format(", all members in service after {}",
                                       show_milliseconds(report.repaired_us))
                         : ", not all members came back into service";
  return out + "; " + describe_risk(report);
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
