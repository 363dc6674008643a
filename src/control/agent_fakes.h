#pragma once

#include <algorithm>
#include <csignal>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "control/ports.h"
#include "core/reconcile/hosts_file.h"
#include "core/reconcile/node_action.h"

// The world of agent_test.cc: a clock that moves when the test says so, a host in memory.

namespace hikae::control {

using core::NodeAssignment;
using core::NodeKey;

// A timer that nothing but its owner ends.
inline std::shared_ptr<boost::asio::steady_timer> endless(boost::asio::any_io_executor executor) {
  return std::make_shared<boost::asio::steady_timer>(executor,
                                                     boost::asio::steady_timer::time_point::max());
}

class FakeClock final : public Clock {
 public:
  Instant now() const override { return Instant(now_.microseconds()); }
  Monotonic monotonic() const override { return now_; }
  Awaitable<void> sleep_until(Monotonic t) override {
    const auto timer = endless(co_await boost::asio::this_coro::executor);
    const auto waiter = waiters_.emplace(t, timer);
    const auto token = boost::asio::as_tuple(boost::asio::use_awaitable);
    co_await timer->async_wait(token);
    waiters_.erase(waiter);
  }
  bool advance_to_next() {
    if (waiters_.empty()) {
      return false;
    }
    now_ = std::max(now_, waiters_.begin()->first);
    for (auto it = waiters_.begin(); it != waiters_.end() && it->first <= now_; ++it) {
      it->second->cancel();
    }
    return true;
  }

 private:
  Monotonic now_{1'000'000};
  std::multimap<Monotonic, std::shared_ptr<boost::asio::steady_timer>> waiters_;
};

class NoLog final : public Log {
 public:
  void info(std::string_view) override {}
  void warn(std::string_view) override {}
  void error(std::string_view) override {}
};

// The addresses that a host has, and those that somebody else has.
class FakeAddresses final : public Addressing {
 public:
  std::set<Ipv4> held;
  std::set<Ipv4> taken;
  std::function<void()> meanwhile;

  Awaitable<Status> hold(Ipv4 address) override {
    if (meanwhile) {
      std::exchange(meanwhile, nullptr)();
      // Asking the network takes its time: whatever the rest of the agent has to do is done.
      const auto executor = co_await boost::asio::this_coro::executor;
      for (int turn = 0; turn < 10; ++turn) {
        co_await boost::asio::post(executor, boost::asio::use_awaitable);
      }
    }
    if (taken.contains(address)) {
      co_return fail(ErrorCode::kConflict, address.str() + " belongs to another machine");
    }
    held.insert(address);
    co_return Status();
  }
  void keep_only(std::set<Ipv4> wanted) override {
    std::erase_if(held, [&](Ipv4 address) { return !wanted.contains(address); });
  }
};

// Processes and engines of one host, in memory. Outlives agents, as real ones do.
class FakeHost final : public ProcessRunner, public EngineDriver {
 public:
  struct Engine {
    std::int64_t pid = 0;
    EngineStatus status;
    std::map<std::string, std::string> files;
    std::shared_ptr<boost::asio::steady_timer> exit;
    ProcessProbe probe{};
    bool preferred = false;
  };
  std::map<NodeKey, Engine> engines;
  std::vector<std::string> calls;  // what was done, in order
  int silent_inspections = 0;      // so many go unanswered
  std::optional<Error> start_error;
  std::optional<Error> directive_error;
  std::optional<Error> access_error;
  SocketReset last_reset;
  std::string last_seed;
  std::uint64_t stored = 0;
  bool lingers = false;  // after SIGKILL the kernel still frees memory: dying, not gone
  std::optional<Error> save_error;
  std::optional<Error> launch_error;
  std::optional<Error> promote_error;
  bool ignores_sigterm = false;
  bool mute = false;  // no engine answers
  bool private_hosts = true;
  std::string installed = "8.0.1";  // the version of every program
  std::uint64_t programs = 1;       // grows with it
  std::string keeper;               // of every process that is started

