#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "control/ports.h"

namespace spdlog {
class logger;
}

namespace hikae::adapters {

// Lines `2026-01-02T03:04:05.678Z info  text` on stderr and, when named, at the end of a file. Safe
// from any thread. Line breaks inside a text become blanks, so that nobody can forge a line.
class SpdlogLog final : public control::Log {
 public:
  // Empty `file`: stderr alone. kDenied: the file cannot be opened.
  static Result<std::unique_ptr<SpdlogLog>> open(const std::string& file);

  void info(std::string_view line) override;
  void warn(std::string_view line) override;
  void error(std::string_view line) override;

 private:
  explicit SpdlogLog(std::shared_ptr<spdlog::logger> logger) : logger_(std::move(logger)) {}
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace hikae::adapters
