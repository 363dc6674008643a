#include "control/frontend.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "core/state/invariants.h"

namespace hikae::control {
namespace {

constexpr int kReloadTries = 20;
constexpr Duration kReloadPause = std::chrono::milliseconds(100);

}  // namespace

Frontend::Frontend(boost::asio::any_io_executor executor, Store& store, Clock& clock,
                   Random& random, Log& log)
    : store_(store), clock_(clock), random_(random), log_(log), waiters_(executor) {
  waiters_.expires_at(boost::asio::steady_timer::time_point::max());
}

Awaitable<Status> Frontend::open() {
  auto loaded = co_await store_.load();
  if (!loaded) {
    co_return tl::unexpected(loaded.error());
  }
  state_ = std::move(*loaded);
  co_return Status();
}

// A first-come lock: the timer never expires, cancel_one() wakes the longest waiter.
Awaitable<void> Frontend::acquire() {
  while (busy_) {
    co_await waiters_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }
  busy_ = true;
}

void Frontend::release() {
  busy_ = false;
  waiters_.cancel_one();
}

Awaitable<core::Admitted<core::Revision>> Frontend::submit(Decision decision) {
  co_await acquire();
  auto result = co_await commit(decision);
  release();
  co_return result;
}

Awaitable<core::Admitted<core::Revision>> Frontend::commit(const Decision& decision) {
  if (behind_) {
    co_await reload();
  }
  if (behind_) {
    co_return core::refuse("InternalFailure", "The state cannot be read. Try again.");
  }
  auto admitted = decision(state_, core::AdmissionContext{clock_.now(), random_});
  if (!admitted) {
    co_return tl::unexpected(admitted.error());
  }
  if (admitted->empty()) {
    co_return state_.revision();
  }
  const core::Revision before = state_.revision();
  if (const auto broken = check(*admitted)) {
    log_.error(fmt::format("a change was not made because {}; please report it", *broken));
    co_return core::refuse("InternalFailure", "The change is not possible. See Hikae's log.");
  }
  auto committed = co_await store_.commit(*admitted, before);
  if (!committed) {
    log_.error(fmt::format("a change was not stored: {}", committed.error().message));
    if (committed.error().code == ErrorCode::kTimeout ||
        committed.error().code == ErrorCode::kConflict) {
      co_await reload();
    }
    co_return core::refuse("InternalFailure", "The change could not be stored. Try again.");
  }
  apply(*admitted, before.next());
  co_return state_.revision();
}

// Tries the change on the state and takes it back: no reader runs in between, and a wrong decision
// never reaches the store.
std::optional<std::string> Frontend::check(const core::Transition& transition) {
  const core::Revision revision = state_.revision();
  const core::Transition inverse = core::inverse(state_, transition);
  state_.apply(transition, revision.next());
  auto broken = core::broken_invariant(state_, transition);
  state_.apply(inverse, revision);
  return broken;
}

void Frontend::apply(const core::Transition& transition, core::Revision next) {
  state_.apply(transition, next);
  for (const Observer& observer : observers_) {
    observer(state_, transition);
  }
}

// The store may or may not have taken the change. What it has is the truth; every observer sees the
// difference as one transition. Nothing is decided on a state that is known to be old: a change
// that nobody sees would be carried out by nobody.
Awaitable<void> Frontend::reload() {
  auto loaded = co_await store_.load();
  for (int tries = 1; !loaded && tries < kReloadTries; ++tries) {
    co_await clock_.sleep_for(kReloadPause);
    loaded = co_await store_.load();
  }
  behind_ = !loaded;
  if (!loaded) {
    log_.error(fmt::format("the state could not be read again: {}", loaded.error().message));
    co_return;
  }
  const core::Transition difference = core::difference(state_, *loaded);
  const core::Revision revision = loaded->revision();
  if (revision != state_.revision()) {
    apply(difference, revision);
  }
}

}  // namespace hikae::control
