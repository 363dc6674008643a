#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "control/assignment_book.h"
#include "control/frontend.h"
#include "control/host_reports.h"
#include "control/ports.h"
#include "control/touched.h"
#include "control/wake_signal.h"
#include "core/failover/failover.h"
#include "core/reconcile/observed.h"

namespace hikae::control {

// Brings every unit to what is desired of it, level-triggered: an event only says "look at this
// unit". A step reads the state and the observations afresh, asks core for a plan and commits it.
// One coroutine runs per unit that is not settled, so two steps of a unit never overlap; a change
// that slips in during a step is noticed by its counter. On every start all units are looked at, so
// whatever a crash left half done is finished.
class Reconciler {
 public:
  // Where several servers share a state: `term` is the one in which this server leads.
  Reconciler(boost::asio::any_io_executor executor, Frontend& frontend, AgentLink& agents,
             Clock& clock, Log& log, std::optional<LeaderTerm> term = std::nullopt);

  // Registers with the frontend, sends every host its assignment and looks at every unit.
  void start();
  // Waits until every step in flight is done. No step starts afterwards, and nothing is assigned:
  // the reconciler may be destroyed, though the frontend lives on.
  Awaitable<void> stop();

  // What every change for its sake is committed with.
  std::optional<LeaderTerm> term() const { return term_; }

  // Leases are granted by this leader; from before start() on.
  void grant_leases() { observed_.grants_leases = true; }
  // The primaries of the host that may take writes now, for as long as a lease lasts.
  std::vector<std::pair<core::NodeKey, core::Epoch>> leasable(const core::HostId& host) const;
  // No lease of the host lasts any more, for certain; or one is granted just now.
  void note_silence(const core::HostId& host, bool silent);

  // An agent's report. Call on the control thread.
  void on_report(const core::HostReport& report);

  const core::Observed& observed() const { return observed_; }
  // Called after every committed failover, when the names have changed, on the control thread. Must
  // not wait.
  struct CommittedFailover {
    core::ReplicationGroupId group;
    core::NodeGroup before;  // as it was until then
    core::FailoverDecision decision;
    Monotonic decided;  // on what was observed then
  };
  using FailoverObserver = std::function<void(const CommittedFailover&)>;
  void on_failover(FailoverObserver observer) {
    failover_observers_.push_back(std::move(observer));
  }

  // Called with the units of which a report changed what is observed, and with that of every step
  // that changed the state.
  using ObservedObserver = std::function<void(const std::set<Unit>&)>;
  void on_observed(ObservedObserver observer) { observed_observer_ = std::move(observer); }

  // Why a unit is where it is, for people; empty when it is unknown.
  std::string reason(const Unit& unit) const;
  // Something is still to be done or observed for it.
  bool is_waiting(const Unit& unit) const { return waiting_.contains(unit); }

 private:
  struct Work {
    explicit Work(boost::asio::any_io_executor executor) : wake(std::move(executor)) {}
    std::uint64_t asked = 0;  // grows with every notification
    std::uint64_t seen = 0;   // `asked` when the newest step began
    int failures = 0;
    bool timed = false;  // the newest step asked to be asked again
    WakeSignal wake;     // raised with it
  };
  // What a step leaves to do.
  struct Rest {
    bool again = false;        // at once
    Duration recheck_after{};  // or after this time; zero: when notified
  };

  void notify(const Unit& unit);
  Awaitable<void> run(Unit unit);
  Awaitable<Rest> step(Unit unit);
  Awaitable<void> back_off(Unit unit);
  void on_transition(const core::State& after, const core::Transition& transition);
  void assign_new_hosts(const core::Transition& transition);

  boost::asio::any_io_executor executor_;
  Frontend& frontend_;
  Clock& clock_;
  Log& log_;
  const std::optional<LeaderTerm> term_;
  std::optional<Frontend::ObserverId> observer_;
  core::Observed observed_;
  AssignmentBook book_;
  HostReports reports_{observed_};
  std::map<Unit, std::unique_ptr<Work>> working_;
  std::set<Unit> waiting_;            // not settled: something is still to be observed
  std::set<Unit> awaiting_revision_;  // of these: perhaps only for a newer assignment
  std::map<Unit, std::string> reasons_;
  std::vector<FailoverObserver> failover_observers_;
  ObservedObserver observed_observer_;
  bool stopping_ = false;
  boost::asio::steady_timer idle_;  // cancelled when the last coroutine ends
};

}  // namespace hikae::control
