#include "app/drill_report.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "adapters/system/files.h"
#include "codec/record/record.h"

namespace hikae::app {
namespace {

double milliseconds(Duration time) {
  return double(time.count()) / 1000;
}

double milliseconds(std::int64_t microseconds) {
  return double(microseconds) / 1000;
}

double milliseconds(const std::optional<std::int64_t>& microseconds) {
  return milliseconds(microseconds.value_or(0));
}

std::string directory_of(const std::string& data_directory) {
  return data_directory + "/failovers";
}

std::string render(const control::FailoverReport& report) {
  std::string out = fmt::format(
      "  {} from {} to {}, epoch {}; after the fault was seen:\n"
      "    confirmed {:.1f} ms, committed {:.1f} ms, promoted {:.1f} ms, {} {:.1f} ms\n",
      report.planned ? "switchover" : "failover", report.old_primary, report.new_primary,
      report.epoch, milliseconds(report.confirmed_us), milliseconds(report.committed_us),
      milliseconds(report.promoted_us), report.repaired ? "repaired" : "not repaired",
      milliseconds(report.repaired_us));
  for (const control::ReplicaReturn& replica : report.replicas) {
    out += fmt::format("    {} attached {:.1f} ms ({})\n", replica.cluster,
                       milliseconds(replica.attached_us), replica.resync);
  }
  return out + fmt::format("    {}\n", control::describe_risk(report));
}

}  // namespace

std::set<std::string> report_files(const std::string& data_directory) {
  std::set<std::string> out;
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator(directory_of(data_directory), ignored)) {
    if (entry.path().extension() == ".json") {
      out.insert(entry.path().filename());
    }
  }
  return out;
}

std::vector<control::FailoverReport> new_reports(const std::string& data_directory,
                                                 const std::set<std::string>& known,
                                                 const std::string& group) {
  std::vector<control::FailoverReport> out;
  for (const std::string& name : report_files(data_directory)) {
    if (known.contains(name)) {
      continue;
    }
    const auto text = adapters::read_file(directory_of(data_directory) + "/" + name);
    const auto report = text ? codec::from_json<control::FailoverReport>(*text)
                             : Result<control::FailoverReport>(tl::unexpected(text.error()));
    if (report && report->replication_group == group) {
      out.push_back(*report);
    }
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.epoch < b.epoch; });
  return out;
}

std::string render(const DrillFinding& finding,
                   const std::vector<control::FailoverReport>& reports) {
  std::string out =
      fmt::format("replication group {} ({}{})\n", finding.group, finding.endpoint,
                  finding.as_administrator ? ", written to as the administrator" : "");
  out += fmt::format("  longest write gap    {:.1f} ms\n", milliseconds(finding.write_gap));
  out += fmt::format("  acknowledged writes  {}\n", finding.acknowledged);
  out += finding.problem.empty()
             ? fmt::format("  lost writes          {}\n", finding.lost)
             : fmt::format("  lost writes          unknown: {}\n", finding.problem);
  out += finding.whole_after
             ? fmt::format("  whole again after    {:.1f} ms\n", milliseconds(*finding.whole_after))
             : "  not whole again\n";
  for (const control::FailoverReport& report : reports) {
    out += render(report);
  }
  return out;
}

std::vector<std::string> violations(const DrillFinding& finding, const DrillOptions& options) {
  std::vector<std::string> out;
  const auto add = [&](std::string text) { out.push_back(finding.group + ": " + std::move(text)); };
  if (!finding.whole_after) {
    add("it did not become whole again");
  }
  if (!finding.problem.empty()) {
    add("the values could not be read back: " + finding.problem);
  }
  if (options.budget_ms && finding.write_gap > std::chrono::milliseconds(*options.budget_ms)) {
    add(fmt::format("a write gap of {:.1f} ms, the budget is {} ms",
                    milliseconds(finding.write_gap), *options.budget_ms));
  }
  if (options.writes_lost_max && std::int64_t(finding.lost) > *options.writes_lost_max) {
    add(fmt::format("{} lost writes, the budget is {}", finding.lost, *options.writes_lost_max));
  }
  return out;
}

}  // namespace hikae::app
