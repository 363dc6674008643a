#include "app/drill.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "adapters/system/data_directory.h"
#include "adapters/system/proc.h"
#include "adapters/system/real_clock.h"
#include "app/drill_access.h"
#include "app/drill_faults.h"
#include "app/drill_report.h"
#include "app/drill_targets.h"
#include "app/drill_writer.h"
#include "app/http_get.h"
#include "app/name_keeper.h"
#include "app/runtime_facts.h"
#include "codec/resp/info.h"

namespace hikae::app {
namespace {

using boost::asio::awaitable;

constexpr int kFailed = 1;
constexpr int kUsageError = 2;
constexpr int kNamesTimeoutMs = 500;
constexpr std::size_t kMaxGroups = 32;  // that are written to at once
constexpr Duration kAskLimit = std::chrono::milliseconds(500);
constexpr Duration kFirstWriteLimit = std::chrono::seconds(10);
constexpr Duration kWholeLimit = std::chrono::seconds(120);
constexpr Duration kReportLimit = std::chrono::seconds(5);
constexpr Duration kPoll = std::chrono::milliseconds(10);
constexpr Duration kOutageRound = std::chrono::milliseconds(20);  // between two kills of a zone

// One replication group under watch.
struct Lane {
  DrillTarget target;
  Ipv4 primary;  // before the fault
  std::uint16_t port = 0;
  bool as_administrator = false;  // a client without TLS and a password may not write
  std::size_t replicas = 0;       // before the fault, online
  std::unique_ptr<DrillWriter> writer;
  DrillFinding finding;
};

std::optional<std::uint16_t> port_at(Ipv4 address) {
  for (const adapters::ListeningSocket& socket : adapters::listening_sockets()) {
    if (socket.protocol == adapters::ListeningSocket::Protocol::kTcp && socket.address == address) {
      return socket.port;
    }
  }
  return std::nullopt;
}

class Drill {
 public:
  Drill(const DrillOptions& options, const RuntimeFacts& facts)
      : options_(options),
        api_(*SocketAddress::parse(facts.api)),
        region_(facts.region),
        data_(adapters::absolute_path(options.data_directory)),
        nodes_(data_ + "/nodes"),
        access_(data_),
        known_reports_(report_files(data_)) {}

  int run() {
    int code = kFailed;
    const auto done = [&code](std::exception_ptr failed, int answer) {
      code = failed ? kFailed : answer;
    };
    boost::asio::co_spawn(context_, drill(), done);
    context_.run();
    return code;
  }

 private:
  awaitable<int> drill();
  awaitable<Status> prepare();
  awaitable<Result<DrillTarget>> target_of_cluster();
  awaitable<Result<codec::resp::Role>> role_at(resp::Target target);
  awaitable<Result<codec::resp::Role>> role_by_any_way(Ipv4 address, std::uint16_t port);
  awaitable<Result<Lane>> lane_of(DrillTarget target);
  awaitable<bool> may_write(resp::Target target);
  awaitable<bool> is_whole(const Lane& lane);
  awaitable<bool> all_write(std::vector<std::size_t> more_than, Duration limit);
  awaitable<void> inject();
  awaitable<void> wait_whole();
  awaitable<void> finish();
  awaitable<void> rest(Duration time);
  int judge() const;

  NameTable names() const;
  std::optional<resp::Target> way_to(Ipv4 address, std::uint16_t port, bool as_administrator) const;
  std::vector<pid_t> victims() const;
  std::vector<std::size_t> counts() const;
  Monotonic now() const { return clock_.monotonic(); }

