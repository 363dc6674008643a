#pragma once

#include <string>
#include <vector>

#include "core/reconcile/observed.h"
#include "core/resource/cache_cluster.h"

namespace hikae::core {

// What the nodes are to deliver.
std::vector<LogDelivery> wanted_logs(const std::vector<LogDelivery>& logs);

// Notes what has become of log deliveries once every node has taken them: `active`, `error` with
// the reason, or gone. Answers whether anything changed.
bool settle_logs(const Observed& observed, const std::vector<const CacheCluster*>& members,
                 std::vector<LogDelivery>& logs);

}  // namespace hikae::core
