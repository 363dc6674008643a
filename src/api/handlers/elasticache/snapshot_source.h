#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/handler_context.h"
#include "core/admission/restore.h"

namespace hikae::api::elasticache {

// Where a cache that is to be created gets its data from. The objects that SnapshotArns names are
// copied into the region's snapshot directory and checked first, so what they hold is known before
// anything is created. If the cache is refused afterwards, the copy is to be given back.
AsyncResult<core::RestoreRequest> open_snapshot_source(
    const HandlerContext& context, std::optional<std::string> snapshot_name,
    std::optional<std::vector<std::string>> snapshot_arns, std::string engine,
    std::string engine_version);

// Removes a copy that nobody needs.
boost::asio::awaitable<void> give_back(const HandlerContext& context, core::RestoreRequest source);

}  // namespace hikae::api::elasticache
