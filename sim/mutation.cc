#include <map>
#include <memory>

#include "core/naming/records.h"
#include "sim/world.h"

namespace hikae::sim {
namespace {

using core::NodeAssignment;
using core::NodeObservation;
using core::Role;

constexpr std::uint64_t kBeyondAnyOffset = std::uint64_t(1) << 40;

// Calls `change` for every node of every message.
template <class Message, class Change>
std::function<void(Message&)> for_every_node(Change change) {
  return [change](Message& message) {
    for (auto& node : message.nodes) {
      auto changed = *node;
      change(changed);
      node = std::move(changed);
    }
  };
}

// A former primary goes on as what an assignment of an older epoch made of it.
void keep_old_epoch(std::map<core::NodeKey, NodeAssignment>& primaries, NodeAssignment& node) {
  if (node.role == Role::kPrimary) {
    primaries.insert_or_assign(node.node, node);
    return;
  }
  const auto old = primaries.find(node.node);
  if (old != primaries.end() && old->second.epoch < node.epoch) {
    node = old->second;
    node.hold = false;
  }
}

}  // namespace

void World::install_mutation() {
  switch (options_.mutation) {
    case Mutation::kNone:
    case Mutation::kChooseWithoutQuorum:  // where groups are made
      break;
    case Mutation::kPromoteWithoutFence:
      // One that hangs is taken for dead, and is not killed.
      network_.distort_report = for_every_node<core::HostReport>([](NodeObservation& node) {
        if (node.hung) {
          node.process = NodeObservation::Process::kStopped;
        }
      });
      network_.distort_assignment = for_every_node<core::Assignment>([](NodeAssignment& node) {
        node.may_promote = true;
        node.replaceable = false;
      });
      break;
    case Mutation::kIgnoreEpoch: {
      const auto primaries = std::make_shared<std::map<core::NodeKey, NodeAssignment>>();
      network_.distort_assignment = for_every_node<core::Assignment>(
          [primaries](NodeAssignment& node) { keep_old_epoch(*primaries, node); });
      break;
    }
    case Mutation::kChooseLowestOffset:
      network_.distort_report = for_every_node<core::HostReport>([](NodeObservation& node) {
        if (node.role == Role::kReplica) {
          node.replication_offset = kBeyondAnyOffset - node.replication_offset;
        }
      });
      break;
    case Mutation::kFlipNameBeforeCommit:
      store_.set_asked([this](const core::Transition& transition) { publish_early(transition); });
      break;
    case Mutation::kAcceptEmptyPrimary:
      network_.distort_assignment =
          for_every_node<core::Assignment>([](NodeAssignment& node) { node.hold = false; });
      break;
    case Mutation::kPromoteBeforeLeaseEnds:
      // Agents count on more time than the leader waits.
      network_.distort_grant = [](control::LeaseGrant& grant) { grant.length = grant.length * 3; };
      break;
    case Mutation::kLeadWhileFollowed:
      network_.distort_report = for_every_node<core::HostReport>(
          [](NodeObservation& node) { node.promised = node.promised && !node.kept; });
      break;
    case Mutation::kUnderstateLoss:
      // How far a dead process had come is forgotten, and that it was asked is not.
      network_.distort_report = for_every_node<core::HostReport>([](NodeObservation& node) {
        node.replication_offset = node.dead() ? 0 : node.replication_offset;
      });
      break;
    case Mutation::kClaimSnapshot:
      // The engine has saved, and nobody has put the file in its place yet.
      network_.distort_report = for_every_node<core::HostReport>([](NodeObservation& node) {
        using Stage = core::SnapshotProgress::Stage;
        const bool storing = node.snapshot.stage == Stage::kStoring;
        node.snapshot.stage = storing ? Stage::kDone : node.snapshot.stage;
      });
      break;
  }
}

void World::publish_early(const core::Transition& transition) {
  core::State next = store_.state();
  next.apply(transition, next.revision().next());
  for (const core::Change& change : transition.changes) {
    if (const auto* put = std::get_if<core::Put<core::ReplicationGroup>>(&change)) {
      zone_.publish(core::group_records(next, put->value.id), {});
    }
  }
}

}  // namespace hikae::sim