  const DrillOptions& options_;
  adapters::RealClock clock_;
  SocketAddress api_;
  std::string region_;
  std::string data_;
  std::string nodes_;
  DrillAccess access_;
  const std::string key_ = fmt::format("hikae-drill:{}", clock_.now().microseconds());
  std::set<std::string> known_reports_;
  boost::asio::io_context context_{1};
  std::vector<Lane> lanes_;
  std::vector<pid_t> hit_;
  Monotonic fault_;
};

NameTable Drill::names() const {
  return parse_names(http_get(api_, kNamesPath, kNamesTimeoutMs).value_or(""));
}

std::vector<pid_t> Drill::victims() const {
  if (options_.kind != DrillKind::kZoneOutage) {
    return cluster_processes(nodes_, options_.subject);
  }
  const bool is_letter = options_.subject.size() == 1;
  return host_processes(nodes_, "local-" + (is_letter ? region_ : "") + options_.subject);
}

std::vector<std::size_t> Drill::counts() const {
  std::vector<std::size_t> out;
  for (const Lane& lane : lanes_) {
    out.push_back(lane.writer->acknowledged());
  }
  return out;
}

awaitable<void> Drill::rest(Duration time) {
  boost::asio::steady_timer timer(context_, time);
  co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
}

// nullopt: the administrator's way, and no node of this directory is there.
std::optional<resp::Target> Drill::way_to(Ipv4 address, std::uint16_t port,
                                          bool as_administrator) const {
  return as_administrator ? access_.administrator_at(names(), address)
                          : std::optional(resp::Target::at_address(address, port));
}

awaitable<Result<codec::resp::Role>> Drill::role_at(resp::Target target) {
  const std::string shown = target.str();
  auto connection = co_await resp::Connection::connect(std::move(target), kAskLimit);
  if (!connection) {
    co_return tl::unexpected(connection.error());
  }
  std::vector<std::string> command = {"ROLE"};
  const auto reply = co_await connection->command(std::move(command), kAskLimit);
  const auto role = reply ? codec::resp::parse_role(*reply) : std::nullopt;
  if (!role) {
    co_return fail(ErrorCode::kUnavailable, fmt::format("{} does not tell its role", shown));
  }
  co_return *role;
}

awaitable<Result<codec::resp::Role>> Drill::role_by_any_way(Ipv4 address, std::uint16_t port) {
  resp::Target client = resp::Target::at_address(address, port);
  auto role = co_await role_at(std::move(client));
  auto administrator = access_.administrator_at(names(), address);
  if (!role && administrator) {
    role = co_await role_at(std::move(*administrator));
  }
  co_return role;
}

// Whether a client like ours is let in, and may write what the writer writes.
awaitable<bool> Drill::may_write(resp::Target target) {
  auto connection = co_await resp::Connection::connect(std::move(target), kAskLimit);
  if (!connection) {
    co_return false;
  }
  std::vector<std::string> command = {"HSET", key_, "0", "0"};
  const auto reply = co_await connection->command(std::move(command), kAskLimit);
  co_return reply && !reply->is_error();
}

awaitable<Result<DrillTarget>> Drill::target_of_cluster() {
  const NameTable table = names();
  auto address = node_address(table, options_.subject);
  const auto port = address ? port_at(*address) : std::nullopt;
  if (!port) {
    co_return fail(ErrorCode::kNotFound,
                   fmt::format("no node of a cache cluster {} is running", options_.subject));
  }
  const auto role = co_await role_by_any_way(*address, *port);
  if (!role) {
    co_return tl::unexpected(role.error());
  }
  if (role->kind == codec::resp::Role::Kind::kReplica) {
    const auto named = table.find(role->primary_host);
    address = named == table.end() ? Ipv4::parse(role->primary_host) : named->second;
  }
  for (const DrillTarget& target : drill_targets(table)) {
    if (address == table.find(target.internal)->second) {
      co_return target;
    }
  }
  co_return fail(ErrorCode::kNotFound,
                 fmt::format("cache cluster {} is in no replication group", options_.subject));
}

awaitable<Result<Lane>> Drill::lane_of(DrillTarget target) {
  const NameTable table = names();
  const auto found = table.find(target.internal);
  const auto port = found == table.end() ? std::nullopt : port_at(found->second);
  if (!port) {
    co_return fail(ErrorCode::kUnavailable,
                   fmt::format("the primary of {} does not serve", target.group));
  }
  Lane lane;
  lane.primary = found->second;
  lane.port = *port;
  resp::Target client = resp::Target::at_address(lane.primary, lane.port);
  const bool let_in = co_await may_write(std::move(client));
  lane.as_administrator = !let_in;
  auto way = way_to(lane.primary, lane.port, lane.as_administrator);
  if (!way) {
    co_return fail(ErrorCode::kUnavailable,
                   fmt::format("the primary of {} does not run here", target.group));
  }
  const auto role = co_await role_at(std::move(*way));
  if (!role) {
    co_return tl::unexpected(role.error());
  }
  lane.replicas = role->replicas.size();
  lane.finding.group = target.group;
  lane.finding.endpoint = target.endpoint;
  lane.finding.as_administrator = lane.as_administrator;
  const auto resolve = [this, endpoint = target.endpoint, at = *port,
                        administrator = lane.as_administrator]() -> std::optional<resp::Target> {
    const NameTable current = names();
    const auto it = current.find(endpoint);
    return it == current.end() ? std::nullopt : way_to(it->second, at, administrator);
  };
  lane.writer = std::make_unique<DrillWriter>(key_, resolve);
  lane.target = std::move(target);
  co_return lane;
}

awaitable<Status> Drill::prepare() {
  if (Status opened = access_.open(); !opened) {
    co_return opened;
  }
  std::vector<DrillTarget> targets;
  if (options_.kind == DrillKind::kZoneOutage) {
    targets = drill_targets(names());
  } else {
    auto target = co_await target_of_cluster();
    if (!target) {
      co_return tl::unexpected(target.error());
    }
    targets.push_back(std::move(*target));
  }
  if (targets.empty() || victims().empty()) {
    co_return fail(ErrorCode::kNotFound,
                   fmt::format("nothing of a replication group runs in {}", options_.subject));
  }
  targets.resize(std::min(targets.size(), kMaxGroups));
  for (DrillTarget& target : targets) {
    auto lane = co_await lane_of(std::move(target));
    if (!lane) {
      co_return tl::unexpected(lane.error());
    }
    lanes_.push_back(std::move(*lane));
  }
  co_return Status();
}

// Waits until every writer has more acknowledged writes than that.
awaitable<bool> Drill::all_write(std::vector<std::size_t> more_than, Duration limit) {
  const Monotonic end = now() + limit;
  for (;;) {
    const auto have = counts();
    bool all = true;
    for (std::size_t i = 0; i < have.size(); ++i) {
      all = all && have[i] > more_than[i];
    }
    if (all || now() > end) {
      co_return all;
    }
    co_await rest(kPoll);
  }
}

awaitable<void> Drill::inject() {
  const int number = options_.kind == DrillKind::kStop   ? SIGSTOP
                     : options_.kind == DrillKind::kSegv ? SIGSEGV
                                                         : SIGKILL;
  fault_ = now();
  hit_ = victims();
  fmt::print("{} to {} processes of {}\n", ::strsignal(number), send_signal(hit_, number),
             options_.subject);
  if (options_.kind != DrillKind::kZoneOutage) {
    co_return;
  }
  while (now() < fault_ + options_.duration) {
    co_await rest(kOutageRound);
    if (auto next = victims(); !next.empty()) {
      send_signal(next, number);
      hit_ = std::move(next);
    }
  }
}

awaitable<bool> Drill::is_whole(const Lane& lane) {
  const NameTable table = names();
  const auto found = table.find(lane.target.internal);
  if (found == table.end()) {
    co_return false;
  }
  auto way = way_to(found->second, lane.port, lane.as_administrator);
  if (!way) {
    co_return false;
  }
  const auto role = co_await role_at(std::move(*way));
  co_return role && role->kind == codec::resp::Role::Kind::kPrimary &&
      role->replicas.size() >= lane.replicas;
}

awaitable<void> Drill::wait_whole() {
  const Monotonic end = now() + kWholeLimit;
  std::size_t whole = 0;
  while (whole < lanes_.size() && now() < end) {
    const auto left = victims();
    const bool gone = std::none_of(hit_.begin(), hit_.end(), [&](pid_t pid) {
      return std::find(left.begin(), left.end(), pid) != left.end();
    });
    for (Lane& lane : lanes_) {
      const bool now_whole = gone && !lane.finding.whole_after && co_await is_whole(lane);
      if (now_whole) {
        lane.finding.whole_after = now() - fault_;
        ++whole;
      }
    }
    co_await rest(kPoll);
  }
}

awaitable<void> Drill::finish() {
  for (Lane& lane : lanes_) {
    lane.finding.write_gap = lane.writer->longest_gap();
    lane.finding.acknowledged = lane.writer->acknowledged();
    lane.writer->stop();
  }
  const NameTable table = names();
  for (Lane& lane : lanes_) {
    while (!lane.writer->ended()) {
      co_await rest(kPoll);
    }
    const auto lost = co_await lane.writer->count_lost();
    lane.finding.lost = lost.value_or(0);
    lane.finding.problem = lost ? "" : lost.error().message;
    // The report is written a moment after the group is whole.
    const auto found = table.find(lane.target.internal);
    const bool moved = found != table.end() && found->second != lane.primary;
    const Monotonic end = now() + kReportLimit;
    while (moved && now() < end && new_reports(data_, known_reports_, lane.finding.group).empty()) {
      co_await rest(kPoll);
    }
  }
}

int Drill::judge() const {
  bool passed = true;
  for (const Lane& lane : lanes_) {
    const auto reports = new_reports(data_, known_reports_, lane.finding.group);
    fmt::print("{}", render(lane.finding, reports));
  }
  for (const Lane& lane : lanes_) {
    for (const std::string& violation : violations(lane.finding, options_)) {
      fmt::print(stderr, "hikae drill: {}\n", violation);
      passed = false;
    }
  }
  return passed ? 0 : kFailed;
}

awaitable<int> Drill::drill() {
  const Status prepared = co_await prepare();
  if (!prepared) {
    fmt::print(stderr, "hikae drill: {}\n", prepared.error().message);
    co_return prepared.error().code == ErrorCode::kNotFound ? kUsageError : kFailed;
  }
  for (Lane& lane : lanes_) {
    boost::asio::co_spawn(context_, lane.writer->run(), boost::asio::detached);
  }
  std::vector<std::size_t> none(lanes_.size(), 0);
  const bool writing = co_await all_write(std::move(none), kFirstWriteLimit);
  if (!writing) {
    fmt::print(stderr, "hikae drill: no write was acknowledged before the fault\n");
  } else {
    co_await inject();
    co_await wait_whole();
    auto so_far = counts();
    co_await all_write(std::move(so_far), kFirstWriteLimit);
  }
  co_await finish();
  co_return writing ? judge() : kFailed;
}

}  // namespace

int run_drill(const DrillOptions& options) {
  const auto facts = running_serve(options.data_directory);
  if (!facts) {
    fmt::print(stderr, "hikae drill: {}\n", facts.error().message);
    return kFailed;
  }
  return Drill(options, *facts).run();
}

}  // namespace hikae::app
