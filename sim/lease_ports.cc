#include "sim/lease_ports.h"

#include <algorithm>
#include <utility>

namespace hikae::sim {
namespace {

using control::Awaitable;
using std::chrono::microseconds;
using std::chrono::milliseconds;

}  // namespace

Monotonic world_time(const Disk& disk, Monotonic on_host) {
  return Monotonic(on_host.microseconds() * 1000 / (1000 + disk.drift_permille));
}

Awaitable<void> LeasePorts::pass(Duration time) {
  if (!ended_) {
    co_await env_.timeline.wait_until(env_.timeline.now() + time, realm_);
  }
}

Engine* LeasePorts::primary(const core::NodeKey& node) const {
  const auto it = disk_.nodes.find(node);
  Engine* engine = ended_ || it == disk_.nodes.end() ? nullptr : fleet_.find(it->second.pid);
  const bool leads = engine != nullptr && engine->runs() && engine->role == core::Role::kPrimary;
  return leads ? engine : nullptr;
}

Status LeasePorts::set(core::NodeKey node, Lease lease) {
  if (ended_) {
    return fail(ErrorCode::kUnavailable, "this incarnation of the agent has ended");
  }
  disk_.leases[node] = lease;
  const auto it = disk_.nodes.find(node);
  if (Engine* engine = it == disk_.nodes.end() ? nullptr : fleet_.find(it->second.pid)) {
    fleet_.set_lease(*engine, lease.epoch, world_time(disk_, lease.until));
  }
  return {};
}

std::optional<control::FenceLeases::Lease> LeasePorts::get(core::NodeKey node) const {
  const auto it = disk_.leases.find(node);
  return it == disk_.leases.end() ? std::nullopt : std::optional(it->second);
}

Status LeasePorts::set_fence(core::NodeKey node, Fence fence) {
  if (ended_) {
    return fail(ErrorCode::kUnavailable, "this incarnation of the agent has ended");
  }
  disk_.fences[node] = fence;
  return {};
}

control::FenceLeases::Fence LeasePorts::fence(core::NodeKey node) const {
  const auto known = disk_.fences.find(node);
  return known == disk_.fences.end() ? Fence::kModule : known->second;
}

void LeasePorts::remove(core::NodeKey node) {
  if (!ended_) {
    disk_.leases.erase(node);
    disk_.fences.erase(node);
  }
}

Awaitable<Status> LeasePorts::count(core::NodeAssignment assignment, Duration length) {
  co_await pass(microseconds(100));
  Engine* engine = primary(assignment.node);
  if (engine == nullptr) {
    co_return fail(ErrorCode::kUnavailable, "no primary answers");
  }
  auto nobody = std::make_shared<std::set<Ipv4>>();
  fleet_.promise(*engine, assignment.epoch, length, assignment.peers, std::move(nobody));
  co_return Status();
}

Awaitable<Status> LeasePorts::take(core::NodeAssignment assignment, Duration length) {
  co_await pass(microseconds(100));
  Engine* engine = primary(assignment.node);
  if (engine == nullptr) {
    co_return fail(ErrorCode::kUnavailable, "no primary answers");
  }
  const Pid pid = engine->pid;
  const auto acknowledged = std::make_shared<std::set<Ipv4>>();
  fleet_.promise(*engine, assignment.epoch, length, assignment.peers, acknowledged);
  co_await pass(length / 4);
  engine = primary(assignment.node);
  const auto& peers = assignment.peers;
  const bool all = std::all_of(peers.begin(), peers.end(),
                               [&](Ipv4 peer) { return acknowledged->contains(peer); });
  if (engine == nullptr || engine->pid != pid || !all) {
    co_return fail(ErrorCode::kUnavailable, "not all replicas have promised");
  }
  co_return Status();
}

// Simulated clients send one write at a time.
Awaitable<Status> LeasePorts::end_transactions(core::NodeAssignment assignment) {
  co_await pass(microseconds(100));
  co_return primary(assignment.node) != nullptr
      ? Status()
      : fail(ErrorCode::kUnavailable, "no primary answers");
}

}  // namespace hikae::sim
