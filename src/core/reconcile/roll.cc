#include "core/reconcile/roll.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/catalog/catalog.h"
#include "core/reconcile/cluster_steps.h"

namespace hikae::core {
namespace {

RollStep wait(std::string reason, Duration recheck_after = {}) {
  return RollStep{RollStepKind::kWait, {}, std::move(reason), false, recheck_after};
}

RollStep step(RollStepKind kind, const CacheCluster& member, std::string reason) {
  return RollStep{kind, member.id, std::move(reason)};
}

const NodeObservation* seen_of(const Observed& observed, const CacheCluster& cluster) {
  return cluster.nodes.empty() ? nullptr : observed.find(NodeKey{cluster.id, cluster.nodes[0].id});
}

class Stepper {
 public:
  Stepper(const Observed& observed, const Roll& roll, Instant now)
      : observed_(observed), roll_(roll), now_(now) {}

  RollStep next() const {
    const auto in_hand = std::find_if(roll_.members.begin(), roll_.members.end(),
                                      [](const auto* member) { return is_in_hand(*member); });
    if (in_hand != roll_.members.end()) {
      return proceed(**in_hand);
    }
    const CacheCluster* member = next_member();
    if (member == nullptr) {
      return RollStep{};
    }
    if (const auto lack = missing_of_others(nullptr); !lack.empty()) {
      return wait("waits for " + lack);
    }
    if (auto unfit = weigh(*member)) {
      return *unfit;
    }
    return step(RollStepKind::kTell, *member, member->id.str() + " is told what to run");
  }

 private:
  Role role_of(const CacheCluster& member) const {
    return member.id == roll_.primary ? Role::kPrimary : Role::kReplica;
  }

  const CacheCluster* next_member() const {
    const CacheCluster* primary = nullptr;
    for (const CacheCluster* member : roll_.members) {
      if (!differs(*member, roll_.target)) {
        continue;
      }
      if (role_of(*member) == Role::kReplica) {
        return member;
      }
      primary = member;
    }
    return primary;
  }

  std::string missing_of_others(const CacheCluster* one) const {
    for (const CacheCluster* member : roll_.members) {
      if (member == one) {
        continue;
      }
      if (auto lack = missing(observed_, *member, role_of(*member)); !lack.empty()) {
        return lack;
      }
    }
    return "";
  }

  // The data of the primary has to fit into a smaller node.
  std::optional<RollStep> weigh(const CacheCluster& member) const {
    const auto* now = find_node_type(effective_settings(member).node_type);
    const auto* later = find_node_type(roll_.target.node_type);
    if (now == nullptr || later == nullptr || later->memory_bytes >= now->memory_bytes) {
      return std::nullopt;
    }
    const auto* seen = observed_.find(NodeKey{roll_.primary, NodeId("0001")});
    if (seen == nullptr || seen->used_memory == 0) {
      return wait(fmt::format("waits for the size of the data of {}", roll_.primary.str()));
    }
    if (seen->used_memory > roll_.room) {
      RollStep unfit =
          step(RollStepKind::kGiveUp, member,
               fmt::format("the node has insufficient memory: {} bytes are in use, {} fit",
                           seen->used_memory, roll_.room));
      unfit.too_small = true;
      return unfit;
    }
    return std::nullopt;
  }

  // Another program or another directive that only a restart brings.
  bool has_to_restart(const CacheCluster& member, const NodeObservation& seen) const {
    const Node& node = member.nodes[0];
    return node.renew && seen.outdated && seen.generation >= node.generation;
  }

  RollStep proceed(const CacheCluster& member) const {
    const Node& node = member.nodes[0];
    const auto* seen = seen_of(observed_, member);
    const auto lack = missing(observed_, member, role_of(member));
    if (node.status == "rebooting") {
      return lack.empty() ? finish(member) : be_patient(member, seen, lack);
    }
    if (seen == nullptr || !seen->ready || seen->edition != node.edition) {
      return be_patient(member, seen, member.id.str() + " to compare what it runs");
    }
    if (!seen->unservable.empty()) {
      return give_up_or_wait(member, seen->unservable);
    }
    if (has_to_restart(member, *seen)) {
      return restart(member);
    }
    return lack.empty() ? finish(member) : be_patient(member, seen, lack);
  }

  static RollStep finish(const CacheCluster& member) {
    return step(RollStepKind::kFinish, member, member.id.str() + " runs what it should");
  }

  RollStep restart(const CacheCluster& member) const {
    if (auto lack = missing_of_others(&member); !lack.empty()) {
      return wait("waits for " + lack);
    }
    if (role_of(member) == Role::kReplica || roll_.members.size() == 1) {
      return step(RollStepKind::kRestart, member, member.id.str() + " is restarted");
    }
    if (now_ >= member.nodes[0].restart_at + kSyncPatience) {
      return give_up_or_wait(member, "no other member could take its place");
    }
    if (now_ < roll_.switchover_from) {
      return wait(fmt::format("waits before it tries again to put another member in the place of "
                              "{}",
                              member.id.str()),
                  roll_.switchover_from - now_);
    }
    const CacheCluster* heir = nullptr;
    for (const CacheCluster* other : roll_.members) {
      const bool better =
          heir == nullptr || (differs(*heir, roll_.target) && !differs(*other, roll_.target));
      heir = other != &member && better ? other : heir;
    }
    return step(RollStepKind::kSwitchOver, *heir,
                fmt::format("{} takes the place of {}", heir->id.str(), member.id.str()));
  }

  // One that saves its data still runs.
  RollStep be_patient(const CacheCluster& member, const NodeObservation* seen,
                      const std::string& lack) const {
    const bool runs = seen != nullptr && !seen->dead();
    const Instant end = member.nodes[0].restart_at + (runs ? kSyncPatience : kRestartPatience);
    if (now_ < end) {
      return wait("waits for " + lack, end - now_);
    }
    return give_up_or_wait(member, "it waited in vain for " + lack);
  }

  RollStep give_up_or_wait(const CacheCluster& member, const std::string& reason) const {
    const bool led_by_target =
        std::any_of(roll_.members.begin(), roll_.members.end(), [&](const auto* other) {
          return role_of(*other) == Role::kPrimary && !is_in_hand(*other) &&
                 !differs(*other, roll_.target);
        });
    const bool nothing_before = changes_between(roll_.before, roll_.target).empty();
    if (led_by_target || nothing_before) {
      return wait(fmt::format("waits for {}: {}", member.id.str(), reason));
    }
    return step(RollStepKind::kGiveUp, member, reason);
  }

  const Observed& observed_;
  const Roll& roll_;
  Instant now_;
};

}  // namespace

RollStep next_roll_step(const Observed& observed, const Roll& roll, Instant now) {
  return Stepper(observed, roll, now).next();
}

bool differs(const CacheCluster& member, const CacheSettings& target) {
  return !changes_between(member.settings, target).empty();
}

bool is_in_hand(const CacheCluster& member) {
  return !member.upgrade.empty() || (member.status == "modifying" && is_restarting(member));
}

}  // namespace hikae::core
