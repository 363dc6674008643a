#include <utility>

#include <fmt/format.h>

#include "core/reconcile/node_action.h"
#include "engine/redis_config.h"
#include "engine/redis_driver.h"
#include "engine/redis_refusal.h"
#include "engine/redis_status.h"

// Who leads and who follows, and what becomes of clients and their writes when that changes.

namespace hikae::engine {
namespace {

using control::Awaitable;

std::vector<Command> commands_to_drop_clients() {
  return {{"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"},
          {"CLIENT", "KILL", "TYPE", "pubsub"}};
}

}  // namespace

// An engine that followed a server outside of the region has none of our settings any more, and one
// that is to follow such a server must not show it any secret.
std::vector<Command> RedisDriver::login_at_primary(const core::NodeAssignment& assignment) const {
  const bool outside = assignment.source.is_followed();
  return {
      {"CONFIG", "SET", "masteruser", outside ? "" : std::string(kReplicationUser)},
      {"CONFIG", "SET", "masterauth", outside ? "" : secrets_of(assignment).replication},
      // Older engines do not know it, and do without.
      {"CONFIG", "SET", "bind-source-addr", outside ? "" : assignment.address.str()},
  };
}

std::vector<Command> RedisDriver::commands_to_follow(const core::NodeAssignment& assignment) const {
  const FollowTarget target = replication_source(assignment, runner_.private_hosts_supported());
  const Command replicaof = {"REPLICAOF", target.host, std::to_string(target.port)};
  const bool outside = assignment.source.is_followed();
  if (!assignment.attach && !outside) {
    return {replicaof};  // nobody answers there
  }
  std::vector<Command> commands = login_at_primary(assignment);
  if (assignment.access.encrypted() && !outside) {
    const bool encrypted = core::follows_encrypted(assignment, assignment.access);
    commands.push_back({"CONFIG", "SET", "tls-replication", encrypted ? "yes" : "no"});
  }
  if (!outside) {
    // An engine that follows the same name already ignores the command, although the name may mean
    // another address by now. Going by the address first makes it connect anew; its place in the
    // stream is kept.
    commands.push_back(
        {"REPLICAOF", assignment.primary_address.str(), std::to_string(target.port)});
  }
  commands.push_back(replicaof);
  return commands;
}

Awaitable<Status> RedisDriver::follow(core::NodeAssignment assignment) {
  const core::NodeKey node = assignment.node;
  auto replies = co_await ask(assignment, commands_to_follow(assignment));
  if (!replies) {
    co_return tl::unexpected(replies.error());
  }
  if (replies->back().is_error()) {
    co_return tl::unexpected(engine_refusal(node, "REPLICAOF", replies->back()));
  }
  co_return Status();
}

// In one exchange: clients wait for the end of it, and so does who is to be promoted.
Awaitable<Status> RedisDriver::demote(core::NodeAssignment assignment) {
  const core::NodeKey node = assignment.node;
  std::vector<Command> commands = commands_to_follow(assignment);
  const std::size_t replicaof = commands.size() - 1;
  for (Command& command : commands_to_drop_clients()) {
    commands.push_back(std::move(command));
  }
  auto replies = co_await ask(std::move(assignment), std::move(commands));
  if (!replies) {
    co_return tl::unexpected(replies.error());
  }
  if ((*replies)[replicaof].is_error()) {
    co_return tl::unexpected(engine_refusal(node, "REPLICAOF", (*replies)[replicaof]));
  }
  co_return Status();
}

Awaitable<Result<std::uint64_t>> RedisDriver::pause_writes(core::NodeAssignment assignment,
                                                           Duration bound) {
  const core::NodeKey node = assignment.node;
  const auto bound_ms = std::chrono::duration_cast<std::chrono::milliseconds>(bound).count();
  std::vector<Command> commands = {{"CLIENT", "PAUSE", std::to_string(bound_ms), "WRITE"},
                                   {"INFO", "replication"}};
  auto replies = co_await ask(std::move(assignment), std::move(commands));
  if (!replies) {
    co_return tl::unexpected(replies.error());
  }
  if (replies->front().is_error()) {
    co_return tl::unexpected(engine_refusal(node, "CLIENT PAUSE", replies->front()));
  }
  const auto status = parse_redis_status(replies->back().as_text());
  if (!status) {
    co_return tl::unexpected(status.error());
  }
  co_return status->replication_offset;
}

Awaitable<Status> RedisDriver::resume_writes(core::NodeAssignment assignment) {
  Command command = {"CLIENT", "UNPAUSE"};
  co_return co_await expect_ok(std::move(assignment), std::move(command));
}

Awaitable<Status> RedisDriver::drop_clients(core::NodeAssignment assignment) {
  const auto replies = co_await ask(std::move(assignment), commands_to_drop_clients());
  if (!replies) {
    co_return tl::unexpected(replies.error());
  }
  co_return Status();
}

Awaitable<Status> RedisDriver::promote(core::NodeAssignment assignment) {
  core::NodeAssignment alone = assignment;
  Command command = {"REPLICAOF", "NO", "ONE"};
  Status promoted = co_await expect_ok(std::move(assignment), std::move(command));
  if (promoted || promoted.error().code != ErrorCode::kConflict) {
    co_return promoted;
  }
  // It has promised its primary not to lead, which may go on for as long as it hears of promises:
  // from now on it hears of none.
  alone.attach = false;
  co_await follow(std::move(alone));
  co_return promoted;
}

}  // namespace hikae::engine
