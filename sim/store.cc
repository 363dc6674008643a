#include "sim/store.h"

#include <optional>

#include "sim/timeline.h"

namespace hikae::sim {
namespace {

using control::Awaitable;
using std::chrono::microseconds;

}  // namespace

SimStore::Outcome SimStore::draw_outcome() {
  if (!faulty_ || env_.random.below(1000) >= env_.options.store_fault_permille) {
    return Outcome::kCommit;
  }
  switch (env_.random.below(4)) {
    case 0:
      return Outcome::kConflict;
    case 1:
      return Outcome::kTimeoutDone;
    case 2:
      return Outcome::kTimeoutNotDone;
    default:
      return Outcome::kUnavailable;
  }
}

Status SimStore::apply(const core::Transition& transition, core::Revision expected) {
  if (expected != state_.revision()) {
    return fail(ErrorCode::kConflict, "the stored state has another revision");
  }
  // All of it is copied, which costs a large state more than the change itself.
  const auto before = observer_ != nullptr ? std::optional(state_) : std::nullopt;
  state_.apply(transition, expected.next());
  env_.trace.line("store", "revision {} with {} changes", state_.revision().value(),
                  transition.changes.size());
  if (observer_ != nullptr) {
    observer_->on_commit(*before, state_, transition);
  }
  return {};
}

Awaitable<void> StoreSession::pass() {
  Env& env = store_.env_;
  const Duration time = env.draw(microseconds(10), env.options.store_latency);
  co_await env.timeline.wait_until(env.timeline.now() + time, realm_);
}

Awaitable<Result<core::State>> StoreSession::load() {
  co_await pass();
  const bool fails = store_.draw_outcome() == SimStore::Outcome::kUnavailable;
  if (fails) {
    co_return fail(ErrorCode::kUnavailable, "the store does not answer");
  }
  co_return store_.state_;
}

Awaitable<Status> StoreSession::commit(core::Transition transition, core::Revision expected,
                                       std::optional<control::LeaderTerm>) {
  if (store_.asked_) {
    store_.asked_(transition);
  }
  co_await pass();
  using Outcome = SimStore::Outcome;
  const Outcome outcome = store_.draw_outcome();
  Status status;
  switch (outcome) {
    case Outcome::kCommit:
      status = store_.apply(transition, expected);
      break;
    case Outcome::kConflict:
      status = fail(ErrorCode::kConflict, "somebody else was first");
      break;
    case Outcome::kTimeoutDone:
      // It happened, and nobody will say so.
      static_cast<void>(store_.apply(transition, expected));
      status = fail(ErrorCode::kTimeout, "no answer; it happened");
      break;
    case Outcome::kTimeoutNotDone:
      status = fail(ErrorCode::kTimeout, "no answer; it did not happen");
      break;
    case Outcome::kUnavailable:
      status = fail(ErrorCode::kUnavailable, "the store refuses");
      break;
  }
  co_await pass();
  co_return status;
}

}  // namespace hikae::sim
