#include "control/log_courier.h"

#include <algorithm>
#include <exception>
#include <set>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>

#include "base/check.h"
#include "base/strings.h"

namespace hikae::control {
namespace {

// A question to an engine costs it some 50 us.
constexpr Duration kRound = std::chrono::seconds(1);
// A note is written to the disk.
constexpr Duration kNotePause = std::chrono::seconds(5);
constexpr const char* kNoteFile = "logs.note";  // file, offset, newest id, since
constexpr std::size_t kNoteWords = 4;
constexpr const char* kEngineLog = "engine.log";
constexpr const char* kNoDelivery = "its host delivers no logs";

std::string stream_of(const core::NodeAssignment& node, const core::LogDelivery& log) {
  return fmt::format("elasticache/{}/{}/{}/{}", node.engine, node.node.cluster.str(),
                     node.node.node.str(), log.log_type);
}

}  // namespace

LogCourier::LogCourier(boost::asio::any_io_executor executor, Ports ports,
                       std::function<void()> changed)
    : ports_(ports), changed_(std::move(changed)), wake_(executor), task_(std::move(executor)) {}

LogCourier::~LogCourier() {
  HIKAE_CHECK(!task_.is_running());
}

void LogCourier::start() {
  task_.start(run(), [](std::exception_ptr thrown) { HIKAE_CHECK(thrown == nullptr); });
}

Awaitable<void> LogCourier::stop() {
  stopping_ = true;
  wake_.raise();
  co_await task_.over();
  for (auto& [key, route] : routes_) {
    save(route, Duration());
  }
}

void LogCourier::assign(const core::Assignment& assignment) {
  std::set<core::NodeKey> wanted;
  std::set<core::NodeKey> quiet;
  for (const core::NodeAssignment& node : assignment.nodes) {
    if (node.logs.empty()) {
      quiet.insert(node.node);
      continue;
    }
    wanted.insert(node.node);
    const auto [route, added] = routes_.try_emplace(node.node);
    route->second.node = node;
    fresh_ = fresh_ || added;
  }
  std::erase_if(routes_, [&](const auto& item) {
    if (quiet.contains(item.first)) {
      forget(item.second);
    }
    return !wanted.contains(item.first);
  });
  if (!routes_.empty()) {
    wake_.raise();
  }
}

std::string LogCourier::problem(const core::NodeKey& node) const {
  const auto it = routes_.find(node);
  return it == routes_.end() ? "" : it->second.problem;
}

Awaitable<void> LogCourier::run() {
  using namespace boost::asio::experimental::awaitable_operators;
  while (!stopping_) {
    if (routes_.empty()) {
      co_await wake_.wait();
      continue;
    }
    fresh_ = false;
    std::vector<core::NodeKey> keys;
    for (const auto& [key, route] : routes_) {
      keys.push_back(key);
    }
    for (const core::NodeKey& key : keys) {
      if (stopping_) {
        break;
      }
      co_await serve(key);
    }
    const Monotonic next = ports_.clock.monotonic() + kRound;
    while (!stopping_ && !fresh_ && ports_.clock.monotonic() < next) {
      auto time = ports_.clock.sleep_until(next);
      auto woken = wake_.wait();
      co_await (std::move(time) || std::move(woken));
    }
  }
}

// Assignments come while we wait, and take routes away.
LogCourier::Route* LogCourier::find(const core::NodeKey& key) {
  const auto it = routes_.find(key);
  return it == routes_.end() ? nullptr : &it->second;
}

Awaitable<void> LogCourier::serve(core::NodeKey key) {
  Route* route = find(key);
  if (route == nullptr) {
    co_return;
  }
  if (ports_.source == nullptr || ports_.sink == nullptr) {
    settle(*route, kNoDelivery);
    co_return;
  }
  load(*route);
  std::string problem;
  const std::vector<core::LogDelivery> logs = route->node.logs;
  for (const core::LogDelivery& log : logs) {
    core::LogDelivery one = log;
    core::NodeKey node = key;
    const Status carried = co_await carry(std::move(node), std::move(one));
    if (!carried) {
      problem = carried.error().message;
    }
  }
  route = find(key);
  if (route != nullptr) {
    settle(*route, problem);
    save(*route, kNotePause);
  }
}

Awaitable<Status> LogCourier::carry(core::NodeKey key, core::LogDelivery log) {
  if (log.log_type == "slow-log") {
    co_return co_await carry_slow_log(std::move(key), std::move(log));
  }
  co_return co_await carry_engine_log(std::move(key), std::move(log));
}

Awaitable<Status> LogCourier::carry_engine_log(core::NodeKey key, core::LogDelivery log) {
  const Route* route = find(key);
  if (route == nullptr) {
    co_return Status();
  }
  std::string path = ports_.runner.path(key, kEngineLog);
  const LogPlace from = route->engine_log;
  auto chunk = co_await ports_.source->read_lines(std::move(path), from);
  if (!chunk && chunk.error().code == ErrorCode::kNotFound) {
    take_note(key, LogPlace{LogPlace::kComing, 0});
    co_return Status();
  }
  if (!chunk) {
    co_return tl::unexpected(chunk.error());
  }
  LogBatch batch;
  batch.to = std::move(log);
  batch.lines = std::move(chunk->lines);
  std::erase(batch.lines, std::string());
  core::NodeKey node = key;
  const Status handed = co_await hand_over(std::move(node), std::move(batch));
  if (handed) {
    take_note(key, chunk->place);
  }
  co_return handed;
}

Awaitable<Status> LogCourier::carry_slow_log(core::NodeKey key, core::LogDelivery log) {
  const Route* route = find(key);
  if (route == nullptr) {
    co_return Status();
  }
  core::NodeAssignment node = route->node;
  const std::int64_t after = route->slow_id;
  const std::int64_t since = route->slow_since;
  auto entries = co_await ports_.source->read_slow_log(std::move(node), after);
  if (!entries) {
    co_return Status();  // an engine that does not answer is told elsewhere
  }
  const std::int64_t newest = entries->empty() ? after : entries->back().id;
  LogBatch batch;
  batch.to = std::move(log);
  batch.slow = std::move(*entries);
  std::erase_if(batch.slow, [since](const SlowEntry& entry) { return entry.seconds < since; });
  core::NodeKey same = key;
  const Status handed = co_await hand_over(std::move(same), std::move(batch));
  Route* now = find(key);
  if (handed && now != nullptr && now->slow_id != newest) {
    now->slow_id = newest;
    now->moved = true;
  }
  co_return handed;
}

Awaitable<Status> LogCourier::hand_over(core::NodeKey key, LogBatch batch) {
  const Route* route = find(key);
  if (route == nullptr || (batch.lines.empty() && batch.slow.empty())) {
    co_return Status();
  }
  batch.stream = stream_of(route->node, batch.to);
  batch.node = std::move(key);
  co_return co_await ports_.sink->deliver(std::move(batch));
}

void LogCourier::take_note(const core::NodeKey& key, const LogPlace& place) {
  Route* route = find(key);
  if (route != nullptr && !(route->engine_log == place)) {
    route->engine_log = place;
    route->moved = true;
  }
}

// A node whose logs were never delivered begins with what comes from now on.
void LogCourier::load(Route& route) {
  if (std::exchange(route.loaded, true)) {
    return;
  }
  route.slow_since = ports_.clock.now().seconds();
  route.moved = true;
  const auto text = ports_.runner.read_note(route.node.node, kNoteFile);
  const auto words = split(text.value_or(""), ' ');
  const auto number = [&](std::size_t i) { return parse_integer(words[i]).value_or(-1); };
  if (words.size() == kNoteWords && number(0) >= 0 && number(1) >= 0) {
    route.engine_log = {std::uint64_t(number(0)), std::uint64_t(number(1))};
    route.slow_id = number(2);
    route.slow_since = number(3);
  }
}

// What comes while nobody wants the logs is delivered to nobody, also later.
void LogCourier::forget(const Route& route) {
  const Status forgotten = ports_.runner.write_note(route.node.node, kNoteFile, "");
  if (!forgotten) {
    ports_.log.warn(forgotten.error().message);
  }
}

void LogCourier::save(Route& route, Duration least_pause) {
  const Monotonic now = ports_.clock.monotonic();
  if (!route.moved || now - route.noted < least_pause) {
    return;
  }
  route.moved = false;
  route.noted = now;
  const Status noted = ports_.runner.write_note(
      route.node.node, kNoteFile,
      fmt::format("{} {} {} {}", route.engine_log.file, route.engine_log.offset, route.slow_id,
                  route.slow_since));
  if (!noted) {
    route.moved = true;  // the directory may not be there yet
  }
}

void LogCourier::settle(Route& route, const std::string& problem) {
  if (route.problem == problem) {
    return;
  }
  route.problem = problem;
  if (!problem.empty()) {
    ports_.log.warn(
        fmt::format("node {}: logs are not delivered: {}", route.node.node.str(), problem));
  }
  changed_();
}

}  // namespace hikae::control
