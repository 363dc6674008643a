#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "control/ports.h"
#include "core/resource/log_delivery.h"

// What log delivery needs of the world, beside ports.h.

namespace hikae::control {

// How far a file of a growing log was read. A file that took its place has another number.
struct LogPlace {
  // Of a file that is still to come: it is read from its beginning.
  static constexpr std::uint64_t kComing = std::numeric_limits<std::int64_t>::max();
  std::uint64_t file = 0;  // 0: from the end of what there is
  std::uint64_t offset = 0;
  friend bool operator==(const LogPlace&, const LogPlace&) = default;
};

struct LogChunk {
  std::vector<std::string> lines;  // whole ones, without their ends
  LogPlace place;                  // behind them
};

// One entry of the engine's SLOWLOG.
struct SlowEntry {
  std::int64_t id = 0;
  std::int64_t seconds = 0;  // since 1970
  std::int64_t microseconds = 0;
  std::string command;
  std::size_t arguments = 0;  // which are told to nobody
  std::string client_address;
  std::string client_name;
};

// Reads the logs of a host's engines.
class LogSource {
 public:
  // What the file at `path` has got since `place`, at most a bounded part of it. Of a file that was
  // renamed to `path` with `.1` the rest comes first. kNotFound: there is none yet.
  virtual Awaitable<Result<LogChunk>> read_lines(std::string path, LogPlace place) = 0;
  // Entries behind the one with the id `after`, oldest first; as many as one question brings.
  virtual Awaitable<Result<std::vector<SlowEntry>>> read_slow_log(core::NodeAssignment node,
                                                                  std::int64_t after) = 0;

 protected:
  ~LogSource() = default;
};

// What one log has got, on its way.
struct LogBatch {
  core::LogDelivery to;
  std::string stream;  // `elasticache/valkey/cache-001/0001/slow-log`, as AWS names it
  core::NodeKey node;
  std::vector<std::string> lines;  // of the engine's log, as they stand there
  std::vector<SlowEntry> slow;     // or entries of its slow log
};

// Where they go.
class LogSink {
 public:
  // Success: all are there. A failure: none is, or nobody knows; they come again.
  virtual Awaitable<Status> deliver(LogBatch batch) = 0;

 protected:
  ~LogSink() = default;
};

}  // namespace hikae::control
