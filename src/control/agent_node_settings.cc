#include <map>
#include <string>
#include <utility>

#include "control/agent_node.h"
#include "core/catalog/directives.h"

// How a running engine takes changed settings.

namespace hikae::control {

Awaitable<void> AgentNode::apply_directives(core::NodeAssignment assignment) {
  const auto changed = core::live_changes(known_.directives, assignment.directives);
  auto sent = changed;
  const Status status =
      co_await ports_.driver.apply_directives(std::move(assignment), std::move(sent));
  // What the engine refuses now it will refuse again: it waits for the next start.
  if (status || status.error().code == ErrorCode::kInvalid) {
    for (const auto& [name, value] : changed) {
      known_.directives.set(name, value);
    }
    note_.directives = known_.directives;
    write_note();
  }
  if (!status && status.error().code == ErrorCode::kInvalid) {
    ports_.log.warn(status.error().message);
    problem_ = status.error().message;
    co_return;
  }
  settle(status);
}

// Unlike a directive it does not wait for the next start: until it is done, who should not log in
// may still do so. The note comes last: when we die in between, the next agent tells the engine
// once more.
Awaitable<void> AgentNode::apply_access(core::NodeAssignment assignment) {
  core::Access access = assignment.access;
  SharedMap users = assignment.users;
  const Status applied = co_await ports_.driver.apply_access(std::move(assignment));
  if (applied) {
    known_.access = note_.access = std::move(access);
    known_.users = note_.users = std::move(users);
    write_note();
  }
  settle(applied);
}

Awaitable<void> AgentNode::set_pace(core::NodeAssignment assignment) {
  const bool brisk = assignment.brisk;
  std::map<std::string, std::string> pace = {
      {core::kPaceDirective, brisk ? core::kBriskPace : core::kCalmPace}};
  const Status set =
      co_await ports_.driver.apply_directives(std::move(assignment), std::move(pace));
  if (set || set.error().code == ErrorCode::kInvalid) {
    known_.brisk = brisk;  // an engine that refuses goes on at its own pace
  }
  settle(set);
}

}  // namespace hikae::control
