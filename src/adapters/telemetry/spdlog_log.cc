#include "adapters/telemetry/spdlog_log.h"

#include <algorithm>
#include <vector>

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace hikae::adapters {
namespace {

std::string one_line(std::string_view text) {
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return out;
}

void write(spdlog::logger& logger, spdlog::level::level_enum level, std::string_view text) {
  const std::string line = one_line(text);
  logger.log(level, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace

Result<std::unique_ptr<SpdlogLog>> SpdlogLog::open(const std::string& file) {
  std::vector<spdlog::sink_ptr> sinks;
  sinks.push_back(std::make_shared<spdlog::sinks::stderr_sink_mt>());
  if (!file.empty()) {
    try {
      sinks.push_back(std::make_shared<spdlog::sinks::basic_file_sink_mt>(file));
    } catch (const spdlog::spdlog_ex& e) {
      return fail(ErrorCode::kDenied, std::string("the log file cannot be opened: ") + e.what());
    }
  }
  auto logger = std::make_shared<spdlog::logger>("hikae", sinks.begin(), sinks.end());
  logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      "%Y-%m-%dT%H:%M:%S.%eZ %-7l %v", spdlog::pattern_time_type::utc));
  // Every line matters when something has just gone wrong, and there are few of them.
  logger->flush_on(spdlog::level::info);
  return std::unique_ptr<SpdlogLog>(new SpdlogLog(std::move(logger)));
}

void SpdlogLog::info(std::string_view line) {
  write(*logger_, spdlog::level::info, line);
}
void SpdlogLog::warn(std::string_view line) {
  write(*logger_, spdlog::level::warn, line);
}
void SpdlogLog::error(std::string_view line) {
  write(*logger_, spdlog::level::err, line);
}

}  // namespace hikae::adapters
