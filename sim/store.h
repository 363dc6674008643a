#pragma once

#include <functional>
#include <utility>

#include "control/ports.h"
#include "sim/env.h"

namespace hikae::sim {

// Told of every change in the moment in which it becomes durable.
class StoreObserver {
 public:
  virtual void on_commit(const core::State& before, const core::State& after,
                         const core::Transition& transition) = 0;

 protected:
  ~StoreObserver() = default;
};

// The stored state, which outlives every controller. Takes time and fails as the seed says.
class SimStore {
 public:
  explicit SimStore(Env env) : env_(env) {}
  void set_observer(StoreObserver* observer) { observer_ = observer; }
  // Called when a controller asks for a change, which may still come to nothing.
  void set_asked(std::function<void(const core::Transition&)> asked) { asked_ = std::move(asked); }
  void stop_faults() { faulty_ = false; }
  const core::State& state() const { return state_; }

 private:
  friend class StoreSession;
  enum class Outcome { kCommit, kConflict, kTimeoutDone, kTimeoutNotDone, kUnavailable };
  Outcome draw_outcome();
  Status apply(const core::Transition& transition, core::Revision expected);

  Env env_;
  StoreObserver* observer_ = nullptr;
  std::function<void(const core::Transition&)> asked_;
  core::State state_;
  bool faulty_ = true;
};

// One controller incarnation's connection. A commit that was under way when the controller crashed
// has happened or not by then; it never comes later.
class StoreSession final : public control::Store {
 public:
  StoreSession(SimStore& store, Realm realm) : store_(store), realm_(realm) {}
  control::Awaitable<Result<core::State>> load() override;
  control::Awaitable<Status> commit(core::Transition transition, core::Revision expected,
                                    std::optional<control::LeaderTerm> term) override;

 private:
  control::Awaitable<void> pass();
  SimStore& store_;
  Realm realm_;
};

}  // namespace hikae::sim
