#include "engine/redis_slow_log.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/strings.h"
#include "engine/redis_config.h"

namespace hikae::engine {
namespace {

using codec::resp::Value;
using control::Awaitable;
using control::SlowEntry;

constexpr Duration kConnectTimeout = std::chrono::milliseconds(500);
constexpr Duration kCallTimeout = std::chrono::seconds(2);
constexpr std::size_t kLeastFields = 4;   // id, time, duration, arguments
constexpr std::size_t kAddressField = 4;  // and the client's name behind it, since Redis 4.0

// Of a long command the engine keeps the beginning, and `... (12 more arguments)`.
std::size_t count_arguments(const std::vector<Value>& words) {
  if (words.size() < 2) {
    return 0;
  }
  const std::string_view last = words.back().as_text();
  const std::size_t listed = words.size() - 1;
  if (last.starts_with("... (") && last.ends_with(" more arguments)")) {
    const auto more = parse_integer(last.substr(5, last.find(' ', 5) - 5));
    return listed - 1 + std::size_t(std::max<std::int64_t>(more.value_or(0), 0));
  }
  return listed;
}

// One line: names of clients may hold anything that has no blank.
std::string one_line(std::string_view text) {
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return out;
}

}  // namespace

RedisSlowLog::RedisSlowLog(SecretSource secrets, const control::ProcessRunner& runner,
                           AdminConnector& connector)
    : administrator_(std::move(secrets), runner, connector, kConnectTimeout) {}

Awaitable<Result<std::vector<SlowEntry>>> RedisSlowLog::read(core::NodeAssignment node,
                                                             std::int64_t after) {
  const core::NodeKey key = node.node;
  std::vector<Command> commands = {{"SLOWLOG", "GET", std::to_string(kMostEntries)}};
  const auto replies =
      co_await administrator_.ask(std::move(node), std::move(commands), kCallTimeout);
  if (!replies) {
    co_return tl::unexpected(replies.error());
  }
  if (replies->back().is_error()) {
    co_return fail(ErrorCode::kDenied,
                   fmt::format("node {}: the engine does not tell its slow log", key.str()));
  }
  co_return parse_slow_log(replies->back(), after);
}

Result<std::vector<SlowEntry>> parse_slow_log(const Value& reply, std::int64_t after) {
  std::vector<SlowEntry> out;
  for (const Value& item : reply.array()) {
    const auto& fields = item.array();
    if (fields.size() < kLeastFields || fields[3].array().empty()) {
      return fail(ErrorCode::kInvalid, "an entry of the slow log has an unknown form");
    }
    SlowEntry entry;
    entry.id = fields[0].integer;
    entry.seconds = fields[1].integer;
    entry.microseconds = fields[2].integer;
    entry.command = one_line(fields[3].array()[0].as_text());
    entry.arguments = count_arguments(fields[3].array());
    if (fields.size() > kAddressField) {
      entry.client_address = one_line(fields[kAddressField].as_text());
    }
    if (fields.size() > kAddressField + 1) {
      entry.client_name = one_line(fields[kAddressField + 1].as_text());
    }
    out.push_back(std::move(entry));
  }
  std::reverse(out.begin(), out.end());
  const bool anew = !out.empty() && out.back().id < after;
  if (!anew) {
    std::erase_if(out, [after](const SlowEntry& entry) { return entry.id <= after; });
  }
  return out;
}

}  // namespace hikae::engine
