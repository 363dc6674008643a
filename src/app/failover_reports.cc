#include "app/failover_reports.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include <fmt/format.h>

#include "adapters/system/files.h"
#include "codec/record/record.h"
#include "control/offload.h"

namespace hikae::app {

FailoverReports::FailoverReports(std::string directory, control::Log& log)
    : directory_(std::move(directory)), log_(log) {}

control::Awaitable<void> FailoverReports::keep(control::FailoverReport report) {
  const auto work = [this, &report] { write(report); };
  co_await control::offload(pool_, work);
}

void FailoverReports::write(const control::FailoverReport& report) {
  auto written = adapters::make_directory(directory_, 0700);
  if (written) {
    // The time first, so that names sort by age.
    const auto path = fmt::format("{}/{}-{}-{}.json", directory_, to_basic_iso8601(report.at),
                                  report.replication_group, report.epoch);
    written = adapters::write_file(path, codec::to_json(report) + "\n", 0600);
  }
  if (!written) {
    log_.warn(fmt::format("the failover report of {} was not kept: {}", report.replication_group,
                          written.error().message));
    return;
  }
  remove_oldest();
}

void FailoverReports::remove_oldest() const {
  std::error_code ignored;
  std::vector<std::filesystem::path> reports;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, ignored)) {
    reports.push_back(entry.path());
  }
  std::sort(reports.begin(), reports.end());
  for (std::size_t i = 0; i + kMaxReports < reports.size(); ++i) {
    std::filesystem::remove(reports[i], ignored);
  }
}

}  // namespace hikae::app
