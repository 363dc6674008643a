#include "control/failover_recorder.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include "control/touched.h"
#include "core/failover/failover.h"
#include "core/state/events.h"

namespace hikae::control {
namespace {

core::HostId host_of(const core::State& state, const core::NodeKey& node) {
  const auto* cluster = state.find<core::CacheCluster>(node.cluster);
  return cluster == nullptr || cluster->nodes.empty() ? core::HostId() : cluster->nodes[0].host;
}

// A group that takes longer to be whole again is reported as it is.
constexpr Duration kPatience = std::chrono::minutes(10);

const core::NodeGroup* find_node_group(const core::State& state, const FailoverReport& report) {
  const auto* group =
      state.find<core::ReplicationGroup>(core::ReplicationGroupId(report.replication_group));
  if (group == nullptr) {
    return nullptr;
  }
  for (const core::NodeGroup& node_group : group->node_groups) {
    if (node_group.id.str() == report.node_group && node_group.epoch == core::Epoch(report.epoch)) {
      return &node_group;
    }
  }
  return nullptr;
}

// What the state keeps of it; nullptr: it is reported, or gone with its group.
const core::FailoverNote* find_note(const core::NodeGroup* node_group, core::Epoch epoch) {
  if (node_group == nullptr) {
    return nullptr;
  }
  const auto& notes = node_group->unreported;
  const auto it = std::find_if(notes.begin(), notes.end(),
                               [&](const core::FailoverNote& note) { return note.epoch == epoch; });
  return it == notes.end() ? nullptr : &*it;
}

core::NodeKey node_of(const core::CacheClusterId& id) {
  return core::NodeKey{id, core::NodeId("0001")};
}

}  // namespace

FailoverRecorder::FailoverRecorder(boost::asio::any_io_executor executor, Frontend& frontend,
                                   Reconciler& reconciler, Clock& clock, Log& log,
                                   FailoverReportSink& sink)
    : executor_(std::move(executor)),
      frontend_(frontend),
      reconciler_(reconciler),
      clock_(clock),
      log_(log),
      sink_(sink),
      written_(executor_) {
  observer_ =
      frontend_.observe_first([this](const core::State& after, const core::Transition& transition) {
        last_commit_ = clock_.monotonic();
        if (!open_.empty()) {
          look(touched_units(after, transition));  // that a member is back is told by a commit
        }
      });
  reconciler_.on_failover(
      [this](const Reconciler::CommittedFailover& failover) { begin(failover); });
  reconciler_.on_observed([this](const std::set<Unit>& units) { look(units); });
}

Awaitable<void> FailoverRecorder::stop() {
  frontend_.forget(observer_);
  while (writing_ > 0) {
    co_await written_.wait();
  }
}

void FailoverRecorder::begin(const Reconciler::CommittedFailover& failover) {
  const core::FailoverDecision& decision = failover.decision;
  const core::NodeKey lost = node_of(failover.before.primary);
  const auto& observed = reconciler_.observed();
  Open open;
  FailoverReport& report = open.report;
  open.committed = last_commit_;
  open.origin = decision.planned ? failover.decided
                                 : core::fault_of(observed, lost, host_of(frontend_.state(), lost));
  const auto dead = observed.dead_since.find(lost);
  report.confirmed_us = decision.planned || dead == observed.dead_since.end()
                            ? 0
                            : (dead->second - open.origin).count();
  if (const auto* seen = observed.find(node_of(decision.new_primary)); seen != nullptr) {
    open.old_stream = seen->stream;
  }
  report.replication_group = failover.group.str();
  report.node_group = failover.before.id.str();
  report.epoch = failover.before.epoch.next().value();
  report.old_primary = failover.before.primary.str();
  report.new_primary = decision.new_primary.str();
  report.planned = decision.planned;
  report.reason = decision.reason;
  const auto* note =
      find_note(find_node_group(frontend_.state(), report), core::Epoch(report.epoch));
  report.at = note == nullptr ? clock_.now() : note->at;
  report.fenced_us = (failover.decided - open.origin).count();
  report.committed_us = (open.committed - open.origin).count();
  report.names_us = (clock_.monotonic() - open.origin).count();
  report.bytes_at_risk = decision.bytes_at_risk;
  if (!decision.planned) {
    report.last_heard_us = decision.offset_read == Monotonic()
                               ? -1
                               : std::max(Duration(), open.origin - decision.offset_read).count();
  }
  open_.push_back(std::move(open));
}

void FailoverRecorder::take_over() {
  for (const auto& [id, group] : frontend_.state().all<core::ReplicationGroup>()) {
    for (const core::NodeGroup& node_group : group.node_groups) {
      for (const core::FailoverNote& note : node_group.unreported) {
        open_.push_back(open_of(id, node_group.id, note));
      }
    }
  }
}

FailoverRecorder::Open FailoverRecorder::open_of(const core::ReplicationGroupId& group,
                                                 const core::NodeGroupId& node_group,
                                                 const core::FailoverNote& note) const {
  Open open;
  open.unpromoted = false;
  open.committed = clock_.monotonic();
  open.origin = open.committed + (note.at - clock_.now()) + Duration(-note.decided_us);
  FailoverReport& report = open.report;
  report.taken_over = true;
  report.replication_group = group.str();
  report.node_group = node_group.str();
  report.epoch = note.epoch.value();
  report.old_primary = note.from.str();
  report.new_primary = note.to.str();
  report.planned = note.planned;
  report.reason = note.reason;
  report.at = note.at;
  report.confirmed_us = note.confirmed_us;
  report.fenced_us = note.decided_us;
  report.bytes_at_risk = note.bytes_at_risk;
  report.last_heard_us = note.last_heard_us;
  return open;
}

void FailoverRecorder::look(const std::set<Unit>& units) {
  std::erase_if(open_, [this, &units](Open& open) {
    const bool late = clock_.monotonic() - open.committed > kPatience;
    const bool touched =
        late || units.contains(Unit{Unit::Kind::kGroup, open.report.replication_group});
    const bool done = touched && advance(open);
    if (done) {
      finish(open.report);
    }
    return done;
  });
}

bool FailoverRecorder::advance(Open& open) {
  FailoverReport& report = open.report;
  const Monotonic now = clock_.monotonic();
  const core::State& state = frontend_.state();
  const core::Observed& observed = reconciler_.observed();
  const auto* node_group = find_node_group(state, report);
  if (node_group == nullptr || now - open.committed > kPatience) {
    return true;  // another failover or a deletion came in between, or it takes too long
  }
  const auto* primary = observed.find(node_of(node_group->primary));
  if (primary == nullptr) {
    return false;
  }
  const bool leads = primary->ready && primary->role == core::Role::kPrimary;
  if (leads && !std::exchange(open.promoted, true) && open.unpromoted) {
    report.promoted_us = (now - open.origin).count();
  }
  open.unpromoted = open.unpromoted || !leads;
  bool whole = open.promoted;
  for (const core::CacheClusterId& id : node_group->members) {
    const auto* cluster = state.find<core::CacheCluster>(id);
    const auto* seen = observed.find(node_of(id));
    if (id == node_group->primary || cluster == nullptr || seen == nullptr) {
      continue;
    }
    note_replica(open, *seen, *primary);
    whole = whole && is_attached(*seen, *primary, open.old_stream) && !cluster->nodes[0].recovering;
  }
  if (whole) {
    report.repaired = true;
    report.repaired_us = (now - open.origin).count();
  }
  return whole;
}

void FailoverRecorder::note_replica(Open& open, const core::NodeObservation& replica,
                                    const core::NodeObservation& primary) {
  auto& replicas = open.report.replicas;
  const std::string& name = replica.node.cluster.str();
  const bool known = std::any_of(replicas.begin(), replicas.end(),
                                 [&](const ReplicaReturn& one) { return one.cluster == name; });
  if (!known && open.promoted && is_attached(replica, primary, open.old_stream)) {
    const std::int64_t since = (clock_.monotonic() - open.origin).count();
    replicas.push_back(ReplicaReturn{name, since, resync_of(replica)});
  }
}

void FailoverRecorder::finish(const FailoverReport& report) {
  log_.info(fmt::format("replication group {}: {}", report.replication_group, describe(report)));
  ++writing_;
  boost::asio::co_spawn(executor_, store(report), [this](std::exception_ptr failed) {
    if (failed) {
      log_.error("storing a failover's report ended by an exception; please report it");
    }
    --writing_;
    written_.raise();
  });
}

// In this order: the event's commit ends the note by which the next leader would report it.
Awaitable<void> FailoverRecorder::store(FailoverReport report) {
  co_await sink_.keep(report);
  co_await write_event(report);
}

Awaitable<void> FailoverRecorder::write_event(const FailoverReport& report) {
  Frontend::Decision decision = [&report](const core::State& state,
                                          core::AdmissionContext context) {
    core::Transition out;
    const core::ReplicationGroupId id(report.replication_group);
    if (const auto* group = state.find<core::ReplicationGroup>(id)) {
      core::ReplicationGroup reported = *group;
      for (core::NodeGroup& node_group : reported.node_groups) {
        std::erase_if(node_group.unreported, [&](const core::FailoverNote& note) {
          return node_group.id.str() == report.node_group &&
                 note.epoch == core::Epoch(report.epoch);
        });
      }
      out.put(std::move(reported));
      core::EventWriter events(state, context.now);
      events.add(core::kSourceReplicationGroup, id.str(),
                 fmt::format("Node group {} {}", report.node_group, describe(report)));
      events.finish(out);
    }
    return core::Admitted<core::Transition>(std::move(out));
  };
  // A store that fails is told by the frontend; the report is in the log.
  const auto term = reconciler_.term();
  co_await frontend_.submit(std::move(decision), term);
}

}  // namespace hikae::control
