#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "control/ports.h"

namespace hikae::sim {

// Who an event belongs to: the world itself, or one incarnation of a controller or an agent. With
// its realm an incarnation loses all that it still waited for.
using Realm = std::uint32_t;
inline constexpr Realm kWorld = 0;

// Simulated time: events in the order of (time, sequence number). Time moves only when the next
// event is taken, so a run costs what happens in it and not how long it lasts.
class Timeline {
 public:
  using Id = std::uint64_t;

  Monotonic now() const { return now_; }
  Realm new_realm() { return ++last_realm_; }

  Id call(Duration after, std::function<void()> action, Realm realm = kWorld);
  // Suspends the calling coroutine until the time is come, wake() is called, or it is cancelled.
  // The key for wake() is added to `ids`, unless that is null.
  control::Awaitable<void> wait_until(Monotonic time, Realm realm, std::vector<Id>* ids = nullptr);
  static constexpr Monotonic kNever{INT64_MAX};
  bool pending(Id id) const { return times_.contains(id); }

  // Brings an event forward to now. Nothing happens when it is over already.
  void wake(Id id);
  void forget(Id id);
  // Runs all events of a realm at once, however late they were due.
  void release(Realm realm);
  // Destroys all events of a realm without running them.
  void drop(Realm realm);
  // Nothing of the realm happens before `until`: what was due is late.
  void freeze(Realm realm, Monotonic until);

  // Moves to the next event and runs it. False when there is none.
  bool step();
  Realm last_realm() const { return stepped_; }  // whose event that was
  std::uint64_t steps() const { return steps_; }

 private:
  struct Task {
    virtual ~Task() = default;
    virtual void run() = 0;
  };
  template <class Handler>
  struct Resume final : Task {
    explicit Resume(Handler h) : handler(std::move(h)) {}
    void run() override {
      auto executor = boost::asio::get_associated_executor(handler);
      boost::asio::post(executor, std::move(handler));
    }
    Handler handler;
  };
  struct Call final : Task {
    explicit Call(std::function<void()> a) : action(std::move(a)) {}
    void run() override { action(); }
    std::function<void()> action;
  };
  struct Event {
    Realm realm = kWorld;
    std::unique_ptr<Task> task;
  };
  struct Initiate;

  Id add(Monotonic time, Realm realm, std::unique_ptr<Task> task);
  void move(Id id, Monotonic time);
  std::vector<Event> take(Realm realm);

  Monotonic now_{1'000'000};
  Id last_id_ = 0;
  Realm last_realm_ = kWorld;
  Realm stepped_ = kWorld;
  std::uint64_t steps_ = 0;
  std::map<std::pair<Monotonic, Id>, Event> events_;
  std::map<Id, Monotonic> times_;
  std::map<Realm, Monotonic> frozen_;
};

// The clock of one incarnation.
class SimClock final : public control::Clock {
 public:
  // 2026-01-01T00:00:00Z: civil time at the start of every run.
  static constexpr std::int64_t kEpochMicroseconds = 1'767'225'600'000'000;

  // `drift_permille`: how much faster the clock for leases runs.
  SimClock(Timeline& timeline, Realm realm, std::int64_t drift_permille = 0)
      : timeline_(timeline), realm_(realm), drift_permille_(drift_permille) {}
  // From now on every sleep ends at once: the incarnation is being taken down.
  void end() { ended_ = true; }

  Instant now() const override {
    return Instant(kEpochMicroseconds + timeline_.now().microseconds());
  }
  Monotonic monotonic() const override { return timeline_.now(); }
  Monotonic unsuspended() const override {
    return Monotonic(timeline_.now().microseconds() * (1000 + drift_permille_) / 1000);
  }
  control::Awaitable<void> sleep_until(Monotonic t) override;

 private:
  Timeline& timeline_;
  Realm realm_;
  std::int64_t drift_permille_;
  bool ended_ = false;
};

}  // namespace hikae::sim
