#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"

namespace hikae::app {

enum class DrillKind { kKill, kStop, kSegv, kZoneOutage };

struct DrillOptions {
  DrillKind kind = DrillKind::kKill;
  std::string subject;  // a cache cluster; for a zone outage a zone (`a` or `ap-northeast-1a`)
  std::string data_directory;
  Duration duration = std::chrono::seconds(10);  // of a zone outage
  std::optional<std::int64_t> budget_ms;         // most of a write gap
  std::optional<std::int64_t> writes_lost_max;
};

// `hikae drill`: injects the fault into a region that is being served while it writes numbered
// values to the primary endpoints concerned (where clients need TLS or a password, to the nodes
// behind them, as their administrator), waits until they are whole again, and prints what clients
// saw and what the failover reports say. The values lie in one key of each group, which is removed
// at the end. Answers the exit code: 0, 1 over a budget or when the drill failed, 2 when nothing is
// called `subject`.
int run_drill(const DrillOptions& options);

}  // namespace hikae::app
