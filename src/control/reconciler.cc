#include "control/reconciler.h"

#include <algorithm>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

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

}  // namespace

Reconciler::Reconciler(boost::asio::any_io_executor executor, Frontend& frontend, AgentLink& agents,
                       Clock& clock, Log& log)
    : executor_(executor),
      frontend_(frontend),
      clock_(clock),
      log_(log),
      book_(executor, frontend.state(), observed_, agents),
      idle_(executor) {
  idle_.expires_at(boost::asio::steady_timer::time_point::max());
}

void Reconciler::start() {
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
  while (!working_.empty()) {
    co_await idle_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }
}

void Reconciler::on_transition(const core::State& after, const core::Transition& transition) {
  const auto units = touched_units(after, transition);
  book_.refresh(units);
  for (const Unit& unit : units) {
    notify(unit);
  }
}

void Reconciler::on_report(core::HostReport report) {
  std::set<core::NodeKey> changed;
  std::map<core::NodeKey, core::NodeObservation> reported;
  for (core::NodeObservation& node : report.nodes) {
    const core::NodeKey key = node.node;
    const auto* before = observed_.find(key);
    if (before == nullptr || !(*before == node)) {
      changed.insert(key);
    }
    reported.emplace(key, std::move(node));
  }
  auto& known = nodes_of_host_[report.host];
  for (const core::NodeKey& key : known) {
    if (!reported.contains(key)) {
      observed_.nodes.erase(key);
      changed.insert(key);
    }
  }
  known.clear();
  for (auto& [key, node] : reported) {
    known.insert(key);
    observed_.nodes.insert_or_assign(key, std::move(node));
  }
  auto& revision = observed_.assignment_revision[report.host];
  const bool moved = revision < report.assignment_revision;
  revision = std::max(revision, report.assignment_revision);

  std::set<Unit> units;
  for (const core::NodeKey& key : changed) {
    if (const auto* cluster = frontend_.state().find<core::CacheCluster>(key.cluster)) {
      units.insert(unit_of(*cluster));
    }
  }
  book_.refresh(units);
  if (moved) {
    // Deletions wait for a revision, not for a node.
    for (const auto& [unit, work] : working_) {
      units.insert(unit);
    }
    units.merge(std::set<Unit>(waiting_.begin(), waiting_.end()));
  }
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
  const auto [it, fresh] = working_.try_emplace(unit);
  ++it->second.asked;
  if (fresh) {
    boost::asio::co_spawn(executor_, run(unit), [this, unit](std::exception_ptr failed) {
      working_.erase(unit);
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
  while (!stopping_) {
    const std::uint64_t seen = working_[unit].asked;
    const bool rests = co_await step(unit);
    if (rests && working_[unit].asked == seen) {
      co_return;
    }
  }
}

Awaitable<bool> Reconciler::step(Unit unit) {
  core::Plan plan;
  const auto decide = [this, &unit, &plan](const core::State& state,
                                           core::AdmissionContext context) {
    plan = plan_for(state, observed_, unit, context);
    return core::Admitted<core::Transition>(plan.transition);
  };
  Frontend::Decision decision = decide;
  const auto committed = co_await frontend_.submit(std::move(decision));
  auto& reason = reasons_[unit];
  if (reason != plan.reason) {
    reason = plan.reason;
    log_.info(fmt::format("{}: {}", unit.str(), plan.reason));
  }
  if (!committed) {
    co_await back_off(unit);
    co_return false;
  }
  working_[unit].failures = 0;
  if (plan.settled) {
    waiting_.erase(unit);
    if (clusters_of(frontend_.state(), unit).empty()) {
      reasons_.erase(unit);
    }
  } else {
    waiting_.insert(unit);
  }
  co_return plan.transition.empty();
}

Awaitable<void> Reconciler::back_off(Unit unit) {
  const int failures = std::min(working_[unit].failures++, 10);
  const Duration pause = std::min(kLongestBackOff, kFirstBackOff * (1 << failures));
  const Monotonic until = clock_.monotonic() + pause;
  // In slices, so that stop() never waits for a long pause.
  while (!stopping_ && clock_.monotonic() < until) {
    co_await clock_.sleep_for(kFirstBackOff);
  }
}

}  // namespace hikae::control
