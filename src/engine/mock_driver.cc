#include "engine/mock_driver.h"

#include <csignal>
#include <memory>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/reconcile/hosts_file.h"
#include "core/reconcile/node_action.h"

namespace hikae::engine {

using control::Awaitable;
using control::EngineStatus;
using control::FoundNode;
using control::LaunchSpec;
using control::Process;

void MockEngines::crash(const core::NodeKey& node) {
  const auto it = engines_.find(node);
  if (it != engines_.end()) {
    end(it->second);
  }
}

std::size_t MockEngines::running() const {
  return nodes_by_pid_.size();
}

MockEngines::Engine* MockEngines::find_running(Process process) {
  const auto it = nodes_by_pid_.find(process.pid);
  return it == nodes_by_pid_.end() ? nullptr : &engines_.at(it->second);
}

void MockEngines::end(Engine& engine) {
  nodes_by_pid_.erase(std::exchange(engine.pid, 0));
  engine.status = EngineStatus{};
  if (const auto wake = std::exchange(engine.on_exit, nullptr)) {
    wake();
  }
}

Awaitable<Result<std::vector<FoundNode>>> MockEngines::find_all() {
  std::vector<FoundNode> out;
  for (const auto& [node, engine] : engines_) {
    FoundNode found{node, std::nullopt};
    if (engine.pid != 0) {
      found.process = Process{engine.pid, 1};
    }
    out.push_back(std::move(found));
  }
  co_return out;
}

Awaitable<Result<Process>> MockEngines::start(LaunchSpec spec) {
  Engine& engine = engines_[spec.node];
  engine.pid = ++last_pid_;
  nodes_by_pid_.emplace(engine.pid, spec.node);
  engine.files = std::move(spec.files);
  engine.files["hosts"] = std::move(spec.hosts_file);
  engine.status = EngineStatus{};
  engine.status.version = version_;
  co_return Process{engine.pid, 1};
}

Awaitable<void> MockEngines::wait_exit(Process process) {
  Engine* engine = find_running(process);
  if (!engine) {
    co_return;
  }
  const auto executor = co_await boost::asio::this_coro::executor;
  const auto timer = std::make_shared<boost::asio::steady_timer>(executor);
  timer->expires_at(boost::asio::steady_timer::time_point::max());
  engine->on_exit = [timer] { timer->cancel(); };
  const auto token = boost::asio::as_tuple(boost::asio::use_awaitable);
  co_await timer->async_wait(token);
  if (Engine* alive = find_running(process)) {
    alive->on_exit = nullptr;  // the wait was given up; the timer must not outlive its executor
  }
}

Status MockEngines::signal(Process process, int signal_number) {
  Engine* engine = find_running(process);
  if (!engine) {
    return fail(ErrorCode::kNotFound, "the process is gone");
  }
  if (signal_number == SIGTERM || signal_number == SIGKILL) {
    end(*engine);
  }
  return {};
}

Result<control::ProcessProbe> MockEngines::probe(control::Process process) {
  if (find_running(process) == nullptr) {
    return fail(ErrorCode::kNotFound, "the process is gone");
  }
  return control::ProcessProbe();
}

bool MockEngines::has_no_memory(control::Process process) {
  return find_running(process) == nullptr;
}

Awaitable<Status> MockEngines::reset_sockets(control::SocketReset) {
  co_return Status();
}

Status MockEngines::update_hosts(core::NodeKey node, std::string content) {
  return write_note(std::move(node), "hosts", std::move(content));
}

Status MockEngines::write_note(core::NodeKey node, std::string name, std::string content) {
  const auto it = engines_.find(node);
  if (it == engines_.end()) {
    return fail(ErrorCode::kNotFound, "the node has no directory");
  }
  it->second.files[name] = std::move(content);
  return {};
}

std::optional<std::string> MockEngines::read_note(core::NodeKey node, std::string name) const {
  const auto it = engines_.find(node);
  if (it == engines_.end() || !it->second.files.contains(name)) {
    return std::nullopt;
  }
  return it->second.files.at(name);
}

Awaitable<Status> MockEngines::remove(core::NodeKey node) {
  crash(node);
  engines_.erase(node);
  co_return Status();
}

std::string MockEngines::path(core::NodeKey node, std::string_view name) const {
  return "mock/" + node.str() + "/" + std::string(name);
}

Result<LaunchSpec> MockEngines::launch_spec(const core::NodeAssignment& assignment) {
  LaunchSpec spec;
  spec.node = assignment.node;
  spec.program = "mock";
  spec.hosts_file = core::render_hosts_file(assignment);
  return spec;
}

Awaitable<Result<EngineStatus>> MockEngines::inspect(core::NodeAssignment assignment) {
  const auto it = engines_.find(assignment.node);
  if (it == engines_.end() || it->second.pid == 0) {
    co_return fail(ErrorCode::kUnavailable, "no process");
  }
  co_return it->second.status;
}

Awaitable<Status> MockEngines::follow(core::NodeAssignment assignment) {
  EngineStatus& status = engines_[assignment.node].status;
  status.role = core::Role::kReplica;
  status.following = assignment.attach ? core::follow_target(assignment, true) : "";
  status.link_up = assignment.attach;
  co_return Status();
}

Awaitable<Status> MockEngines::demote(core::NodeAssignment assignment) {
  return follow(std::move(assignment));
}

Awaitable<Status> MockEngines::promote(core::NodeAssignment assignment) {
  EngineStatus& status = engines_[assignment.node].status;
  status = EngineStatus{};
  status.version = version_;
  co_return Status();
}

Awaitable<Status> MockEngines::apply_directives(core::NodeAssignment,
                                                std::map<std::string, std::string>) {
  co_return Status();
}

Awaitable<Status> MockEngines::apply_access(core::NodeAssignment) {
  co_return Status();
}

control::Awaitable<Result<std::uint64_t>> MockEngines::pause_writes(core::NodeAssignment assignment,
                                                                    Duration) {
  co_return engines_[assignment.node].status.replication_offset;
}

control::Awaitable<Status> MockEngines::resume_writes(core::NodeAssignment) {
  co_return Status();
}

control::Awaitable<Status> MockEngines::save_and_end(core::NodeAssignment assignment) {
  crash(assignment.node);
  co_return Status();
}

control::Awaitable<Status> MockEngines::drop_clients(core::NodeAssignment) {
  co_return Status();
}

void MockEngines::disconnect(core::NodeKey) {}

}  // namespace hikae::engine
