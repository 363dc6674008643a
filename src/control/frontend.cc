#include "control/frontend.h"

#include <ranges>

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
// Committed together at most; and so many changes leave no room for another decision: what a store
// takes at once has limits (etcd: 128 operations), and a decision makes some ten.
constexpr std::size_t kLargestBatch = 64;
constexpr std::size_t kFullTransition = 60;

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
  return serve(Request{std::move(decision), term});
}

Awaitable<core::Admitted<core::Revision>> Frontend::submit_with_others(
    Decision decision, std::optional<LeaderTerm> term) {
  return serve(Request{std::move(decision), term, true});
}

// Whoever gets the lock carries out what waits, until its own request is done; another may have
// done that for it meanwhile.
Awaitable<core::Admitted<core::Revision>> Frontend::serve(Request request) {
  requests_.push_back(&request);
  co_await acquire();
  while (!request.done()) {
    Batch batch = next_batch();
    co_await carry_out(std::move(batch));
  }
  release();
  if (request.thrown != nullptr) {
    std::rethrow_exception(request.thrown);
  }
  co_return std::move(*request.outcome);
}

// The oldest request, and with it others that may be committed together with it.
Frontend::Batch Frontend::next_batch() {
  Batch batch{requests_.front()};
  requests_.pop_front();
  const Request& first = *batch.front();
  for (auto it = requests_.begin();
       first.with_others && it != requests_.end() && batch.size() < kLargestBatch;) {
    const bool joins = (*it)->with_others && (*it)->term == first.term;
    if (joins) {
      batch.push_back(*it);
    }
    it = joins ? requests_.erase(it) : std::next(it);
  }
  return batch;
}

// A bug of whoever decides or observes must not make every later change wait for ever.
Awaitable<void> Frontend::carry_out(Batch batch) {
  try {
    co_await commit(batch);
  } catch (...) {
    for (Request* request : batch) {
      request->thrown = std::current_exception();
    }
  }
}

Awaitable<void> Frontend::commit(Batch& batch) {
  const auto refuse_all = [&batch](const core::Fault& fault) {
    for (Request* request : batch) {
      request->outcome = tl::unexpected(fault);
    }
  };
  const std::optional<LeaderTerm> term = batch.front()->term;
  for (int tries = 0; tries < kConflictTries; ++tries) {
    if (behind_ && clock_.monotonic() >= try_again_) {
      co_await reload();
    }
    if (behind_) {
      refuse_all(core::Fault{"ServiceUnavailable", "The state cannot be read. Try again."});
      co_return;
    }
    const core::Revision before = state_.revision();
    const core::Transition transition = decide(batch);
    Status committed;
    if (!transition.empty()) {
      committed = co_await store(transition, before, term);
    }
    if (committed) {
      for (Request* request : batch) {
        request->outcome = std::move(request->decided);
      }
      co_return;
    }
    if (committed.error().code == ErrorCode::kTimeout) {
      co_await reload();
    }
    if (committed.error().code != ErrorCode::kConflict) {
      refuse_all(failed(committed.error()));
      co_return;
    }
    co_await catch_up(before);
  }
  log_.error("a change was not stored: other servers were first every time");
  refuse_all(core::Fault{"InternalFailure", "The change could not be stored. Try again."});
}

// Each on the state that those before it leave; nothing of that is left afterwards. No reader runs
// in between. Requests for which there is no room go back to the front of the line.
core::Transition Frontend::decide(Batch& batch) {
  const core::Revision revision = state_.revision();
  core::Transition all;
  std::vector<core::Transition> inverses;
  std::size_t decided = 0;
  while (decided < batch.size() && all.changes.size() < kFullTransition) {
    auto transition = decide(*batch[decided++]);
    if (transition) {
      inverses.push_back(core::inverse(state_, *transition));
      state_.apply(*transition, revision);
      all.append(std::move(*transition));
    }
  }
  requests_.insert(requests_.begin(), batch.begin() + std::ptrdiff_t(decided), batch.end());
  batch.resize(decided);
  for (const core::Transition& inverse : inverses | std::views::reverse) {
    state_.apply(inverse, revision);
  }
  std::erase_if(batch, [](const Request* request) { return request->thrown != nullptr; });
  return all;
}

// The change to be made, if any. A wrong decision never reaches the store.
std::optional<core::Transition> Frontend::decide(Request& request) {
  const core::Revision revision = state_.revision();
  try {
    auto admitted = request.decision(state_, core::AdmissionContext{clock_.now(), random_});
    if (!admitted) {
      request.decided = tl::unexpected(admitted.error());
      return std::nullopt;
    }
    if (admitted->empty()) {
      request.decided = revision;
      return std::nullopt;
    }
    if (const auto broken = broken_by(*admitted)) {
      log_.error(fmt::format("a change was not made because {}; please report it", *broken));
      request.decided =
          core::refuse("InternalFailure", "The change is not possible. See Hikae's log.");
      return std::nullopt;
    }
    request.decided = revision.next();
    return std::move(*admitted);
  } catch (...) {
    request.thrown = std::current_exception();
    return std::nullopt;
  }
}

// Tries the change on the state and takes it back.
std::optional<std::string> Frontend::broken_by(const core::Transition& transition) {
  const core::Revision revision = state_.revision();
  const core::Transition inverse = core::inverse(state_, transition);
  state_.apply(transition, revision.next());
  auto broken = core::broken_invariant(state_, transition);
  state_.apply(inverse, revision);
  return broken;
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
