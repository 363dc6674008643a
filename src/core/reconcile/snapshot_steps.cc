#include "core/reconcile/snapshot_steps.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/admission/cache_cluster.h"
#include "core/admission/replication_group.h"
#include "core/reconcile/cluster_steps.h"
#include "core/reconcile/snapshot_events.h"
#include "core/state/snapshots.h"

namespace hikae::core {
namespace {

// How long a snapshot waits for a node to save its data, and how many may be lost at it.
constexpr Duration kPatience = std::chrono::minutes(30);
constexpr Duration kLongest = std::chrono::hours(24);
constexpr int kMaxAttempts = 5;
constexpr Duration kRecheck = std::chrono::seconds(10);
// A replica that lags is asked again after so long, and tells by itself when it has come to rest.
constexpr Duration kAskAgain = std::chrono::seconds(1);
constexpr int kProgressStep = 10;  // percent between two events

struct View {
  const State& state;
  const Observed& observed;
  AdmissionContext context;
  const Snapshot& snapshot;
  std::vector<const CacheCluster*> members;  // of whom the data may be taken
  CacheClusterId primary;
};

// Right after a start the hosts have yet to report: a member of one that has not may be the very
// one that saves its data.
bool is_unknown(const View& view, const CacheClusterId& id) {
  const auto* cluster = view.state.find<CacheCluster>(id);
  return cluster != nullptr && !cluster->nodes.empty() &&
         view.context.now - view.snapshot.created_at < kPatience &&
         !view.observed.assignment_revision.contains(cluster->nodes[0].host);
}

bool serves(const NodeObservation* seen) {
  return seen != nullptr && !seen->dead() && seen->ready && !seen->hung;
}

// What it was chosen for is still there: it did not come back empty since.
bool may_still_save(const NodeObservation* seen) {
  return serves(seen) && (seen->role != Role::kReplica || seen->synced);
}

bool is_replica_in_sync(const View& view, const CacheClusterId& id) {
  const auto* seen = seen_of(view.state, view.observed, id);
  return id != view.primary && serves(seen) && seen->role == Role::kReplica && seen->synced &&
         seen->link_up;
}

// The node that the snapshot names, the one that the group names, the members.
std::vector<CacheClusterId> in_order(const View& view, const ReplicationGroup* group) {
  std::vector<CacheClusterId> order = {view.snapshot.cluster};
  if (group != nullptr) {
    order.push_back(group->snapshotting_cluster);
  }
  for (const CacheCluster* member : view.members) {
    order.push_back(member->id);
  }
  return order;
}

// The first replica in that order; the primary while there is none. Empty: nobody can now.
CacheClusterId choose_taker(const View& view, const std::vector<CacheClusterId>& order) {
  const auto replica = std::find_if(order.begin(), order.end(), [&](const CacheClusterId& id) {
    return is_replica_in_sync(view, id);
  });
  if (replica != order.end()) {
    return *replica;
  }
  const bool some_unknown =
      std::any_of(view.members.begin(), view.members.end(),
                  [&](const CacheCluster* member) { return is_unknown(view, member->id); });
  if (some_unknown) {
    return CacheClusterId();
  }
  const auto* seen = seen_of(view.state, view.observed, view.primary);
  return serves(seen) && seen->role == Role::kPrimary ? view.primary : CacheClusterId();
}

// What the node said since it was asked how far it is; nullptr: nothing yet.
const NodeObservation* answer_of(const View& view, const CacheClusterId& id) {
  const auto* cluster = view.state.find<CacheCluster>(id);
  const auto* seen = seen_of(view.state, view.observed, id);
  const bool answered = serves(seen) && seen->surveyed &&
                        !view.observed.unheard.contains(NodeKey{cluster->id, cluster->nodes[0].id});
  return answered ? seen : nullptr;
}

// Both read in this order, so the replica has all that the primary had acknowledged before.
bool has_come_as_far(const NodeObservation& replica, const NodeObservation& primary) {
  return replica.stream == primary.stream &&
         replica.replication_offset >= primary.replication_offset;
}

std::string words_of(const Snapshot& snapshot) {
  const bool of_group = !snapshot.group.empty();
  return fmt::format("snapshot with ID '{}' of {} with ID '{}'", snapshot.name.str(),
                     of_group ? "replication group" : "cache cluster",
                     of_group ? snapshot.group.str() : snapshot.cluster.str());
}

Plan give_up(const View& view, const std::string& why) {
  Plan plan;
  EventWriter events(view.state, view.context.now);
  Snapshot next = view.snapshot;
  next.status = "failed";
  next.nodes.front().file = {};
  plan.reason = fmt::format("snapshot {} failed: {}", next.name.str(), why);
  plan.alarm = plan.reason;
  add_snapshot_event(next, fmt::format("Snapshot failed for {}: {}", words_of(next), why), events);
  plan.transition.put(std::move(next));
  events.finish(plan.transition);
  return plan;
}

Plan succeed(const View& view, const SnapshotProgress& done) {
  Plan plan;
  EventWriter events(view.state, view.context.now);
  Snapshot next = view.snapshot;
  next.status = "available";
  NodeSnapshot& data = next.nodes.front();
  data.bytes = done.bytes;
  data.used_memory = done.used_memory;
  data.format = done.format;
  data.checksum = done.checksum;
  data.taken_at = view.context.now;
  add_snapshot_event(next, fmt::format("Snapshot succeeded for {}", words_of(next)), events);
  plan.reason =
      fmt::format("snapshot {} of {}: {} bytes", next.name.str(), data.taker.str(), done.bytes);
  plan.transition.put(std::move(next));
  events.finish(plan.transition);
  return plan;
}

std::string new_file(const View& view) {
  return fmt::format("{}.rdb", view.context.random.hex(24));
}

Plan begin(const View& view, const CacheClusterId& taker) {
  Plan plan;
  Snapshot next = view.snapshot;
  NodeSnapshot& data = next.nodes.front();
  data.taker = taker;
  data.file = new_file(view);
  ++data.attempts;
  plan.reason = fmt::format("snapshot {} is taken of {}", next.name.str(), taker.str());
  plan.transition.put(std::move(next));
  return plan;
}

// Nobody saves yet. Without a file's name the primary is asked how far it is, with one the
// replicas.
Plan ask(const View& view, std::string file, std::string why) {
  Plan plan;
  Snapshot next = view.snapshot;
  next.nodes.front().taker = {};
  next.nodes.front().file = std::move(file);
  plan.reason = std::move(why);
  plan.transition.put(std::move(next));
  return plan;
}

Plan take_of_replica(const View& view, const std::vector<CacheClusterId>& order) {
  const NodeSnapshot& data = view.snapshot.nodes.front();
  const std::string name = view.snapshot.name.str();
  if (!data.taker.empty()) {
    return ask(view, "", fmt::format("snapshot {}: {} is lost", name, data.taker.str()));
  }
  Plan plan;
  plan.recheck_after = kAskAgain;
  plan.reason = fmt::format("snapshot {} waits for {} to tell how far it is", name,
                            data.file.empty() ? view.primary.str() : "a replica");
  const auto* primary = seen_of(view.state, view.observed, view.primary);
  if (data.file.empty()) {
    const auto* answer = answer_of(view, view.primary);
    return answer == nullptr || answer->role != Role::kPrimary
               ? plan
               : ask(view, new_file(view),
                     fmt::format("snapshot {}: {} is at {}", name, view.primary.str(),
                                 answer->replication_offset));
  }
  // Whoever is to save before others is waited for, though not for long.
  const bool patient = view.context.now - view.snapshot.created_at < kAskAgain;
  bool old_news = false;
  for (const CacheClusterId& id : order) {
    const bool in_sync = is_replica_in_sync(view, id);
    const auto* answer = in_sync ? answer_of(view, id) : nullptr;
    if (in_sync && answer == nullptr && patient) {
      return plan;
    }
    if (answer != nullptr && primary != nullptr && has_come_as_far(*answer, *primary)) {
      return begin(view, id);
    }
    old_news =
        old_news || (answer != nullptr && view.observed.now - answer->offset_read >= kAskAgain);
  }
  return old_news
             ? ask(view, "",
                   fmt::format("snapshot {}: no replica is as far as {}", name, view.primary.str()))
             : plan;
}

Plan take(const View& view, const ReplicationGroup* group) {
  const NodeSnapshot& data = view.snapshot.nodes.front();
  const auto* seen = data.taker.empty() ? nullptr : seen_of(view.state, view.observed, data.taker);
  if (seen != nullptr && seen->snapshot.file == data.file && !data.file.empty()) {
    if (seen->snapshot.stage == SnapshotProgress::Stage::kDone) {
      return succeed(view, seen->snapshot);
    }
    if (seen->snapshot.stage == SnapshotProgress::Stage::kFailed) {
      return give_up(view, seen->snapshot.problem);
    }
  }
  const Duration age = view.context.now - view.snapshot.created_at;
  if (age > kLongest) {
    return give_up(view, "it was not ready after 24 hours");
  }
  Plan plan;
  plan.recheck_after = kRecheck;
  if (may_still_save(seen) || (!data.taker.empty() && is_unknown(view, data.taker))) {
    plan.reason = fmt::format("waits for {} to save its data", data.taker.str());
    return plan;
  }
  const auto order = in_order(view, group);
  const CacheClusterId taker = choose_taker(view, order);
  if (!taker.empty() && data.attempts >= kMaxAttempts) {
    return give_up(view, fmt::format("{} nodes ended while they saved their data", kMaxAttempts));
  }
  if (!taker.empty() && taker == view.primary) {
    return begin(view, taker);
  }
  if (age > kPatience) {
    return give_up(view, taker.empty() ? "no node was in service to save its data"
                                       : "no replica came as far as the primary");
  }
  if (!taker.empty()) {
    return take_of_replica(view, order);
  }
  plan.reason = fmt::format("snapshot {} waits for a node in service", view.snapshot.name.str());
  return plan;
}

// A group with a final snapshot goes with its success; what fails leaves the group as it is.
template <class Source>
void conclude(const State& state, const Source& source, Plan& plan) {
  if (source.final_snapshot.empty()) {
    return;
  }
  const auto* snapshot = find_after<Snapshot>(state, plan.transition, source.final_snapshot);
  if (snapshot != nullptr && snapshot->status == "creating") {
    return;
  }
  if (snapshot != nullptr && snapshot->status == "available") {
    plan.reason += "; now its source is deleted";
    begin_deletion(state, source, plan.transition);
    return;
  }
  plan.reason = plan.reason.empty() ? "no final snapshot: nothing is deleted" : plan.reason;
  Source kept = source;
  kept.final_snapshot = {};
  plan.transition.put(std::move(kept));
}

}  // namespace

PlaceWanted place_wanted(const State& state, const ReplicationGroup& group) {
  const Snapshot* snapshot = snapshot_under_way(state, group);
  if (snapshot == nullptr || group.node_groups.front().members.size() < 2 ||
      !snapshot->nodes.front().taker.empty()) {
    return PlaceWanted::kOfNobody;
  }
  return snapshot->nodes.front().file.empty() ? PlaceWanted::kOfPrimary : PlaceWanted::kOfReplicas;
}

Plan plan_snapshot(const State& state, const Observed& observed, const ReplicationGroup& group,
                   AdmissionContext context) {
  Plan plan;
  if (const auto* snapshot = snapshot_under_way(state, group)) {
    const NodeGroup& node_group = group.node_groups.front();
    View view{state, observed, context, *snapshot, {}, node_group.primary};
    for (const CacheClusterId& id : node_group.members) {
      const auto* member = state.find<CacheCluster>(id);
      if (member != nullptr && member->status == "available") {
        view.members.push_back(member);
      }
    }
    plan = take(view, &group);
  }
  conclude(state, group, plan);
  return plan;
}

Plan plan_snapshot(const State& state, const Observed& observed, const CacheCluster& standalone,
                   AdmissionContext context) {
  Plan plan;
  if (const auto* snapshot = snapshot_under_way(state, standalone)) {
    const View view{state, observed, context, *snapshot, {&standalone}, standalone.id};
    plan = take(view, nullptr);
  }
  conclude(state, standalone, plan);
  return plan;
}

Plan plan_restore_failure(const State& state, const Observed& observed, const CacheCluster& cluster,
                          AdmissionContext context) {
  Plan plan;
  const auto* seen = seen_of(state, observed, cluster.id);
  if (cluster.status != "creating" || cluster.restore.file.empty() || seen == nullptr ||
      seen->restore_problem.empty()) {
    return plan;
  }
  EventWriter events(state, context.now);
  const std::string text =
      fmt::format("Restoring cache cluster {} from {} failed: {}", cluster.id.str(),
                  cluster.restore.origin, seen->restore_problem);
  plan.reason = plan.alarm = text;
  events.add(kSourceCacheCluster, cluster.id.str(), text);
  std::vector<CacheClusterId> doomed = {cluster.id};
  if (const auto* group = state.find<ReplicationGroup>(cluster.replication_group)) {
    events.add(kSourceReplicationGroup, group->id.str(), text);
    doomed = group->node_groups.front().members;
    ReplicationGroup next = *group;
    next.status = "create-failed";
    plan.transition.put(std::move(next));
  }
  for (const CacheClusterId& id : doomed) {
    CacheCluster next = *state.find<CacheCluster>(id);
    next.status = "restore-failed";
    next.restore = {};
    plan.transition.put(std::move(next));
  }
  events.finish(plan.transition);
  return plan;
}

Plan plan_restore_progress(const State& state, const Observed& observed,
                           const CacheCluster& cluster, AdmissionContext context) {
  Plan plan;
  if (cluster.restore.file.empty() || cluster.nodes.empty() || cluster.status != "creating") {
    return plan;
  }
  const auto* seen = seen_of(state, observed, cluster.id);
  const int percent = seen == nullptr ? 0 : seen->loaded_percent / kProgressStep * kProgressStep;
  if (percent <= cluster.restore.percent) {
    return plan;
  }
  EventWriter events(state, context.now);
  CacheCluster next = cluster;
  next.restore.percent = percent;
  const std::string text =
      fmt::format("Restoring cache cluster {} from {}: {} % of {} MB loaded", cluster.id.str(),
                  cluster.restore.origin, percent, cluster.restore.bytes / 1'000'000);
  events.add(kSourceCacheCluster, cluster.id.str(), text);
  if (!cluster.replication_group.empty()) {
    events.add(kSourceReplicationGroup, cluster.replication_group.str(), text);
  }
  plan.reason = fmt::format("{} has loaded {} %", cluster.id.str(), percent);
  plan.transition.put(std::move(next));
  events.finish(plan.transition);
  return plan;
}

}  // namespace hikae::core
