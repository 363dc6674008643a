#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "control/log_ports.h"
#include "engine/administrator.h"

namespace hikae::engine {

// SLOWLOG of Redis and Valkey, asked over connections of its own: the driver's are used for what
// cannot wait.
class RedisSlowLog {
 public:
  // `runner` and `connector` must outlive it.
  RedisSlowLog(SecretSource secrets, const control::ProcessRunner& runner,
               AdminConnector& connector);

  // Entries behind the one with the id `after`, oldest first, at most kMostEntries, the newest. A
  // process that counts anew has ids below: then all of its entries.
  control::Awaitable<Result<std::vector<control::SlowEntry>>> read(core::NodeAssignment node,
                                                                   std::int64_t after);
  static constexpr int kMostEntries = 128;  // what the engine keeps by default

 private:
  Administrator administrator_;
};

// The reply of SLOWLOG GET, newest first as the engine answers, to what read() answers. kInvalid:
// it has another form.
Result<std::vector<control::SlowEntry>> parse_slow_log(const codec::resp::Value& reply,
                                                       std::int64_t after);

}  // namespace hikae::engine
