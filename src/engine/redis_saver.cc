#include "engine/redis_saver.h"

#include <utility>

#include <fmt/format.h>

#include "codec/resp/info.h"
#include "core/catalog/catalog.h"
#include "engine/redis_config.h"
#include "engine/redis_status.h"

namespace hikae::engine {
namespace {

using control::Awaitable;

constexpr Duration kConnectTimeout = std::chrono::milliseconds(500);
constexpr Duration kCallTimeout = std::chrono::seconds(2);

struct Format {
  std::string_view engine;
  std::string_view version;
  int format;
};
// Newest first.
constexpr Format kFormats[] = {
    {"valkey", "9.0", 80}, {"valkey", "7.2", 11}, {"redis", "8.0", 12}, {"redis", "7.4", 12},
    {"redis", "7.2", 11},  {"redis", "7.0", 10},  {"redis", "5.0", 9},  {"redis", "4.0", 8},
    {"redis", "3.2", 7},   {"redis", "0", 6},
};

bool is_said_to_save_already(const codec::resp::Value& reply) {
  return reply.text.find("already in progress") != std::string::npos ||
         reply.text.find("another child process is active") != std::string::npos ||
         reply.text.find("Can't BGSAVE") != std::string::npos;
}

}  // namespace

RedisSaver::RedisSaver(SecretSource secrets, const control::ProcessRunner& runner,
                       AdminConnector& connector)
    : administrator_(std::move(secrets), runner, connector, kConnectTimeout), runner_(runner) {}

// The name of the process that is to save. It has to hold the group's data: a replica that was
// started anew and has no copy yet would save nothing.
Awaitable<Result<std::string>> RedisSaver::find_process(core::NodeAssignment assignment) {
  const core::NodeKey node = assignment.node;
  std::vector<Command> questions = {{"INFO", "server"}, {"INFO", "replication"}};
  const auto told =
      co_await administrator_.ask(std::move(assignment), std::move(questions), kCallTimeout);
  if (!told) {
    co_return tl::unexpected(told.error());
  }
  const auto status = parse_redis_status(told->back().as_text());
  if (!status) {
    co_return tl::unexpected(status.error());
  }
  if (status->role == core::Role::kReplica && !status->has_copy) {
    co_return fail(ErrorCode::kUnavailable,
                   fmt::format("node {}: the replica has no copy of the data yet", node.str()));
  }
  co_return codec::resp::Info::parse(told->front().as_text()).text("run_id").value_or("");
}

Awaitable<Status> RedisSaver::begin(core::NodeAssignment assignment) {
  const core::NodeKey node = assignment.node;
  core::NodeAssignment same = assignment;
  auto process = co_await find_process(std::move(same));
  if (!process) {
    co_return tl::unexpected(process.error());
  }
  std::vector<Command> commands = {{"BGSAVE"}};
  const auto replies =
      co_await administrator_.ask(std::move(assignment), std::move(commands), kCallTimeout);
  if (!replies) {
    co_return tl::unexpected(replies.error());
  }
  const codec::resp::Value& answer = replies->back();
  if (answer.is_error()) {
    const bool later = is_said_to_save_already(answer) || answer.error_code() == "BUSY" ||
                       answer.error_code() == "LOADING";
    co_return fail(later ? ErrorCode::kConflict : ErrorCode::kInvalid,
                   fmt::format("node {}: BGSAVE was refused: {}", node.str(), answer.text));
  }
  asked_[node] = std::move(*process);
  co_return Status();
}

Awaitable<Result<control::DataSaver::State>> RedisSaver::look(core::NodeAssignment assignment) {
  const core::NodeKey node = assignment.node;
  std::vector<Command> commands = {{"INFO", "server"}, {"INFO", "persistence"}};
  const auto replies =
      co_await administrator_.ask(std::move(assignment), std::move(commands), kCallTimeout);
  if (!replies) {
    co_return tl::unexpected(replies.error());
  }
  const auto server = codec::resp::Info::parse(replies->front().as_text());
  if (server.text("run_id").value_or("") != asked_[node]) {
    co_return fail(ErrorCode::kConflict,
                   fmt::format("node {}: the process that saved is gone", node.str()));
  }
  const auto info = codec::resp::Info::parse(replies->back().as_text());
  if (info.integer("rdb_bgsave_in_progress").value_or(1) != 0) {
    co_return State::kSaving;
  }
  co_return info.text("rdb_last_bgsave_status") == "ok" ? State::kSaved : State::kFailed;
}

std::string RedisSaver::saved_file(const core::NodeAssignment& assignment) const {
  return runner_.path(assignment.node, kDataFile);
}

int newest_rdb_format(std::string_view engine, std::string_view version) {
  for (const Format& row : kFormats) {
    if (row.engine == engine && core::compare_versions(version, row.version) >= 0) {
      return row.format;
    }
  }
  return 0;
}

}  // namespace hikae::engine