  void end(Engine& engine) {
    engine.pid = 0;
    close_question();
    if (engine.exit) {
      engine.exit->cancel();
    }
  }
  int count(const std::string& call) const {
    return int(std::count(calls.begin(), calls.end(), call));
  }

  Awaitable<Result<std::vector<FoundNode>>> find_all() override {
    std::vector<FoundNode> out;
    for (const auto& [node, engine] : engines) {
      FoundNode found{node, std::nullopt};
      if (engine.pid != 0) {
        found.process = Process{engine.pid, 7};
      }
      out.push_back(std::move(found));
    }
    co_return out;
  }
  Awaitable<Result<Process>> start(LaunchSpec spec) override {
    calls.push_back(spec.keep_data ? "start with its data" : "start");
    last_seed = spec.seed;
    if (start_error) {
      co_return tl::unexpected(*start_error);
    }
    Engine& engine = engines[spec.node];
    engine = Engine{++last_pid_, {}, std::move(spec.files), nullptr, {}};
    engine.files["hosts"] = std::move(spec.hosts_file);
    engine.status.version = installed;
    engine.status.has_fence = engine.status.kept = !spec.keeper.empty();
    co_return Process{engine.pid, 7};
  }
  Awaitable<void> wait_exit(Process process) override {
    for (auto& [node, engine] : engines) {
      if (engine.pid == process.pid) {
        engine.exit = endless(co_await boost::asio::this_coro::executor);
        const auto timer = engine.exit;
        const auto token = boost::asio::as_tuple(boost::asio::use_awaitable);
        co_await timer->async_wait(token);
        co_return;
      }
    }
  }
  Status signal(Process process, int signal_number) override {
    calls.push_back(signal_number == SIGKILL ? "SIGKILL" : "SIGTERM");
    for (auto& [node, engine] : engines) {
      if (engine.pid != process.pid || (signal_number == SIGTERM && ignores_sigterm)) {
        continue;
      }
      if (lingers) {
        engine.probe.exiting = true;
      } else {
        end(engine);
      }
    }
    return {};
  }
  Result<ProcessProbe> probe(Process process) override {
    for (const auto& [node, engine] : engines) {
      if (engine.pid == process.pid) {
        return engine.probe;
      }
    }
    return fail(ErrorCode::kNotFound, "gone");
  }
  bool has_no_memory(Process process) override {
    const auto seen = probe(process);
    return !seen || seen->exiting;
  }
  void prefer(Process process, bool on) override {
    for (auto& [node, engine] : engines) {
      if (engine.pid == process.pid) {
        engine.preferred = on;
      }
    }
  }
  Awaitable<Status> reset_sockets(SocketReset reset) override {
    calls.push_back(reset.connections ? "reset clients" : "refuse clients");
    last_reset = std::move(reset);
    co_return Status();
  }
  bool socket_resets_supported() const override { return true; }
  Status update_hosts(NodeKey node, std::string content) override {
    calls.push_back("update_hosts");
    engines[node].files["hosts"] = std::move(content);
    return {};
  }
  bool private_hosts_supported() const override { return private_hosts; }
  Status write_note(NodeKey node, std::string name, std::string content) override {
    engines[node].files[name] = std::move(content);
    return {};
  }
  std::optional<std::string> read_note(NodeKey node, std::string name) const override {
    const auto& files = engines.at(node).files;
    const auto it = files.find(name);
    return it == files.end() ? std::nullopt : std::optional(it->second);
  }
  std::uint64_t stored_bytes(NodeKey, std::vector<std::string> names) const override {
    return names.empty() ? 0 : stored;
  }
  Awaitable<Status> remove(NodeKey node) override {
    calls.push_back("remove");
    engines.erase(node);
    co_return Status();
  }
  std::string path(NodeKey node, std::string_view name) const override {
    return node.str() + "/" + std::string(name);
  }

