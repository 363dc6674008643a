#include "control/lease_keeper.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>

#include "base/check.h"

namespace hikae::control {
namespace {

// Of the length of a lease: between two questions to the servers, and between two looks.
constexpr int kQuestionsPerLease = 4;
constexpr int kLooksPerLease = 10;
constexpr Duration kIdleLook = std::chrono::milliseconds(100);
// A replica that was restarted has forgotten that it is counted on. Those of a new primary find it
// one after the other; as long as one does not know that it is counted on, nobody can take over.
constexpr Duration kCountEvery = std::chrono::seconds(1);
constexpr Duration kCountAnewEvery = std::chrono::milliseconds(100);
constexpr Duration kGathering = std::chrono::seconds(3);

bool is_leased(const core::NodeAssignment& assignment) {
  return assignment.role == core::Role::kPrimary && assignment.lease;
}

}  // namespace

LeaseKeeper::LeaseKeeper(boost::asio::any_io_executor executor, Parts parts)
    : executor_(executor), parts_(parts), wake_(executor), finished_(executor) {}

LeaseKeeper::~LeaseKeeper() {
  HIKAE_CHECK(coroutines_ == 0);
}

void LeaseKeeper::start() {
  begin(run());
}

void LeaseKeeper::begin(Awaitable<void> coroutine) {
  ++coroutines_;
  boost::asio::co_spawn(executor_, std::move(coroutine), [this](std::exception_ptr thrown) {
    HIKAE_CHECK(thrown == nullptr);
    --coroutines_;
    finished_.raise();
  });
}

// The next agent is here in a moment, though maybe not within a lease: whoever can has a longer one
// until then. The leader asks the replicas before it replaces a primary.
void LeaseKeeper::take_leave() {
  const Monotonic now = parts_.clock.unsuspended();
  for (auto& [key, primary] : primaries_) {
    if (primary.held.until() > now && can_ask(primary.assignment)) {
      begin(ask_replicas(key, primary.assignment,
                         primary.assignment.kept ? core::kFollowPromise : core::kLongestLease));
    }
  }
}

Awaitable<void> LeaseKeeper::stop() {
  if (!std::exchange(stopping_, true)) {
    take_leave();
  }
  wake_.raise();
  while (coroutines_ > 0) {
    co_await finished_.wait();
  }
}

void LeaseKeeper::assign(const core::Assignment& assignment) {
  std::map<core::NodeKey, Primary> next;
  bool fresh = false;
  for (const Shared<core::NodeAssignment>& wanted : assignment.nodes) {
    if (!is_leased(*wanted)) {
      release(*wanted);
      continue;
    }
    const auto known = primaries_.find(wanted->node);
    const bool same = known != primaries_.end() && known->second.assignment.epoch == wanted->epoch;
    Primary primary = same ? std::move(known->second) : Primary();
    if (!same || primary.assignment.peers != wanted->peers) {
      primary.counted = Monotonic();
      primary.gathers_since = parts_.clock.unsuspended();
    }
    primary.assignment = *wanted;
    fresh = fresh || !same;
    next.emplace(wanted->node, std::move(primary));
  }
  primaries_ = std::move(next);
  if (fresh) {
    asked_.reset();  // clients wait for it
  }
  wake_.raise();
}

// A primary that is to take writes without a lease. A replica's may stay: it takes none anyway.
void LeaseKeeper::release(const core::NodeAssignment& assignment) {
  if (assignment.role == core::Role::kReplica) {
    return;
  }
  const auto known = parts_.leases.get(assignment.node);
  if (known && known->epoch != core::Epoch(0)) {
    const Status opened = parts_.leases.set(assignment.node, {});
    if (!opened) {
      parts_.log.error(opened.error().message);
    }
  }
}

void LeaseKeeper::granted(const LeaseGrant& grant) {
  for (const auto& [key, epoch] : grant.primaries) {
    const auto it = primaries_.find(key);
    if (it != primaries_.end() && it->second.assignment.epoch == epoch) {
      it->second.held.granted(grant.asked, grant.length);
      hand_over(key, it->second);
    }
  }
}

Awaitable<void> LeaseKeeper::run() {
  using namespace boost::asio::experimental::awaitable_operators;
  while (!stopping_) {
    const Duration length = parts_.link.lease_length();
    const Monotonic now = parts_.clock.unsuspended();
    if (length > Duration() && (!asked_ || now - *asked_ >= length / kQuestionsPerLease)) {
      asked_ = now;
      parts_.link.ask_lease(now);
    }
    for (auto& [key, primary] : primaries_) {
      tend(key, primary);
    }
    const Duration pause = length > Duration() ? length / kLooksPerLease : kIdleLook;
    auto time = parts_.clock.sleep_for(pause);
    auto woken = wake_.wait();
    co_await (std::move(time) || std::move(woken));
  }
}

bool LeaseKeeper::is_kept(const core::NodeKey& key) const {
  return parts_.leases.fence(key) == FenceLeases::Fence::kKeeper;
}

// How replicas promise is known to all of them, and not what this process happens to have: while
// the two differ nobody is asked.
bool LeaseKeeper::can_ask(const core::NodeAssignment& assignment) const {
  return !assignment.peers.empty() && assignment.kept == is_kept(assignment.node);
}

void LeaseKeeper::tend(const core::NodeKey& key, Primary& primary) {
  const Monotonic now = parts_.clock.unsuspended();
  const bool refuses = primary.held.until() != Monotonic() && primary.held.until() <= now;
  if (refuses != primary.refuses) {
    primary.refuses = refuses;
    parts_.log.warn(fmt::format(
        "node {}: {}", key.str(),
        refuses ? "its lease is over, and neither a server nor all of its replicas renew it; it "
                  "takes no writes until they do"
                : "it has a lease again and takes writes"));
  }
  if (primary.asking || !can_ask(primary.assignment)) {
    return;
  }
  const bool kept = primary.assignment.kept;
  const Duration length = kept ? core::kFollowPromise : parts_.link.lease_length();
  const bool gathers = now - primary.gathers_since < kGathering;
  const Duration every = gathers ? kCountAnewEvery : kCountEvery;
  // One that keepers fence stands still once it is over; nobody is to find out that it does not.
  if (kept && refuses) {
    return;
  }
  if (primary.held.until() != Monotonic() && primary.held.needs_replicas(now)) {
    primary.asking = true;
    begin(ask_replicas(key, primary.assignment, length));
  } else if (!kept && (primary.counted == Monotonic() || now - primary.counted >= every)) {
    primary.counted = now;
    primary.asking = true;
    begin(count(primary.assignment, primary.held.promised(now)));
  }
}

// The primary that it was asked for, unless it is to be something else meanwhile.
LeaseKeeper::Primary* LeaseKeeper::find(const core::NodeAssignment& assignment) {
  const auto it = primaries_.find(assignment.node);
  return it == primaries_.end() || it->second.assignment.epoch != assignment.epoch ? nullptr
                                                                                   : &it->second;
}

Awaitable<void> LeaseKeeper::ask_replicas(core::NodeKey key, core::NodeAssignment assignment,
                                          Duration length) {
  const Monotonic asked = parts_.clock.unsuspended();
  core::NodeAssignment question = assignment;
  const Status promised = co_await parts_.promises.take(std::move(question), length);
  Primary* primary = find(assignment);
  if (primary == nullptr) {
    co_return;
  }
  primary->asking = false;
  const bool in_time = !assignment.kept || parts_.clock.unsuspended() < primary->held.until();
  if (promised && in_time && primary->assignment.peers == assignment.peers) {
    primary->held.extend(asked, length);
    hand_over(key, *primary);
  }
}

Awaitable<void> LeaseKeeper::count(core::NodeAssignment assignment, Duration promised) {
  core::NodeAssignment question = assignment;
  // What fails is tried again with the next turn.
  co_await parts_.promises.count(std::move(question), promised);
  if (Primary* primary = find(assignment)) {
    primary->asking = false;
  }
}

// A transaction of which a write was refused must not go on without it: before an engine takes
// writes again whose lease had ended, its clients are sent away.
void LeaseKeeper::hand_over(const core::NodeKey& key, Primary& primary) {
  const auto known = parts_.leases.get(key);
  const bool ended = known && known->epoch == primary.assignment.epoch &&
                     known->until != Monotonic() && known->until <= parts_.clock.unsuspended();
  // A keeper has stopped all of it, and refused nothing.
  if (!ended || is_kept(key)) {
    set(key, primary);
  } else if (!primary.ending) {
    primary.ending = true;
    begin(open_again(key, primary.assignment));
  }
}

Awaitable<void> LeaseKeeper::open_again(core::NodeKey key, core::NodeAssignment assignment) {
  core::NodeAssignment question = assignment;
  const Status ended = co_await parts_.promises.end_transactions(std::move(question));
  Primary* primary = find(assignment);
  if (primary == nullptr) {
    co_return;
  }
  primary->ending = false;
  if (ended) {
    set(key, *primary);
  }
}

void LeaseKeeper::set(const core::NodeKey& key, Primary& primary) {
  const Status done = parts_.leases.set(key, {primary.assignment.epoch, primary.held.until()});
  if (!done) {
    parts_.log.error(done.error().message);
  }
}

}  // namespace hikae::control
