#include "control/failover_recorder.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace hikae::control {
namespace {

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

double milliseconds(std::int64_t microseconds) {
  return double(microseconds) / 1000;
}

}  // namespace

FailoverRecorder::FailoverRecorder(Frontend& frontend, Reconciler& reconciler, Clock& clock,
                                   Log& log, FailoverReportSink& sink)
    : frontend_(frontend), reconciler_(reconciler), clock_(clock), log_(log), sink_(sink) {
  reconciler_.on_failover(
      [this](const core::ReplicationGroupId& group, const core::NodeGroup& before,
             const core::FailoverDecision& decision) { begin(group, before, decision); });
  reconciler_.on_observed([this] { look(); });
}

void FailoverRecorder::begin(const core::ReplicationGroupId& group, const core::NodeGroup& before,
                             const core::FailoverDecision& decision) {
  Open open;
  open.committed = clock_.monotonic();
  open.origin = open.committed;
  const core::NodeKey lost{before.primary, core::NodeId("0001")};
  const auto& observed = reconciler_.observed();
  if (const auto* seen = observed.find(lost); seen != nullptr && !decision.planned) {
    open.origin = seen->fault_seen;
    const auto dead = observed.dead_since.find(lost);
    open.report.confirmed_us =
        dead == observed.dead_since.end() ? 0 : (dead->second - open.origin).count();
  }
  open.report.replication_group = group.str();
  open.report.node_group = before.id.str();
  open.report.epoch = before.epoch.next().value();
  open.report.old_primary = before.primary.str();
  open.report.new_primary = decision.new_primary.str();
  open.report.planned = decision.planned;
  open.report.reason = decision.reason;
  open.report.at = clock_.now();
  open.report.committed_us = (open.committed - open.origin).count();
  open.report.bytes_at_risk = decision.bytes_at_risk;
  open_.push_back(std::move(open));
}

void FailoverRecorder::look() {
  std::erase_if(open_, [this](Open& open) {
    const bool done = advance(open);
    if (done) {
      finish(open.report);
    }
    return done;
  });
}

bool FailoverRecorder::advance(Open& open) {
  FailoverReport& report = open.report;
  const Monotonic now = clock_.monotonic();
  const std::int64_t since = (now - open.origin).count();
  const auto* node_group = find_node_group(frontend_.state(), report);
  if (node_group == nullptr || now - open.committed > kPatience) {
    return true;  // another failover or a deletion came in between, or it takes too long
  }
  bool whole = true;
  for (const core::CacheClusterId& id : node_group->members) {
    const auto* cluster = frontend_.state().find<core::CacheCluster>(id);
    const auto* seen = reconciler_.observed().find(core::NodeKey{id, core::NodeId("0001")});
    if (cluster == nullptr || seen == nullptr) {
      continue;
    }
    if (id == node_group->primary) {
      const bool leads = seen->ready && seen->role == core::Role::kPrimary;
      report.promoted_us = report.promoted_us == 0 && leads ? since : report.promoted_us;
      whole = whole && report.promoted_us != 0;
      continue;
    }
    const bool known = std::any_of(report.replicas.begin(), report.replicas.end(),
                                   [&](const auto& one) { return one.cluster == id.str(); });
    if (!known && report.promoted_us != 0 && seen->link_up && !seen->dead()) {
      report.replicas.push_back(ReplicaReturn{id.str(), since});
    }
    whole = whole && seen->link_up && !cluster->nodes[0].recovering;
  }
  if (whole) {
    report.repaired = true;
    report.repaired_us = since;
  }
  return whole;
}

void FailoverRecorder::finish(const FailoverReport& report) {
  log_.info(fmt::format(
      "replication group {}: {} from {} to {} (epoch {}): committed after {:.1f} ms, promoted "
      "after "
      "{:.1f} ms, {} after {:.1f} ms; {} bytes at risk",
      report.replication_group, report.planned ? "switchover" : "failover", report.old_primary,
      report.new_primary, report.epoch, milliseconds(report.committed_us),
      milliseconds(report.promoted_us), report.repaired ? "whole again" : "not whole",
      milliseconds(report.repaired_us), report.bytes_at_risk));
  sink_.publish(report);
}

}  // namespace hikae::control
