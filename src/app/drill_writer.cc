#include "app/drill_writer.h"

#include <algorithm>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "adapters/system/real_clock.h"

namespace hikae::app {
namespace {

using boost::asio::awaitable;

// How exact a gap is, and at most 1,000 writes a second: a drill is no load test.
constexpr Duration kPause = std::chrono::milliseconds(1);
// A client that waits longer than this tries elsewhere.
constexpr Duration kPatience = std::chrono::milliseconds(100);
constexpr Duration kReadLimit = std::chrono::seconds(5);
constexpr std::size_t kChunk = 1000;  // values asked for at once

awaitable<void> pause() {
  const auto executor = co_await boost::asio::this_coro::executor;
  boost::asio::steady_timer timer(executor, kPause);
  co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
}

Monotonic now() {
  return adapters::RealClock().monotonic();
}

}  // namespace

DrillWriter::DrillWriter(std::string key, Resolver resolve)
    : key_(std::move(key)), resolve_(std::move(resolve)) {}

awaitable<void> DrillWriter::run() {
  while (!stopping_) {
    if (auto target = resolve_()) {
      auto connection = co_await resp::Connection::connect(std::move(*target), kPatience);
      if (connection) {
        co_await write(std::move(*connection));
      }
    }
    co_await pause();
  }
  ended_ = true;
}

awaitable<void> DrillWriter::write(resp::Connection connection) {
  while (!stopping_) {
    const std::int64_t number = next_++;
    const std::string text = std::to_string(number);
    std::vector<std::string> command = {"HSET", key_, text, text};
    const auto reply = co_await connection.command(std::move(command), kPatience);
    if (!reply || reply->is_error()) {
      co_return;
    }
    note_acknowledged(number);
    co_await pause();
  }
}

void DrillWriter::note_acknowledged(std::int64_t number) {
  gap_ = longest_gap();
  last_ = now();
  acknowledged_.push_back(number);
}

Duration DrillWriter::longest_gap() const {
  return acknowledged_.empty() ? Duration() : std::max(gap_, now() - last_);
}

awaitable<Result<std::size_t>> DrillWriter::count_lost() {
  const auto target = resolve_();
  if (!target) {
    co_return fail(ErrorCode::kUnavailable, "the primary endpoint has no address");
  }
  auto connection = co_await resp::Connection::connect(*target, kReadLimit);
  if (!connection) {
    co_return tl::unexpected(connection.error());
  }
  std::size_t lost = 0;
  for (std::size_t from = 0; from < acknowledged_.size(); from += kChunk) {
    const std::size_t end = std::min(from + kChunk, acknowledged_.size());
    std::vector<std::string> command = {"HMGET", key_};
    for (std::size_t i = from; i < end; ++i) {
      command.push_back(std::to_string(acknowledged_[i]));
    }
    const auto reply = co_await connection->command(std::move(command), kReadLimit);
    if (!reply) {
      co_return tl::unexpected(reply.error());
    }
    const auto& values = reply->array();
    if (values.size() != end - from) {
      co_return fail(ErrorCode::kUnavailable, "the primary does not tell the values");
    }
    for (std::size_t i = from; i < end; ++i) {
      lost += values[i - from].as_text() == std::to_string(acknowledged_[i]) ? 0 : 1;
    }
  }
  std::vector<std::string> removal = {"DEL", key_};
  co_await connection->command(std::move(removal), kReadLimit);
  co_return lost;
}

}  // namespace hikae::app
