#include "sim/timeline.h"

#include <algorithm>

namespace hikae::sim {

struct Timeline::Initiate {
  Timeline* timeline;
  Monotonic time;
  Realm realm;
  std::vector<Id>* ids;

  template <class Handler>
  void operator()(Handler handler) const {
    auto slot = boost::asio::get_associated_cancellation_slot(handler);
    const Id key =
        timeline->add(time, realm, std::make_unique<Resume<Handler>>(std::move(handler)));
    if (slot.is_connected()) {
      // It may stay in the slot after the end: waking what is over does nothing.
      slot.assign([owner = timeline, key](boost::asio::cancellation_type) { owner->wake(key); });
    }
    if (ids != nullptr) {
      ids->push_back(key);
    }
  }
};

Timeline::Id Timeline::add(Monotonic time, Realm realm, std::unique_ptr<Task> task) {
  const Id id = ++last_id_;
  const Monotonic at = std::max(time, now_);
  events_.emplace(std::pair(at, id), Event{realm, std::move(task)});
  times_.emplace(id, at);
  return id;
}

Timeline::Id Timeline::call(Duration after, std::function<void()> action, Realm realm) {
  return add(now_ + after, realm, std::make_unique<Call>(std::move(action)));
}

control::Awaitable<void> Timeline::wait_until(Monotonic time, Realm realm, std::vector<Id>* ids) {
  const auto token = boost::asio::use_awaitable;
  Initiate initiate{this, time, realm, ids};
  co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(initiate,
                                                                                     token);
}

void Timeline::move(Id id, Monotonic time) {
  const auto found = times_.find(id);
  if (found == times_.end()) {
    return;
  }
  auto node = events_.extract(std::pair(found->second, id));
  node.key().first = time;
  events_.insert(std::move(node));
  found->second = time;
}

void Timeline::wake(Id id) {
  move(id, now_);
}

void Timeline::release(Realm realm) {
  for (Event& event : take(realm)) {
    event.task->run();
  }
}

void Timeline::forget(Id id) {
  const auto found = times_.find(id);
  if (found != times_.end()) {
    const auto node = events_.extract(std::pair(found->second, id));
    times_.erase(found);
  }
}

// What is destroyed or run is no longer in the tables: it may look at them.
std::vector<Timeline::Event> Timeline::take(Realm realm) {
  frozen_.erase(realm);
  std::vector<Event> taken;
  for (auto it = events_.begin(); it != events_.end();) {
    if (it->second.realm == realm) {
      times_.erase(it->first.second);
      taken.push_back(std::move(it->second));
      it = events_.erase(it);
    } else {
      ++it;
    }
  }
  return taken;
}

void Timeline::drop(Realm realm) {
  take(realm);
}

void Timeline::freeze(Realm realm, Monotonic until) {
  frozen_[realm] = until;
}

bool Timeline::step() {
  if (events_.empty() || events_.begin()->first.first == kNever) {
    return false;
  }
  ++steps_;
  const auto it = events_.begin();
  now_ = it->first.first;
  stepped_ = it->second.realm;
  const auto frozen = frozen_.find(it->second.realm);
  if (frozen != frozen_.end()) {
    if (now_ < frozen->second) {
      move(it->first.second, frozen->second);
      return true;
    }
    frozen_.erase(frozen);
  }
  times_.erase(it->first.second);
  const auto node = events_.extract(it);
  node.mapped().task->run();
  return true;
}

control::Awaitable<void> SimClock::sleep_until(Monotonic t) {
  if (!ended_) {
    co_await timeline_.wait_until(t, realm_);
    co_return;
  }
  // Not without a turn of the loop: whoever sleeps in a loop must not keep it for itself.
  co_await boost::asio::post(boost::asio::use_awaitable);
}

}  // namespace hikae::sim