  Result<LaunchSpec> launch_spec(const NodeAssignment& assignment) override {
    if (launch_error) {
      return tl::unexpected(*launch_error);
    }
    LaunchSpec spec;
    spec.node = assignment.node;
    spec.program = assignment.engine + "-server";
    spec.version = assignment.engine + " " + installed;
    spec.hosts_file = core::render_hosts_file(assignment);
    spec.keeper = keeper;
    return spec;
  }
  std::uint64_t programs_edition() const override { return programs; }
  std::vector<std::string> data_files(const NodeAssignment& assignment) const override {
    const bool kept = assignment.directives.contains("appendonly");
    return kept ? std::vector<std::string>{"appendonlydir"} : std::vector<std::string>();
  }
  // A process that is stopped or busy leaves questions unanswered until somebody disconnects.
  Awaitable<Result<EngineStatus>> inspect(NodeAssignment assignment) override {
    const auto it = engines.find(assignment.node);
    if (it != engines.end() && it->second.pid != 0 && mute) {
      calls.push_back("asked in vain");
      question_ = endless(co_await boost::asio::this_coro::executor);
      const auto timer = question_;
      const auto token = boost::asio::as_tuple(boost::asio::use_awaitable);
      co_await timer->async_wait(token);
      co_return fail(ErrorCode::kUnavailable, "the connection is closed");
    }
    if (it == engines.end() || it->second.pid == 0 || silent_inspections > 0) {
      --silent_inspections;
      co_return fail(ErrorCode::kUnavailable, "no answer");
    }
    co_return it->second.status;
  }
  Awaitable<Status> follow(NodeAssignment assignment) override {
    calls.push_back(assignment.attach ? "follow" : "park");
    EngineStatus& status = engines[assignment.node].status;
    status.role = core::Role::kReplica;
    status.following = assignment.attach ? core::follow_target(assignment, private_hosts) : "none";
    status.link_up = assignment.attach;
    co_return Status();
  }
  Awaitable<Status> demote(NodeAssignment assignment) override {
    NodeAssignment same = assignment;
    co_await follow(std::move(assignment));
    co_return co_await drop_clients(std::move(same));
  }
  Awaitable<Status> promote(NodeAssignment assignment) override {
    calls.push_back("promote");
    if (promote_error) {
      co_return tl::unexpected(*promote_error);
    }
    engines[assignment.node].status.role = core::Role::kPrimary;
    co_return Status();
  }
  Awaitable<Status> apply_directives(NodeAssignment,
                                     std::map<std::string, std::string> changed) override {
    for (const auto& [name, value] : changed) {
      calls.push_back("set " + name + " " + value);
    }
    co_return directive_error ? Status(tl::unexpected(*directive_error)) : Status();
  }
  Awaitable<Status> apply_access(NodeAssignment assignment) override {
    calls.push_back(fmt::format("access {}", assignment.access.tokens.size()));
    for (const auto& [name, rules] : assignment.users) {
      calls.push_back("access " + name + " " + rules);
    }
    co_return access_error ? Status(tl::unexpected(*access_error)) : Status();
  }
  Awaitable<Result<std::uint64_t>> pause_writes(NodeAssignment assignment, Duration) override {
    co_return engines[assignment.node].status.replication_offset;
  }
  Awaitable<Status> resume_writes(NodeAssignment) override { co_return Status(); }
  Awaitable<Status> save_and_end(NodeAssignment assignment) override {
    calls.push_back("save");
    if (save_error) {
      co_return tl::unexpected(*save_error);
    }
    end(engines[assignment.node]);
    co_return Status();
  }
  Awaitable<Status> drop_clients(NodeAssignment) override {
    calls.push_back("drop_clients");
    co_return Status();
  }
  void disconnect(NodeKey) override { close_question(); }

 private:
  void close_question() {
    if (question_) {
      question_->cancel();
    }
  }

  std::shared_ptr<boost::asio::steady_timer> question_;
  std::int64_t last_pid_ = 100;
};

}  // namespace hikae::control
