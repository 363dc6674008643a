#include "control/agent_node.h"

namespace hikae::control {

Awaitable<Status> AgentNode::hold_address(core::NodeAssignment assignment) {
  if (ports_.addresses == nullptr) {
    co_return Status();
  }
  const Status held = co_await ports_.addresses->hold(assignment.address);
  // That may have taken long enough for another decision.
  if (held && desired_ != assignment) {
    co_return fail(ErrorCode::kConflict, "its assignment changed meanwhile");
  }
  co_return held;
}

}  // namespace hikae::control
