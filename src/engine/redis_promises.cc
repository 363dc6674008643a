#include "engine/redis_promises.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/strings.h"
#include "codec/resp/info.h"
#include "core/failover/lease.h"
#include "engine/redis_config.h"

namespace hikae::engine {
namespace {

using control::Awaitable;
using std::chrono::milliseconds;

constexpr Duration kConnectTimeout = milliseconds(200);
constexpr Duration kCallTimeout = milliseconds(500);
// For the acknowledgements, of the length of a lease.
constexpr int kWaitsPerLease = 4;
constexpr int kMoreThanThereAre = 1000;

Command promise(const core::NodeAssignment& assignment, Duration length) {
  const auto ms = std::chrono::ceil<milliseconds>(length).count();
  Command command = {"HIKAE.PROMISE", std::to_string(assignment.epoch.value()), std::to_string(ms)};
  for (const Ipv4 peer : assignment.peers) {
    command.push_back(peer.str());
  }
  return command;
}

struct Replica {
  std::string address;
  bool online = false;
  std::int64_t offset = 0;
};

// Of lines like `slave0:ip=10.0.0.7,port=6379,state=online,offset=140,lag=0`.
std::vector<Replica> replicas_of(const codec::resp::Info& info) {
  std::vector<Replica> out;
  for (int i = 0; i < info.integer("connected_slaves").value_or(0); ++i) {
    const auto fields =
        codec::resp::Info::parse_fields(info.text(fmt::format("slave{}", i)).value_or(""));
    out.push_back({std::string(fields.text("ip").value_or("")), fields.text("state") == "online",
                   fields.integer("offset").value_or(0)});
  }
  return out;
}

bool has_acknowledged(const std::vector<Replica>& replicas, Ipv4 peer, std::int64_t offset) {
  return std::any_of(replicas.begin(), replicas.end(), [&](const Replica& one) {
    return one.address == peer.str() && one.online && one.offset >= offset;
  });
}

std::int64_t offset_of(const codec::resp::Value& replication) {
  return codec::resp::Info::parse(replication.as_text()).integer("master_repl_offset").value_or(0);
}

// Two sections of INFO, of which this is the first.
std::string both(const std::vector<codec::resp::Value>& replies, int first) {
  return fmt::format("{}\r\n{}", replies[std::size_t(first)].as_text(),
                     replies[std::size_t(first) + 1].as_text());
}

Status not_all_follow(const core::NodeKey& node) {
  return fail(ErrorCode::kUnavailable,
              fmt::format("node {}: not all of its replicas follow it", node.str()));
}

}  // namespace

bool all_have_promised(std::string_view before, std::string_view after, std::uint64_t offset,
                       const std::vector<Ipv4>& peers) {
  const auto first = codec::resp::Info::parse(before);
  const auto second = codec::resp::Info::parse(after);
  const auto synchronisations = first.integer("sync_full");
  const bool same_stream = first.text("master_replid") == second.text("master_replid");
  if (!synchronisations || synchronisations != second.integer("sync_full") || !same_stream ||
      first.text("role") != "master" || second.text("role") != "master") {
    return false;
  }
  const auto attached = replicas_of(first);
  const auto acknowledged = replicas_of(second);
  return !peers.empty() && std::all_of(peers.begin(), peers.end(), [&](Ipv4 peer) {
    return has_acknowledged(attached, peer, 0) &&
           has_acknowledged(acknowledged, peer, std::int64_t(offset));
  });
}

RedisPromises::RedisPromises(SecretSource secrets, const control::ProcessRunner& runner,
                             AdminConnector& connector)
    : administrator_(std::move(secrets), runner, connector, kConnectTimeout) {}

Awaitable<Status> RedisPromises::count(core::NodeAssignment assignment, Duration length) {
  std::vector<Command> commands = {promise(assignment, length)};
  const auto replies =
      co_await administrator_.ask(std::move(assignment), std::move(commands), kCallTimeout);
  if (!replies) {
    co_return tl::unexpected(replies.error());
  }
  co_return Status();
}

// What the engine answers to the marker, and who has acknowledged all that it had sent then.
Awaitable<Result<RedisPromises::Answer>> RedisPromises::ask_replicas(
    core::NodeAssignment assignment, Command marker, std::size_t awaited, Duration patience) {
  const std::vector<Ipv4> peers = assignment.peers;
  const auto patience_ms = std::chrono::duration_cast<milliseconds>(patience).count();
  // The second INFO tells how far the stream was with the marker, which may be applied already.
  std::vector<Command> commands = {
      {"INFO", "replication"},
      {"INFO", "stats"},
      std::move(marker),
      {"INFO", "replication"},
      {"WAIT", std::to_string(awaited), std::to_string(std::max<std::int64_t>(patience_ms, 1))},
      {"INFO", "replication"},
      {"INFO", "stats"}};
  auto replies = co_await administrator_.ask(std::move(assignment), std::move(commands),
                                             patience + kCallTimeout);
  if (!replies) {
    co_return tl::unexpected(replies.error());
  }
  enum { kBefore = 0, kMarker = 2, kSent = 3, kAfter = 5 };
  Answer out;
  const std::int64_t sent = offset_of((*replies)[kSent]);
  out.sent_something = sent > offset_of((*replies)[kBefore]);
  out.all_have_it = sent > 0 && all_have_promised(both(*replies, kBefore), both(*replies, kAfter),
                                                  std::uint64_t(sent), peers);
  out.marker = std::move((*replies)[kMarker]);
  co_return out;
}

// Who applies a byte of the stream that was written after this began followed then. WAIT for more
// replicas than there are makes the primary ask for acknowledgements by the stream itself; what is
// behind the first such question is acknowledged by the answer to the second.
Awaitable<Status> RedisPromises::take_by_following(core::NodeAssignment assignment) {
  const core::NodeKey node = assignment.node;
  const std::size_t more = assignment.peers.size() + kMoreThanThereAre;
  Command question = {"WAIT", std::to_string(more), "1"};
  const auto answer = co_await ask_replicas(std::move(assignment), std::move(question), more,
                                            core::kFollowPromise / kWaitsPerLease);
  if (!answer) {
    co_return tl::unexpected(answer.error());
  }
  co_return answer->sent_something && answer->all_have_it ? Status() : not_all_follow(node);
}

Awaitable<Status> RedisPromises::take(core::NodeAssignment assignment, Duration length) {
  if (assignment.kept) {
    co_return co_await take_by_following(std::move(assignment));
  }
  const core::NodeKey node = assignment.node;
  const std::size_t all = assignment.peers.size();
  Command words = promise(assignment, length);
  const auto answer =
      co_await ask_replicas(std::move(assignment), std::move(words), all, length / kWaitsPerLease);
  if (!answer) {
    co_return tl::unexpected(answer.error());
  }
  if (answer->marker.is_error()) {
    co_return fail(ErrorCode::kUnavailable,
                   fmt::format("node {}: {}", node.str(), answer->marker.text));
  }
  co_return answer->all_have_it ? Status() : not_all_follow(node);
}

Awaitable<Status> RedisPromises::end_transactions(core::NodeAssignment assignment) {
  const core::NodeKey node = assignment.node;
  std::vector<Command> commands = {{"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}};
  const auto replies =
      co_await administrator_.ask(std::move(assignment), std::move(commands), kCallTimeout);
  if (!replies) {
    co_return tl::unexpected(replies.error());
  }
  if (replies->front().is_error()) {
    co_return fail(ErrorCode::kUnavailable,
                   fmt::format("node {}: {}", node.str(), replies->front().text));
  }
  co_return Status();
}

}  // namespace hikae::engine
