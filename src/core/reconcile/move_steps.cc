#include "core/reconcile/move_steps.h"

#include <fmt/format.h>

#include "core/placement/moving.h"
#include "core/reconcile/cluster_steps.h"

namespace hikae::core {
namespace {

// Others on their way, and room elsewhere, tell nobody when they are there.
constexpr Duration kLookAgain = std::chrono::seconds(1);
// A primary that holds back writes still sends its replicas a ping now and then.
constexpr std::uint64_t kLongestSilentStream = 1024;

MoveStep step(MoveStepKind kind, std::string reason, Duration recheck_after = {}) {
  return MoveStep{kind, std::move(reason), recheck_after};
}

// Why the copy does not have all of the data yet; empty: it has.
std::string lack_of(const NodeObservation* copy, const Node& node) {
  if (copy == nullptr || copy->process != NodeObservation::Process::kRunning) {
    const bool told = copy != nullptr && !copy->problem.empty();
    return "to start" + (told ? ": " + copy->problem : "");
  }
  if (!copy->ready || copy->generation < node.generation || copy->edition != node.edition) {
    return "to answer";
  }
  return copy->role == Role::kReplica && copy->link_up && copy->synced ? "" : "to synchronise";
}

// Why the move makes no sense any more; empty: it does.
std::string objection(const State& state, const Node& node, bool leads, bool alone, Instant now) {
  const auto* target = state.find<Host>(node.move.host);
  if (target == nullptr || target->cordoned || target->absent_since != Instant()) {
    return fmt::format("host {} is to take no more nodes, or out of reach", node.move.host.str());
  }
  if (!is_to_leave(state, node, now)) {
    return fmt::format("host {} is drained no more", node.host.str());
  }
  return leads && !alone ? "it was made the primary" : "";
}

MoveStep hand_over(const Observed& observed, const NodeKey& key, const Node& node, Instant now) {
  const auto* source = observed.find(key);
  const auto* copy = observed.find_arrival(key);
  if (source == nullptr || source->dead()) {
    return step(MoveStepKind::kCallOff, "its process ended before it had handed over");
  }
  const Instant end = node.move.handing_since + kHandOverBound;
  const std::uint64_t wrote = source->replication_offset;
  const std::uint64_t has = copy->replication_offset;
  // Offsets mean the same only within one stream.
  if (source->writes_paused && copy->link_up && has >= wrote &&
      has - wrote <= kLongestSilentStream) {
    return step(MoveStepKind::kLeave, "it holds back writes, and the copy has them all");
  }
  if (now >= end) {
    return step(MoveStepKind::kCallOff, "the copy did not catch up in time");
  }
  return step(MoveStepKind::kWait, "waits for the copy to have all that it wrote", end - now);
}

}  // namespace

MoveStep next_move_step(const State& state, const Observed& observed, const CacheCluster& cluster,
                        bool leads, bool alone, Instant now) {
  const Node& node = cluster.nodes[0];
  const NodeMove& move = node.move;
  const NodeKey key{cluster.id, node.id};
  if (!move.under_way()) {
    return {};
  }
  if (move.left()) {
    const bool ended =
        has_taken_up(observed, node.host, move.left_at) && observed.find(key) == nullptr;
    return ended ? step(MoveStepKind::kArrive, "its process on the old host has ended")
                 : step(MoveStepKind::kWait,
                        fmt::format("waits for host {} to end {}", node.host.str(), key.str()));
  }
  if (auto why = objection(state, node, leads, alone, now); !why.empty()) {
    return step(MoveStepKind::kCallOff, std::move(why));
  }
  const auto lack = lack_of(observed.find_arrival(key), node);
  if (!lack.empty()) {
    const Instant end =
        move.handing_over() ? move.handing_since + kHandOverBound : move.since + kMovePatience;
    if (now >= end) {
      return step(MoveStepKind::kCallOff, "it waited in vain for the copy " + lack);
    }
    return step(MoveStepKind::kWait,
                fmt::format("waits for the copy of {} on {} {}", key.str(), move.host.str(), lack),
                end - now);
  }
  if (!alone) {
    return step(MoveStepKind::kArrive, "the copy is synchronised");
  }
  if (!move.handing_over()) {
    return step(MoveStepKind::kHandOver, "the copy is synchronised; writes are held back");
  }
  return hand_over(observed, key, node, now);
}

void take_move_step(const State& state, const MoveStep& step, CacheCluster& cluster, Instant now) {
  Node& node = cluster.nodes[0];
  switch (step.kind) {
    case MoveStepKind::kHandOver:
      node.move.handing_since = now;
      break;
    case MoveStepKind::kLeave:
      node.move.left_at = state.revision().next();
      break;
    case MoveStepKind::kArrive:
      node.placement_reason = node.move.reason;
      arrive(state, node);
      break;
    case MoveStepKind::kCallOff:
      node.move = {};
      break;
    default:
      break;
  }
}

Departure set_out(const State& state, CacheCluster& cluster, Instant now) {
  Node& node = cluster.nodes[0];
  Departure out;
  out.recheck_after = kLookAgain;
  const auto place = place_anew(state, cluster, node);
  if (!place) {
    out.reason = fmt::format("stays on {}: {}", node.host.str(), place.error().message);
    return out;
  }
  if (any_node_moves(state)) {
    out.reason =
        fmt::format("{} waits for its turn to leave {}", cluster.id.str(), node.host.str());
    return out;
  }
  node.move.host = place->host;
  node.move.address = place->address;
  node.move.reason = place->reason;
  node.move.since = now;
  out.begun = true;
  out.reason =
      fmt::format("{} moves from {} to {}", cluster.id.str(), node.host.str(), place->host.str());
  return out;
}

}  // namespace hikae::core
