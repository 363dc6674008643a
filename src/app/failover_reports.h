#pragma once

#include <string>

#include <boost/asio/thread_pool.hpp>

#include "control/failover_recorder.h"

namespace hikae::app {

// Keeps the failover reports as JSON files in `<data>/failovers/`, the newest kMaxReports of them.
// Disk work happens on a thread of its own, so that no slow disk delays a failover.
class FailoverReports final : public control::FailoverReportSink {
 public:
  static constexpr std::size_t kMaxReports = 1000;

  FailoverReports(std::string directory, control::Log& log);

  control::Awaitable<void> keep(control::FailoverReport report) override;

 private:
  void write(const control::FailoverReport& report);
  void remove_oldest() const;

  std::string directory_;
  control::Log& log_;
  boost::asio::thread_pool pool_{1};
};

}  // namespace hikae::app
