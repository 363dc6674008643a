#pragma once

#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "control/ports.h"
#include "control/wake_signal.h"
#include "core/admission/admission.h"
#include "core/state/state.h"

namespace hikae::control {

// The one way by which the state changes: admit, commit at the expected revision, apply, notify.
//
// Changes of this server are committed one after another. A decision runs on the newest state that
// is known; when another server was first, it runs again on the state with that change, so it must
// not keep anything of an earlier run. Everything happens on the control thread.
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
  Instant now() const { return clock_.now(); }
  // Never called from an observer.
  using ObserverId = std::int64_t;
  ObserverId observe(Observer observer);
  // Called before those that are there already.
  ObserverId observe_first(Observer observer);
  void forget(ObserverId observer) { observers_.erase(observer); }

  // Success means durable and visible to every reader of state(). An empty transition commits
  // nothing and succeeds. With a term the change is made only while that lasts. A store that fails
  // gives one line in the log and Fault{"InternalFailure"}, or {"ServiceUnavailable"} when it
  // does not answer and nothing has happened.
  Awaitable<core::Admitted<core::Revision>> submit(Decision decision,
                                                   std::optional<LeaderTerm> term = std::nullopt);
  // The same for one who does not need to find the state as its change made it: whatever waits in
  // this way is committed together, in one revision. Each decision sees those before it as made.
  Awaitable<core::Admitted<core::Revision>> submit_with_others(Decision decision,
                                                               std::optional<LeaderTerm> term);

  // From now on somebody calls follow() with what other servers commit.
  void expect_followed(bool followed) { followed_ = followed; }
  // Takes over a commit of this or another server; later, when one of ours is under way: whoever
  // submitted it must find its change as it made it. False: there is a gap before it; call
  // refresh().
  bool follow(Commit commit);
  // Takes over what the store holds.
  Awaitable<Status> refresh();

 private:
  // Somebody who waits for the outcome of a decision.
  struct Request {
    Decision decision;
    std::optional<LeaderTerm> term;
    bool with_others = false;
    std::optional<core::Admitted<core::Revision>> decided = std::nullopt;  // if all goes well
    std::optional<core::Admitted<core::Revision>> outcome = std::nullopt;
    std::exception_ptr thrown = nullptr;  // in place of an outcome
    bool done() const { return outcome || thrown != nullptr; }
  };
  using Batch = std::vector<Request*>;

  Awaitable<core::Admitted<core::Revision>> serve(Request request);
  Awaitable<void> acquire();
  void release();
  Batch next_batch();
  Awaitable<void> carry_out(Batch batch);
  Awaitable<void> commit(Batch& batch);
  core::Transition decide(Batch& batch);
  std::optional<core::Transition> decide(Request& request);
  std::optional<std::string> broken_by(const core::Transition& transition);
  core::Fault failed(const Error& error);
  void apply(const core::Transition& transition, core::Revision next);
  Awaitable<Status> store(const core::Transition& transition, core::Revision before,
                          std::optional<LeaderTerm> term);
  void take_news();
  Awaitable<void> catch_up(core::Revision before);
  Awaitable<void> reload();
  void take_over(const core::State& loaded);

  Store& store_;
  Clock& clock_;
  Random& random_;
  Log& log_;
  core::State state_;
  std::map<ObserverId, Observer> observers_;
  ObserverId first_observer_ = 0;
  ObserverId last_observer_ = 0;
  std::deque<Request*> requests_;  // whose turn has not come, the oldest first
  bool busy_ = false;
  bool behind_ = false;      // the store may have taken a change that we do not know
  Monotonic try_again_;      // while behind: before this time nobody asks the store again
  bool followed_ = false;    // changes of others come by themselves
  bool storing_ = false;     // a commit is under way
  std::deque<Commit> news_;  // followed, not taken over yet
  WakeSignal moved_;         // raised whenever the state has a new revision
  boost::asio::steady_timer waiters_;
  boost::asio::any_io_executor executor_;
};

// The decision of a command that the core admits.
template <class Command>
Frontend::Decision decision_on(Command command) {
  return [command = std::move(command)](const core::State& state, core::AdmissionContext context) {
    return admit(state, command, context);  // found by its arguments, all of core
  };
}

}  // namespace hikae::control
