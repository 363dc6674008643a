#include "engine/administrator.h"

#include <utility>

#include <fmt/format.h>

#include "engine/redis_config.h"

namespace hikae::engine {

control::Awaitable<Result<Administrator::Replies>> Administrator::ask(
    core::NodeAssignment assignment, std::vector<Command> commands, Duration timeout) {
  const core::NodeKey node = assignment.node;
  auto connection = co_await connector_.connect(runner_.path(node, kAdminSocket), connect_timeout_);
  if (!connection) {
    co_return tl::unexpected(connection.error());
  }
  const auto secrets = secrets_(node, assignment.group);
  commands.insert(commands.begin(), Command({"AUTH", std::string(kAdminUser), secrets.admin}));
  const std::size_t expected = commands.size();
  auto replies = co_await (*connection)->call(std::move(commands), timeout);
  (*connection)->close();
  if (!replies) {
    co_return replies;
  }
  if (replies->size() != expected || replies->front().is_error()) {
    co_return fail(ErrorCode::kDenied,
                   fmt::format("node {}: the engine refused its administrator", node.str()));
  }
  replies->erase(replies->begin());
  co_return replies;
}

}  // namespace hikae::engine
