#pragma once

#include <string_view>

#include "base/result.h"
#include "control/ports.h"

namespace hikae::engine {

// Reads INFO's sections replication, persistence and server, put one behind the other. kInternal
// when it does not tell the role.
Result<control::EngineStatus> parse_redis_status(std::string_view info);

}  // namespace hikae::engine
