#include <utility>

#include "control/agent_node.h"
#include "core/failover/lease.h"
#include "core/reconcile/hosts_file.h"

// Whom an engine follows, and what happens to its clients and their writes when that changes.

namespace hikae::control {
namespace {

// A switchover has to be over by then; the engine takes writes again by itself.
constexpr Duration kLongestPause = std::chrono::seconds(5);

// Ends the hosts file of a replica that was not told yet to follow whom the name leads to now: an
// agent that ends before it does leaves a link to where the name led before.
constexpr const char* kNotFollowedYet = "# not followed yet\n";

// The engine said no: nothing has changed. It promised not to lead, or is loading.
bool was_refused(const Status& asked) {
  return !asked &&
         (asked.error().code == ErrorCode::kConflict || asked.error().code == ErrorCode::kDenied);
}

}  // namespace

Status AgentNode::update_hosts(const core::NodeAssignment& assignment) {
  std::string content = core::render_hosts_file(assignment);
  const bool follows = assignment.role == core::Role::kReplica;
  Status updated = ports_.runner.update_hosts(key_, follows ? content + kNotFollowedYet : content);
  if (updated) {
    known_.hosts_file = std::move(content);
    unfollowed_ = follows;
  }
  return updated;
}

void AgentNode::note_followed() {
  if (!std::exchange(unfollowed_, false)) {
    return;
  }
  if (const Status noted = ports_.runner.update_hosts(key_, known_.hosts_file); !noted) {
    ports_.log.warn(noted.error().message);
  }
}

Awaitable<void> AgentNode::follow(core::NodeAssignment assignment) {
  const bool demoted = known_.role == core::Role::kPrimary;
  const core::Epoch epoch = assignment.attach ? assignment.epoch : core::Epoch(0);
  const bool encrypted = core::follows_encrypted(assignment, assignment.access);
  core::NodeAssignment again = assignment;
  Status followed;
  if (demoted) {
    followed = co_await ports_.driver.demote(std::move(assignment));
  } else {
    followed = co_await ports_.driver.follow(std::move(assignment));
  }
  settle(followed);
  if (!followed) {
    co_return;
  }
  if (std::exchange(known_.stream_pending, false)) {
    renewed_at_ = offset_;
  }
  open_fence_of_replica();
  if (again.attach) {
    note_followed();
  }
  known_.followed_epoch = epoch;
  known_.followed_encrypted = encrypted;
  known_.role = core::Role::kReplica;
  publish();
  if (demoted) {
    co_await resume_writes(std::move(again));
  }
}

// A process that is to take writes by a lease takes none before it has one. `starts`: it is about
// to be started; one that needs no lease then begins without.
Status AgentNode::close_fence(const core::NodeAssignment& assignment, bool starts) {
  if (ports_.leases == nullptr) {
    return {};
  }
  const bool kept = has_keeper();
  const bool replica = assignment.role == core::Role::kReplica;
  if (replica && !kept) {
    return {};
  }
  const auto known = ports_.leases->get(key_);
  if (replica || !assignment.lease) {
    return known && starts ? ports_.leases->set(key_, {}) : Status();
  }
  const bool same = known && known->epoch == assignment.epoch;
  return same ? Status() : ports_.leases->set(key_, {assignment.epoch, Monotonic()});
}

// Before a process is started: the fence of the one before it has ended with that.
Status AgentNode::choose_fence(const LaunchSpec& spec) {
  using Fence = FenceLeases::Fence;
  const Fence fence = spec.keeper.empty() ? Fence::kModule : Fence::kKeeper;
  const bool same = ports_.leases == nullptr || ports_.leases->fence(key_) == fence;
  return same ? Status() : ports_.leases->set_fence(key_, fence);
}

// Of the process that runs, as its keeper reckons.
bool AgentNode::is_halted() const {
  const auto lease = known_.running && known_.kept ? ports_.leases->get(key_) : std::nullopt;
  return lease && lease->epoch != core::Epoch(0) &&
         lease->until <= ports_.clock.unsuspended() + core::kKeeperMargin;
}

void AgentNode::look_at_fence() {
  known_.halted = is_halted();
  known_.lease_runs = false;
  if (known_.kept && desired_ && !known_.halted) {
    const auto lease = ports_.leases->get(key_);
    known_.lease_runs = lease && lease->epoch == desired_->epoch;
  }
}

// A primary with a keeper counts on a replica for a while after that has applied something of its
// stream. Where nothing was applied between two looks, that while is over when they are as far
// apart; the process before this one had ended by the first. No clock but ours is asked: engines
// tell whole seconds of one that can be set.
bool AgentNode::may_be_counted_on(const EngineStatus& status, Monotonic asked) {
  const bool same =
      contact_ && contact_->stream == status.stream && contact_->applied == status.applied;
  if (!same) {
    contact_ = Contact{status.stream, status.applied, ports_.clock.monotonic()};
  }
  return status.role == core::Role::kReplica && asked - contact_->seen < core::follow_bond();
}

bool AgentNode::has_keeper() const {
  return ports_.leases != nullptr && ports_.leases->fence(key_) == FenceLeases::Fence::kKeeper;
}

// A keeper does not see that its engine is a replica, which needs no lease.
void AgentNode::open_fence_of_replica() {
  if (!known_.kept || !desired_ || desired_->role != core::Role::kReplica) {
    return;
  }
  const auto lease = ports_.leases->get(key_);
  if (lease && lease->epoch != core::Epoch(0)) {
    settle(ports_.leases->set(key_, {}));
  }
}

Awaitable<void> AgentNode::promote(core::NodeAssignment assignment) {
  if (const Status closed = close_fence(assignment, false); !closed) {
    settle(closed);
    co_return;
  }
  begun_ = Begun::kPromotion;
  publish();
  const Status promoted = co_await ports_.driver.promote(std::move(assignment));
  begun_ = Begun::kNothing;
  // Even a failed call may have done it; the next look tells.
  known_.role = was_refused(promoted) ? known_.role : core::Role::kPrimary;
  settle(promoted);
}

Awaitable<void> AgentNode::pause_writes(core::NodeAssignment assignment) {
  const Monotonic asked = ports_.clock.monotonic();
  const auto offset = co_await ports_.driver.pause_writes(std::move(assignment), kLongestPause);
  if (!offset) {
    settle(tl::unexpected(offset.error()));
    co_return;
  }
  known_.writes_paused = true;
  offset_ = *offset;
  offset_read_ = asked;
  settle({});
}

Awaitable<void> AgentNode::resume_writes(core::NodeAssignment assignment) {
  const Status resumed = co_await ports_.driver.resume_writes(std::move(assignment));
  known_.writes_paused = known_.writes_paused && !resumed;
  settle(resumed);
}

Awaitable<void> AgentNode::send_clients_away(core::NodeAssignment assignment) {
  const Status sent = co_await ports_.driver.drop_clients(std::move(assignment));
  known_.clients_astray = known_.clients_astray && !sent;
  settle(sent);
}

}  // namespace hikae::control
