#include "engine/redis_source.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/strings.h"
#include "codec/resp/info.h"
#include "engine/redis_config.h"
#include "engine/redis_saver.h"

namespace hikae::engine {
namespace {

using codec::resp::Info;
using codec::resp::Value;
using control::Awaitable;

constexpr Duration kConnectTimeout = std::chrono::seconds(3);
constexpr Duration kCallTimeout = std::chrono::seconds(3);
constexpr int kDefaultDatabases = 16;
constexpr std::size_t kLongestWords = 200;

// What a foreign server says goes to events and logs.
std::string words_of(std::string_view text) {
  std::string out(text.substr(0, kLongestWords));
  std::replace_if(out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

struct Server {
  std::string engine;
  std::string version;
  std::string str() const { return engine + " " + version; }
};

Server server_of(const Info& info) {
  if (const auto valkey = info.text("valkey_version")) {
    return Server{"valkey", words_of(*valkey)};
  }
  return Server{"redis", words_of(info.text("redis_version").value_or("unknown"))};
}

std::int64_t directive(const core::NodeAssignment& assignment, const std::string& name,
                       std::int64_t otherwise) {
  const bool said = assignment.directives.contains(name);
  return said ? parse_integer(assignment.directives.at(name)).value_or(otherwise) : otherwise;
}

// The highest number of a database that has keys.
std::int64_t last_database(std::string_view info) {
  std::int64_t last = 0;
  for (const std::string& line : split(info, '\n')) {
    if (line.starts_with("db")) {
      last = std::max(last, parse_integer(line.substr(2, line.find(':') - 2)).value_or(0));
    }
  }
  return last;
}

std::string why_refused(const Value& reply) {
  if (reply.error_code() == "NOAUTH") {
    return "it asks for a password; a source must not have AUTH enabled";
  }
  return "it answered " + words_of(reply.text);
}

std::string why_unfit(const Info& info) {
  if (info.integer("cluster_enabled").value_or(0) != 0) {
    return "it runs with cluster mode enabled";
  }
  if (info.text("role").value_or("") != "master") {
    return "it is no primary itself";
  }
  return info.integer("loading").value_or(0) != 0 ? "it is still loading its data" : "";
}

}  // namespace

std::string why_not_migrate(const core::NodeAssignment& assignment, std::string_view own_info,
                            const std::vector<Value>& replies) {
  for (const Value& reply : replies) {
    if (reply.is_error()) {
      return why_refused(reply);
    }
  }
  const std::string text(replies.size() > 1 ? replies[1].as_text() : std::string_view());
  const Info info = Info::parse(text);
  const Info own = Info::parse(own_info);
  if (auto why = why_unfit(info); !why.empty()) {
    return why;
  }
  if (info.text("run_id").value_or("") == own.text("run_id").value_or("")) {
    return "it is the primary of the replication group itself";
  }
  const Server source = server_of(info);
  const Server target = server_of(own);
  if (newest_rdb_format(source.engine, source.version) >
      newest_rdb_format(target.engine, target.version)) {
    return fmt::format("it runs {}, whose data {} cannot read", source.str(), target.str());
  }
  const std::int64_t room = directive(assignment, "maxmemory", 0);
  const std::int64_t used = info.integer("used_memory").value_or(0);
  if (room > 0 && used > room) {
    return fmt::format("its data takes {} bytes, and a node has room for {}", used, room);
  }
  const std::int64_t databases = directive(assignment, "databases", kDefaultDatabases);
  if (last_database(text) >= databases) {
    return fmt::format("it uses database {}, and the nodes have {}", last_database(text),
                       databases);
  }
  return "";
}

RedisSource::RedisSource(SecretSource secrets, const control::ProcessRunner& runner,
                         AdminConnector& connector)
    : secrets_(std::move(secrets)), runner_(runner), connector_(connector) {}

Awaitable<core::SourceAnswer> RedisSource::check(core::NodeAssignment assignment) {
  core::SourceAnswer out;
  core::NodeAssignment same = assignment;
  const auto own = co_await info_of_node(std::move(same));
  if (!own) {
    out.problem = own.error().message;
    co_return out;
  }
  // Whoever may not do REPLCONF may not replicate.
  std::vector<Command> commands = {{"PING"}, {"INFO"}, {"REPLCONF", "capa", "eof"}};
  const auto replies = co_await ask(assignment.source, std::move(commands));
  if (!replies) {
    out.problem = words_of(replies.error().message);
    co_return out;
  }
  out.version = server_of(Info::parse((*replies)[1].as_text())).str();
  out.problem = why_not_migrate(assignment, *own, *replies);
  co_return out;
}

Awaitable<core::SourceAnswer> RedisSource::pause_writes(core::NodeAssignment assignment,
                                                        Duration bound) {
  core::SourceAnswer out;
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(bound).count();
  std::vector<Command> commands = {{"CLIENT", "PAUSE", std::to_string(ms), "WRITE"},
                                   {"INFO", "server"},
                                   {"INFO", "replication"}};
  const auto replies = co_await ask(assignment.source, std::move(commands));
  if (!replies) {
    out.problem = words_of(replies.error().message);
    co_return out;
  }
  const Info info = Info::parse((*replies)[2].as_text());
  const auto offset = info.integer("master_repl_offset");
  if (info.text("role").value_or("") != "master" || !offset) {
    out.problem = "it is no primary any more";
    co_return out;
  }
  // Before Redis 6.2 there is only a pause of everybody, which would keep us out too.
  out.writes_paused = (*replies)[0].is_ok();
  out.offset = std::uint64_t(std::max<std::int64_t>(*offset, 0));
  out.version = server_of(Info::parse((*replies)[1].as_text())).str();
  co_return out;
}

Awaitable<void> RedisSource::resume_writes(core::NodeAssignment assignment) {
  std::vector<Command> commands = {{"CLIENT", "UNPAUSE"}};
  // Whatever comes of it: the pause has an end of its own.
  co_await ask(assignment.source, std::move(commands));
}

Awaitable<Result<RedisSource::Replies>> RedisSource::ask(core::MigrationSource source,
                                                         std::vector<Command> commands) {
  auto connection = co_await connector_.connect_to(source.host, source.port, kConnectTimeout);
  if (!connection) {
    co_return tl::unexpected(connection.error());
  }
  const std::size_t expected = commands.size();
  auto replies = co_await (*connection)->call(std::move(commands), kCallTimeout);
  (*connection)->close();
  if (replies && replies->size() != expected) {
    co_return fail(ErrorCode::kInvalid, "it does not speak the protocol of Redis");
  }
  co_return replies;
}

Awaitable<Result<std::string>> RedisSource::info_of_node(core::NodeAssignment assignment) {
  const core::NodeKey node = assignment.node;
  auto connection = co_await connector_.connect(runner_.path(node, kAdminSocket), kConnectTimeout);
  if (!connection) {
    co_return tl::unexpected(connection.error());
  }
  const auto secrets = secrets_(node, assignment.group);
  std::vector<Command> commands = {{"AUTH", std::string(kAdminUser), secrets.admin},
                                   {"INFO", "server"}};
  const auto replies = co_await (*connection)->call(std::move(commands), kCallTimeout);
  (*connection)->close();
  if (!replies) {
    co_return tl::unexpected(replies.error());
  }
  if (replies->size() != 2 || replies->back().is_error()) {
    co_return fail(ErrorCode::kDenied,
                   fmt::format("node {}: the engine refused its administrator", node.str()));
  }
  co_return std::string(replies->back().as_text());
}

}  // namespace hikae::engine
