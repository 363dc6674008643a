#include "sim/host_ports.h"

#include <csignal>
#include <utility>

#include <fmt/format.h>

#include "base/strings.h"
#include "core/reconcile/hosts_file.h"
#include "core/reconcile/node_action.h"
#include "sim/lease_ports.h"

namespace hikae::sim {
namespace {

using control::Awaitable;
using core::NodeAssignment;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr Duration kCallTimeout = milliseconds(500);
// Where nobody listens: a replica that waits for its turn follows this port.
constexpr std::uint16_t kNobodyPort = 1;
constexpr const char* kConfigFile = "engine.conf";

tl::unexpected<Error> gone() {
  return fail(ErrorCode::kUnavailable, "this incarnation of the agent has ended");
}

tl::unexpected<Error> loading(const core::NodeKey& node) {
  return fail(ErrorCode::kDenied, fmt::format("node {}: LOADING", node.str()));
}

}  // namespace

Awaitable<void> HostPorts::pass(Duration shortest, Duration longest) {
  if (!ended_) {
    const Duration time = env_.draw(shortest, longest);
    co_await env_.timeline.wait_until(env_.timeline.now() + time, realm_);
  }
}

Engine* HostPorts::process(control::Process process) const {
  Engine* engine = fleet_.find(process.pid);
  const bool same = engine != nullptr && engine->start_time == process.start_time;
  return same ? engine : nullptr;
}

Engine* HostPorts::running(const core::NodeKey& node) const {
  const auto it = disk_.nodes.find(node);
  return it == disk_.nodes.end() ? nullptr : fleet_.find(it->second.pid);
}

Awaitable<Result<std::vector<control::FoundNode>>> HostPorts::find_all() {
  co_await pass(microseconds(100), milliseconds(5));
  if (ended_) {
    co_return gone();
  }
  std::vector<control::FoundNode> out;
  for (const auto& [node, directory] : disk_.nodes) {
    control::FoundNode found{node, std::nullopt};
    if (const Engine* engine = fleet_.find(directory.pid)) {
      found.process = control::Process{engine->pid, engine->start_time};
    }
    out.push_back(std::move(found));
  }
  co_return out;
}

Awaitable<Result<control::Process>> HostPorts::start(control::LaunchSpec spec) {
  co_await pass(microseconds(200), milliseconds(4));
  if (ended_) {
    co_return gone();
  }
  Disk::Directory& directory = disk_.nodes[spec.node];
  if (fleet_.find(directory.pid) != nullptr) {
    co_return fail(ErrorCode::kConflict, "a process of the node still runs");
  }
  Fleet::Launch launch;
  launch.host = disk_.host;
  launch.node = spec.node;
  const auto words = split(spec.files.at(kConfigFile), ' ');
  launch.group = core::ReplicationGroupId(words[0]);
  launch.address = *Ipv4::parse(words[1]);
  launch.port = std::uint16_t(std::stoi(words[2]));
  launch.hosts_file = spec.hosts_file;
  if (words.size() > 3) {
    launch.role = core::Role::kReplica;
    launch.target = words[3];
    launch.target_port = std::uint16_t(std::stoi(words[4]));
  }
  if (!spec.keep_data) {
    directory.data.reset();
    directory.dump.reset();
  }
  launch.kept = !spec.keeper.empty();
  launch.data = directory.data.value_or(History::kEmpty);
  directory.files = std::move(spec.files);
  directory.files["hosts"] = std::move(spec.hosts_file);
  if (const Engine* other = fleet_.find_listening(launch.address, launch.port)) {
    co_return fail(ErrorCode::kConflict,
                   fmt::format("{} listens on the address already", other->node.str()));
  }
  if (const auto lease = disk_.leases.find(spec.node); lease != disk_.leases.end()) {
    launch.lease_epoch = lease->second.epoch;
    launch.lease_until = world_time(disk_, lease->second.until);
  }
  directory.pid = fleet_.start(std::move(launch));
  const control::Process started{directory.pid, fleet_.find(directory.pid)->start_time};
  co_await pass(microseconds(100), milliseconds(1));
  co_return started;
}

Awaitable<void> HostPorts::wait_exit(control::Process named) {
  Engine* engine = process(named);
  if (ended_ || engine == nullptr) {
    co_return;
  }
  auto& waiters = engine->exit_waiters;
  std::erase_if(waiters, [this](Timeline::Id id) { return !env_.timeline.pending(id); });
  co_await env_.timeline.wait_until(Timeline::kNever, realm_, &waiters);
}

Status HostPorts::signal(control::Process named, int signal_number) {
  const Engine* engine = process(named);
  if (ended_ || engine == nullptr) {
    return fail(ErrorCode::kNotFound, "the process is gone");
  }
  env_.trace.line(disk_.host.str(), "signal {} to {} of {}", signal_number, engine->pid,
                  engine->node.str());
  if (signal_number == SIGKILL) {
    fleet_.kill(engine->pid);
  } else if (signal_number == SIGTERM) {
    fleet_.terminate(engine->pid);
  }
  return {};
}

Result<control::ProcessProbe> HostPorts::probe(control::Process named) {
  const Engine* engine = process(named);
  if (ended_ || engine == nullptr) {
    return fail(ErrorCode::kNotFound, "the process is gone");
  }
  control::ProcessProbe probe;
  probe.exiting = engine->dying;
  probe.activity.stopped = engine->pace == Engine::Pace::kStopped || engine->halted;
  probe.activity.sleeping = engine->pace != Engine::Pace::kBusy;
  if (engine->pace == Engine::Pace::kBusy) {
    probe.activity.cpu_ticks = std::uint64_t(env_.timeline.now().microseconds()) / 10'000;
  }
  return probe;
}

bool HostPorts::has_no_memory(control::Process named) {
  const auto seen = probe(named);
  return !seen || seen->exiting;
}

// Simulated clients see the end of a process at once; only the agent's time passes.
Awaitable<Status> HostPorts::reset_sockets(control::SocketReset reset) {
  co_await pass(microseconds(100), milliseconds(5));
  const Engine* engine = process(reset.process);
  if (engine != nullptr && !engine->dying) {
    co_return fail(ErrorCode::kConflict, "the process lives");
  }
  co_return Status();
}

Status HostPorts::update_hosts(core::NodeKey node, std::string content) {
  Engine* engine = running(node);
  if (ended_ || engine == nullptr) {
    return fail(ErrorCode::kNotFound, "the process is gone");
  }
  disk_.nodes[node].files["hosts"] = content;
  fleet_.set_hosts(*engine, std::move(content));
  return {};
}

Status HostPorts::write_note(core::NodeKey node, std::string name, std::string content) {
  if (ended_) {
    return gone();
  }
  disk_.nodes[node].files[std::move(name)] = std::move(content);
  return {};
}

std::optional<std::string> HostPorts::read_note(core::NodeKey node, std::string name) const {
  const auto directory = disk_.nodes.find(node);
  if (directory == disk_.nodes.end()) {
    return std::nullopt;
  }
  const auto file = directory->second.files.find(name);
  return file == directory->second.files.end() ? std::nullopt : std::optional(file->second);
}

Awaitable<Status> HostPorts::remove(core::NodeKey node) {
  co_await pass(microseconds(100), milliseconds(3));
  if (ended_) {
    co_return gone();
  }
  if (running(node) != nullptr) {
    co_return fail(ErrorCode::kConflict, "the node's process still runs");
  }
  disk_.nodes.erase(node);
  co_return Status();
}

std::string HostPorts::path(core::NodeKey node, std::string_view name) const {
  return fmt::format("{}/{}/{}", disk_.host.str(), node.str(), name);
}

std::string HostPorts::follow_source(const NodeAssignment& assignment) const {
  return assignment.attach ? core::follow_target(assignment, env_.options.private_hosts)
                           : assignment.address.str();
}

Result<control::LaunchSpec> HostPorts::launch_spec(const NodeAssignment& assignment) {
  control::LaunchSpec spec;
  spec.node = assignment.node;
  spec.program = fmt::format("/sim/{}-{}", assignment.engine, assignment.engine_version);
  const std::string group = assignment.group.empty() ? "-" : assignment.group.str();
  std::string config = fmt::format("{} {} {}", group, assignment.address.str(), assignment.port);
  if (assignment.role == core::Role::kReplica) {
    config += fmt::format(" {} {}", follow_source(assignment),
                          assignment.attach ? assignment.primary_port : kNobodyPort);
  }
  spec.files.emplace(kConfigFile, std::move(config));
  spec.hosts_file = core::render_hosts_file(assignment);
  if (env_.options.kept && !assignment.group.empty()) {
    spec.keeper = "/sim/keeper";
  }
  return spec;
}

Awaitable<Result<Pid>> HostPorts::reach(core::NodeKey node) {
  co_await pass(microseconds(20), milliseconds(1));
  const Engine* engine = ended_ ? nullptr : running(node);
  if (engine == nullptr || (!engine->listening && !engine->dying)) {
    co_return fail(ErrorCode::kUnavailable, "connection refused");
  }
  if (!engine->runs()) {
    const Pid pid = engine->pid;
    co_await pass(kCallTimeout, kCallTimeout);
    // It may run again just in time; a process that is gone closes the connection.
    engine = ended_ ? nullptr : fleet_.find(pid);
    if (engine == nullptr || !engine->runs()) {
      co_return fail(ErrorCode::kTimeout, fmt::format("no answer in {} ms", 500));
    }
  }
  co_return engine->pid;
}

Awaitable<Result<control::EngineStatus>> HostPorts::inspect(NodeAssignment assignment) {
  const auto pid = co_await reach(assignment.node);
  if (!pid) {
    co_return tl::unexpected(pid.error());
  }
  const Engine& engine = *fleet_.find(*pid);
  control::EngineStatus status;
  status.loading = engine.loading;
  status.role = engine.role;
  status.following = engine.target;
  status.link_up = engine.link_up;
  status.has_copy = engine.role == core::Role::kReplica && engine.has_copy;
  status.stream_pending = engine.link_up && engine.nothing_streamed;
  const bool placed = engine.role == core::Role::kPrimary || engine.has_copy;
  status.replication_offset = placed ? fleet_.history().offset(engine.data) : 0;
  if (env_.options.confirmations > 0) {
    const auto name = [](std::uint64_t stream) {
      return stream == 0 ? std::string() : fmt::format("stream{}", stream);
    };
    status.stream = name(engine.stream);
    status.previous_stream = name(engine.previous_stream);
  }
  status.used_memory = assignment.weigh ? 1024 * 1024 : 0;
  status.version = "8.0.1";
  status.has_fence = env_.options.lease > Duration();
  status.fenced = engine.lease_epoch != core::Epoch(0);
  status.counted_epoch = engine.counted_epoch;
  status.kept = engine.kept;
  status.promised = env_.timeline.now() < engine.promised_until;
  status.applied = status.replication_offset + engine.acknowledged;
  co_await pass(microseconds(10), microseconds(200));
  co_return status;
}

Awaitable<Status> HostPorts::follow(NodeAssignment assignment) {
  const auto pid = co_await reach(assignment.node);
  if (!pid) {
    co_return tl::unexpected(pid.error());
  }
  Engine& engine = *fleet_.find(*pid);
  if (engine.loading) {
    co_return loading(assignment.node);
  }
  fleet_.follow(engine, follow_source(assignment),
                assignment.attach ? assignment.primary_port : kNobodyPort);
  co_await pass(microseconds(10), microseconds(200));
  co_return Status();
}

Awaitable<Status> HostPorts::demote(NodeAssignment assignment) {
  NodeAssignment same = assignment;
  const Status followed = co_await follow(std::move(assignment));
  if (followed) {
    co_return co_await drop_clients(std::move(same));
  }
  co_return followed;
}

Awaitable<Status> HostPorts::promote(NodeAssignment assignment) {
  const auto pid = co_await reach(assignment.node);
  if (!pid) {
    co_return tl::unexpected(pid.error());
  }
  Engine& engine = *fleet_.find(*pid);
  if (engine.loading) {
    co_return loading(assignment.node);
  }
  if (engine.role == core::Role::kReplica && env_.timeline.now() < engine.promised_until) {
    env_.trace.line(disk_.host.str(), "{} has promised not to lead", assignment.node.str());
    fleet_.follow(engine, assignment.address.str(), kNobodyPort);
    co_return fail(ErrorCode::kConflict, "it has promised not to lead");
  }
  env_.trace.line(disk_.host.str(), "{} is promoted, epoch {}", assignment.node.str(),
                  assignment.epoch.value());
  fleet_.promote(engine);
  co_await pass(microseconds(10), microseconds(200));
  co_return Status();
}

Awaitable<Result<std::uint64_t>> HostPorts::pause_writes(NodeAssignment assignment,
                                                         Duration bound) {
  const auto pid = co_await reach(assignment.node);
  if (!pid) {
    co_return tl::unexpected(pid.error());
  }
  Engine& engine = *fleet_.find(*pid);
  fleet_.pause_writes(engine, bound);
  const std::uint64_t offset = fleet_.history().offset(engine.data);
  co_await pass(microseconds(10), microseconds(200));
  co_return offset;
}

Awaitable<Status> HostPorts::resume_writes(NodeAssignment assignment) {
  const auto pid = co_await reach(assignment.node);
  if (!pid) {
    co_return tl::unexpected(pid.error());
  }
  fleet_.resume_writes(*fleet_.find(*pid));
  co_return Status();
}

Awaitable<Status> HostPorts::save_and_end(NodeAssignment assignment) {
  const auto pid = co_await reach(assignment.node);
  if (!pid) {
    co_return tl::unexpected(pid.error());
  }
  disk_.nodes[assignment.node].data = fleet_.find(*pid)->data;
  fleet_.end_saved(*pid);
  co_return Status();
}

Awaitable<Status> HostPorts::drop_clients(NodeAssignment assignment) {
  const auto pid = co_await reach(assignment.node);
  if (!pid) {
    co_return tl::unexpected(pid.error());
  }
  ++fleet_.find(*pid)->clients;
  co_return Status();
}

Awaitable<Status> HostPorts::apply_access(NodeAssignment assignment) {
  const auto pid = co_await reach(assignment.node);
  co_return pid ? Status() : Status(tl::unexpected(pid.error()));
}

Awaitable<Status> HostPorts::apply_directives(NodeAssignment assignment,
                                              std::map<std::string, std::string>) {
  const auto pid = co_await reach(assignment.node);
  if (!pid) {
    co_return tl::unexpected(pid.error());
  }
  co_return Status();
}

}  // namespace hikae::sim
