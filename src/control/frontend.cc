#include "control/frontend.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "core/state/invariants.h"

namespace hikae::control {
namespace {

constexpr Duration kReloadPause = std::chrono::milliseconds(100);
// A client waits for the answer meanwhile.
constexpr Duration kReloadPatience = std::chrono::seconds(2);
constexpr Duration kBehindPause = std::chrono::seconds(1);
// Another server's change arrives by itself within milliseconds; else it is fetched.
constexpr Duration kFollowPatience = std::chrono::milliseconds(500);
// As often as one change may be overtaken by those of other servers.
constexpr int kConflictTries = 20;

}  // namespace

Frontend::Frontend(boost::asio::any_io_executor executor, Store& store, Clock& clock,
                   Random& random, Log& log)
    : store_(store),
      clock_(clock),
      random_(random),
      log_(log),
      moved_(executor),
      waiters_(executor),
      executor_(executor) {
  waiters_.expires_at(boost::asio::steady_timer::time_point::max());
}

Frontend::ObserverId Frontend::observe(Observer observer) {
  observers_.emplace(++last_observer_, std::move(observer));
  return last_observer_;
}

Frontend::ObserverId Frontend::observe_first(Observer observer) {
  observers_.emplace(--first_observer_, std::move(observer));
  return first_observer_;
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

Awaitable<core::Admitted<core::Revision>> Frontend::submit(Decision decision,
                                                           std::optional<LeaderTerm> term) {
  co_await acquire();
  try {
    auto result = co_await commit(decision, term);
    release();
    co_return result;
  } catch (...) {
    // A bug of whoever decides or observes; it must not make every later change wait for ever.
    release();
    throw;
  }
}

Awaitable<core::Admitted<core::Revision>> Frontend::commit(const Decision& decision,
                                                           std::optional<LeaderTerm> term) {
  for (int tries = 0; tries < kConflictTries; ++tries) {
    if (behind_ && clock_.monotonic() >= try_again_) {
      co_await reload();
    }
    if (behind_) {
      co_return core::refuse("ServiceUnavailable", "The state cannot be read. Try again.");
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
    const Status committed = co_await store(*admitted, before, term);
    if (committed) {
      co_return before.next();
    }
    if (committed.error().code == ErrorCode::kTimeout) {
      co_await reload();
    }
    if (committed.error().code != ErrorCode::kConflict) {
      co_return tl::unexpected(failed(committed.error()));
    }
    co_await catch_up(before);
  }
  log_.error("a change was not stored: other servers were first every time");
  co_return core::refuse("InternalFailure", "The change could not be stored. Try again.");
}

Awaitable<Status> Frontend::store(const core::Transition& transition, core::Revision before,
                                  std::optional<LeaderTerm> term) {
  storing_ = true;
  Status committed = co_await store_.commit(transition, before, term);
  storing_ = false;
  if (!committed) {
    take_news();
    co_return committed;
  }
  apply(transition, before.next());
  // What others did since comes behind whoever waits for this one.
  boost::asio::post(executor_, [this] { take_news(); });
  co_return committed;
}

core::Fault Frontend::failed(const Error& error) {
  log_.error(fmt::format("a change was not stored: {}", error.message));
  const bool nothing_happened = error.code == ErrorCode::kUnavailable;
  return core::Fault{nothing_happened ? "ServiceUnavailable" : "InternalFailure",
                     "The change could not be stored. Try again."};
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
  for (const auto& [id, observer] : observers_) {
    observer(state_, transition);
  }
  moved_.raise();
}

bool Frontend::follow(Commit commit) {
  const core::Revision newest = news_.empty() ? state_.revision() : news_.back().revision;
  if (commit.revision <= newest) {
    return true;
  }
  if (commit.revision != newest.next()) {
    return false;
  }
  news_.push_back(std::move(commit));
  take_news();
  return true;
}

void Frontend::take_news() {
  while (!storing_ && !news_.empty()) {
    const Commit commit = std::move(news_.front());
    news_.pop_front();
    if (commit.revision == state_.revision().next()) {
      // Whatever we did not know about the revision behind ours is known now.
      behind_ = false;
      apply(commit.transition, commit.revision);
    }
  }
}

Awaitable<Status> Frontend::refresh() {
  co_await acquire();
  auto loaded = co_await store_.load();
  Status status;
  if (loaded) {
    behind_ = false;
    take_over(*loaded);
  } else {
    status = tl::unexpected(loaded.error());
  }
  release();
  co_return status;
}

// Another server's change has to be known before the next decision.
Awaitable<void> Frontend::catch_up(core::Revision before) {
  using namespace boost::asio::experimental::awaitable_operators;
  const Monotonic limit = clock_.monotonic() + kFollowPatience;
  while (followed_ && state_.revision() == before && clock_.monotonic() < limit) {
    auto moved = moved_.wait();
    auto time = clock_.sleep_until(limit);
    co_await (std::move(moved) || std::move(time));
  }
  if (state_.revision() == before) {
    co_await reload();
  }
}

// The store may or may not have taken the change. What it has is the truth. Nothing is decided on a
// state that is known to be old: a change that nobody sees would be carried out by nobody.
Awaitable<void> Frontend::reload() {
  const Monotonic limit = clock_.monotonic() + kReloadPatience;
  const core::Revision before = state_.revision();
  auto loaded = co_await store_.load();
  while (!loaded && clock_.monotonic() < limit) {
    co_await clock_.sleep_for(kReloadPause);
    loaded = co_await store_.load();
  }
  behind_ = !loaded && state_.revision() == before;
  if (!loaded) {
    try_again_ = clock_.monotonic() + kBehindPause;
    log_.error(fmt::format("the state could not be read again: {}", loaded.error().message));
    co_return;
  }
  // What came by follow() meanwhile may be newer.
  if (state_.revision() == before || loaded->revision() > state_.revision()) {
    take_over(*loaded);
  }
}

// Every observer sees the difference as one transition.
void Frontend::take_over(const core::State& loaded) {
  if (loaded.revision() != state_.revision()) {
    apply(core::difference(state_, loaded), loaded.revision());
  }
}

}  // namespace hikae::control
