#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/asio/thread_pool.hpp>

#include "control/outbox.h"

namespace hikae::adapters {

// How large files of lines become, and how many are kept.
struct LineFileLimits {
  std::uint64_t bytes = 16 * 1024 * 1024;  // then it is renamed, `name.1`, and a new one begun
  int kept = 4;                            // of those that were renamed; the oldest is removed
};

// Adds text, whose lines are whole, to the file; makes it, and the directories above it, readable
// by their owner alone. kExhausted: the disk is full; nothing was added then.
Status append_lines(const std::string& path, std::string_view lines, const LineFileLimits& limits);

// A file to which each message is added as a line.
class LineFile final : public control::MessageSink {
 public:
  explicit LineFile(std::string path) : path_(std::move(path)) {}
  control::Awaitable<Status> deliver(std::string message) override;
  std::string place() const override { return path_; }

 private:
  const std::string path_;
  boost::asio::thread_pool pool_{1};  // a disk may take its time
};

}  // namespace hikae::adapters
