#include "engine/redis_refusal.h"

#include <fmt/format.h>

namespace hikae::engine {

Error engine_refusal(const core::NodeKey& node, const std::string& command,
                     const codec::resp::Value& reply) {
  const ErrorCode code = reply.error_code() == "BUSY"       ? ErrorCode::kTimeout
                         : reply.error_code() == "LOADING"  ? ErrorCode::kDenied
                         : reply.error_code() == "PROMISED" ? ErrorCode::kConflict
                                                            : ErrorCode::kInvalid;
  return Error{code, fmt::format("node {}: {} was refused: {}", node.str(), command, reply.text)};
}

}  // namespace hikae::engine
