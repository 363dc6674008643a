#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "control/ports.h"
#include "core/admission/admission.h"
#include "core/state/state.h"

namespace hikae::control {

// The one way by which the state changes: admit, commit at the expected revision, apply, notify.
//
// Changes are committed one after another. A decision runs on the newest state without suspension
// between reading and committing order, so it never needs to look twice. Everything happens on the
// control thread.
class Frontend {
 public:
  using Decision =
      std::function<core::Admitted<core::Transition>(const core::State&, core::AdmissionContext)>;
  // Called after every applied transition, in the order of registration. Must not wait or submit.
  using Observer = std::function<void(const core::State&, const core::Transition&)>;

  Frontend(boost::asio::any_io_executor executor, Store& store, Clock& clock, Random& random,
           Log& log);

  // Reads the stored state. Call once, before anything else.
  Awaitable<Status> open();

  const core::State& state() const { return state_; }
  void observe(Observer observer) { observers_.push_back(std::move(observer)); }

  // Success means durable and visible to every reader of state(). An empty transition commits
  // nothing and succeeds. A store that fails gives Fault{"InternalFailure"} and one line in the
  // log.
  Awaitable<core::Admitted<core::Revision>> submit(Decision decision);

 private:
  Awaitable<void> acquire();
  void release();
  Awaitable<core::Admitted<core::Revision>> commit(const Decision& decision);
  std::optional<std::string> check(const core::Transition& transition);
  void apply(const core::Transition& transition, core::Revision next);
  Awaitable<void> reload();

  Store& store_;
  Clock& clock_;
  Random& random_;
  Log& log_;
  core::State state_;
  std::vector<Observer> observers_;
  bool busy_ = false;
  bool behind_ = false;  // the store may have taken a change that we do not know
  boost::asio::steady_timer waiters_;
};

}  // namespace hikae::control
