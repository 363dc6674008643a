#include "control/reconciler.h"

#include <algorithm>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "core/admission/host.h"
#include "core/reconcile/plan.h"

namespace hikae::control {
namespace {

constexpr Duration kFirstBackOff = std::chrono::milliseconds(100);
constexpr Duration kLongestBackOff = std::chrono::seconds(10);

core::Plan plan_for(const core::State& state, const core::Observed& observed, const Unit& unit,
                    core::AdmissionContext context) {
  if (unit.kind == Unit::Kind::kGroup) {
    return core::plan_replication_group(state, observed, core::ReplicationGroupId(unit.id),
                                        context);
  }
  return core::plan_standalone_cluster(state, observed, core::CacheClusterId(unit.id), context);
}

// Nodes that go, or move, are gone once their agent has taken up an assignment without them.
bool awaits_revision(const core::State& state, const Unit& unit) {
  return std::ranges::any_of(clusters_of(state, unit), [](const core::CacheCluster* cluster) {
    return cluster->retired_at != core::Revision() ||
           std::ranges::any_of(cluster->nodes,
                               [](const core::Node& node) { return node.move.under_way(); });
  });
}

}  // namespace

Reconciler::Reconciler(boost::asio::any_io_executor executor, Frontend& frontend, AgentLink& agents,
                       Clock& clock, Log& log, std::optional<LeaderTerm> term)
    : executor_(executor),
      frontend_(frontend),
      clock_(clock),
      log_(log),
      term_(term),
      book_(executor, frontend.state(), observed_, agents, clock.now()),
      idle_(executor) {
  idle_.expires_at(boost::asio::steady_timer::time_point::max());
}

void Reconciler::start() {
  observer_ =
      frontend_.observe([this](const core::State& after, const core::Transition& transition) {
        on_transition(after, transition);
      });
  book_.refresh_all();
  for (const Unit& unit : all_units(frontend_.state())) {
    notify(unit);
  }
}

Awaitable<void> Reconciler::stop() {
  stopping_ = true;
  if (observer_) {
    frontend_.forget(*observer_);
  }
  for (auto& [unit, work] : working_) {
    work->wake.raise();
  }
  while (!working_.empty()) {
    co_await idle_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }
  // Behind what was posted before: the last of them have run then.
  co_await boost::asio::post(executor_, boost::asio::use_awaitable);
}

void Reconciler::on_transition(const core::State& after, const core::Transition& transition) {
  const auto units = touched_units(after, transition);
  assign_new_hosts(transition);
  reports_.follow(transition);
  book_.refresh(units);
  for (const Unit& unit : units) {
    notify(unit);
  }
}

// A host that joins waits for an assignment, even an empty one.
void Reconciler::assign_new_hosts(const core::Transition& transition) {
  for (const core::Change& change : transition.changes) {
    if (const auto* put = std::get_if<core::Put<core::Host>>(&change)) {
      book_.refresh_host(put->value.id);
    }
  }
}

void Reconciler::on_report(const core::HostReport& report) {
  if (frontend_.state().find<core::Host>(report.host) == nullptr) {
    return;
  }
  auto& revision = observed_.assignment_revision[report.host];
  const bool moved = revision < report.assignment_revision;
  revision = std::max(revision, report.assignment_revision);
  std::set<Unit> units;
  observed_.now = clock_.monotonic();
  auto nodes = book_.acknowledge(report.host, report.ticket);
  nodes.merge(reports_.take(frontend_.state(), report));
  for (const core::NodeKey& key : nodes) {
    if (const auto* cluster = frontend_.state().find<core::CacheCluster>(key.cluster)) {
      units.insert(unit_of(*cluster));
    }
  }
  observed_.unsettled = int(std::max({waiting_.size(), units.size(), observed_.dead_since.size()}));
  if (moved) {
    // That a member is gone may decide what is assigned to the others.
    units.insert(awaiting_revision_.begin(), awaiting_revision_.end());
  }
  book_.refresh(units);
  if (!units.empty() && observed_observer_) {
    observed_observer_(units);
  }
  for (const Unit& unit : units) {
    notify(unit);
  }
}

std::vector<std::pair<core::NodeKey, core::Epoch>> Reconciler::leasable(
    const core::HostId& host) const {
  std::vector<std::pair<core::NodeKey, core::Epoch>> out;
  book_.visit(host, [&](const core::NodeAssignment& wanted) {
    // One of which it is being committed that another leads in its place gets no lease any more.
    if (wanted.role == core::Role::kPrimary && wanted.lease &&
        !observed_.deciding.contains(wanted.group)) {
      out.emplace_back(wanted.node, wanted.epoch);
    }
  });
  return out;
}

void Reconciler::note_silence(const core::HostId& host, bool silent) {
  observed_.now = clock_.monotonic();
  const bool changed = silent ? observed_.silent.emplace(host, observed_.now).second
                              : observed_.silent.erase(host) > 0;
  if (!changed) {
    return;
  }
  std::set<Unit> units;
  for (const core::NodeKey& key : core::nodes_on(frontend_.state(), host)) {
    if (const auto* cluster = frontend_.state().find<core::CacheCluster>(key.cluster)) {
      units.insert(unit_of(*cluster));
    }
  }
  book_.refresh(units);
  for (const Unit& unit : units) {
    notify(unit);
  }
}

std::string Reconciler::reason(const Unit& unit) const {
  const auto it = reasons_.find(unit);
  return it == reasons_.end() ? "" : it->second;
}

void Reconciler::notify(const Unit& unit) {
  if (stopping_) {
    return;
  }
  auto& work = working_[unit];
  const bool fresh = work == nullptr;
  if (fresh) {
    work = std::make_unique<Work>(executor_);
  }
  ++work->asked;
  work->wake.raise();
  if (fresh) {
    boost::asio::co_spawn(executor_, run(unit), [this, unit](std::exception_ptr failed) {
      // asio may queue this handler: a notification can come between the last step and here.
      const bool missed = working_.at(unit)->asked != working_.at(unit)->seen;
      working_.erase(unit);
      if (missed && !failed) {
        notify(unit);
      }
      if (failed) {
        log_.error(
            fmt::format("reconciling {} ended by an exception; please report it", unit.str()));
      }
      if (working_.empty()) {
        idle_.cancel();
      }
    });
  }
}

Awaitable<void> Reconciler::run(Unit unit) {
  using namespace boost::asio::experimental::awaitable_operators;
  Work& work = *working_[unit];  // ours until run() ends
  while (!stopping_) {
    work.seen = work.asked;
    const Rest rest = co_await step(unit);
    if (rest.again || work.asked != work.seen) {
      continue;
    }
    if (rest.recheck_after == Duration()) {
      co_return;
    }
    auto woken = work.wake.wait();
    auto time = clock_.sleep_for(rest.recheck_after);
    co_await (std::move(woken) || std::move(time));
  }
}

Awaitable<Reconciler::Rest> Reconciler::step(Unit unit) {
  core::Plan plan;
  Monotonic decided;
  const auto decide = [this, &unit, &plan, &decided](const core::State& state,
                                                     core::AdmissionContext context) {
    decided = observed_.now = clock_.monotonic();
    book_.mark(unit);
    plan = plan_for(state, observed_, unit, context);
    if (plan.failover) {
      observed_.deciding.emplace(unit.id);
    }
    return core::Admitted<core::Transition>(plan.transition);
  };
  Frontend::Decision decision = decide;
  const auto committed = co_await frontend_.submit_with_others(std::move(decision), term_);
  if (observed_.deciding.erase(core::ReplicationGroupId(unit.id)) > 0) {
    book_.refresh({unit});
  }
  auto& reason = reasons_[unit];
  if (reason != plan.reason) {
    reason = plan.reason;
    log_.info(fmt::format("{}: {}", unit.str(), plan.reason));
  }
  if (!committed) {
    co_await back_off(unit);
    co_return Rest{true, {}};
  }
  working_[unit]->failures = 0;
  if (!plan.alarm.empty()) {
    log_.error(fmt::format("{}: {}", unit.str(), plan.alarm));
  }
  if (plan.recheck_after != Duration() || working_[unit]->timed) {
    book_.refresh({unit});  // time may have decided something that only the agents are told
  }
  working_[unit]->timed = plan.recheck_after != Duration();
  if (plan.failover) {
    const CommittedFailover failover{core::ReplicationGroupId(unit.id), plan.failover->before,
                                     plan.failover->decision, decided};
    for (const FailoverObserver& observer : failover_observers_) {
      observer(failover);
    }
  }
  if (!plan.transition.empty() && observed_observer_) {
    observed_observer_({unit});
  }
  if (plan.settled) {
    waiting_.erase(unit);
    awaiting_revision_.erase(unit);
    if (clusters_of(frontend_.state(), unit).empty()) {
      reasons_.erase(unit);
    }
  } else {
    waiting_.insert(unit);
    if (awaits_revision(frontend_.state(), unit)) {
      awaiting_revision_.insert(unit);
    }
  }
  co_return Rest{!plan.transition.empty(), plan.recheck_after};
}

Awaitable<void> Reconciler::back_off(Unit unit) {
  const int failures = std::min(working_[unit]->failures++, 10);
  const Duration pause = std::min(kLongestBackOff, kFirstBackOff * (1 << failures));
  const Monotonic until = clock_.monotonic() + pause;
  // In slices, so that stop() never waits for a long pause.
  while (!stopping_ && clock_.monotonic() < until) {
    co_await clock_.sleep_for(kFirstBackOff);
  }
}

}  // namespace hikae::control
