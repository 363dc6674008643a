#include "core/reconcile/update_steps.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/strings.h"
#include "core/catalog/catalog.h"
#include "core/state/events.h"
#include "core/state/updates.h"

namespace hikae::core {
namespace {

// Updates of one engine that are remembered; the oldest leaves with all that was done with it.
constexpr std::size_t kMostUpdates = 20;

// `8.0.2` -> `8.0`.
std::string series(std::string_view version) {
  auto parts = split(version, '.');
  parts.resize(2, "0");
  return join(parts, ".");
}

class Follower {
 public:
  Follower(const State& state, const Observed& observed, const UpdateUnit& unit, Instant now)
      : state_(state), observed_(observed), unit_(unit), now_(now), events_(state, now) {}

  Plan follow() {
    for (const CacheCluster* member : unit_.members) {
      for (const Node& node : member->nodes) {
        const auto* seen = observed_.find(member->id, node);
        if (seen != nullptr && !seen->newer_program.empty()) {
          offer(*seen);
        }
      }
    }
    for (const auto& [id, action] : actions()) {
      settle(action);
    }
    events_.finish(plan_.transition);
    return std::move(plan_);
  }

 private:
  using Actions = std::map<UpdateActionId, UpdateAction>;

  Actions actions() const {
    Actions out = new_;
    for (const UpdateAction* action : update_actions_of(state_, unit_.group, unit_.cluster)) {
      out.emplace(action->id, *action);
    }
    return out;
  }

  void offer(const NodeObservation& seen) {
    const ServiceUpdateName name = update_name(seen.newer_program);
    const std::size_t blank = seen.newer_program.find(' ');
    const auto id = update_action_id(unit_.group, unit_.cluster, name);
    if (blank == std::string::npos || state_.find<UpdateAction>(id) != nullptr) {
      return;
    }
    const ServiceUpdate update{name, seen.newer_program.substr(0, blank),
                               seen.newer_program.substr(blank + 1), now_};
    if (find_after<ServiceUpdate>(state_, plan_.transition, name) == nullptr) {
      make_room(update.engine);
      plan_.transition.put(update);
    }
    auto [it, fresh] = new_.try_emplace(id);
    UpdateAction& action = it->second;
    if (fresh) {
      action.id = id;
      action.update = name;
      action.replication_group = unit_.group;
      action.cluster = unit_.cluster;
      action.minor = true;
      action.available_at = action.modified_at = now_;
    }
    action.minor = action.minor && series(seen.running_version) == series(update.version);
  }

  void make_room(const std::string& engine) {
    const ServiceUpdate* oldest = nullptr;
    std::size_t count = 0;
    for (const auto& [name, update] : state_.all<ServiceUpdate>()) {
      if (update.engine == engine) {
        ++count;
        oldest = oldest == nullptr || update.released_at < oldest->released_at ? &update : oldest;
      }
    }
    if (count < kMostUpdates) {
      return;
    }
    for (const auto& [id, action] : state_.all<UpdateAction>()) {
      if (action.update == oldest->name) {
        plan_.transition.remove<UpdateAction>(id);
      }
    }
    plan_.transition.remove<ServiceUpdate>(oldest->name);
  }

  const NodeObservation* known(const NodeKey& key) const {
    const auto* seen = observed_.find(key);
    return seen != nullptr && seen->ready && !seen->running_version.empty() ? seen : nullptr;
  }

  std::string node_status(const CacheCluster& member, const NodeUpdate& before,
                          const std::string& version) const {
    const auto* seen = known(before.node);
    if (before.status == "complete" ||
        (seen != nullptr && compare_versions(seen->running_version, version) >= 0)) {
      return "complete";
    }
    if (member.upgrade.updates()) {
      return "in-progress";
    }
    if (unit_.under_way) {
      return "waiting-to-start";
    }
    const bool was_asked = before.status == "waiting-to-start" || before.status == "in-progress" ||
                           before.status == "stopped";
    return was_asked ? "stopped" : "not-applied";
  }

  NodeUpdate settle_node(const CacheCluster& member, const Node& node, const UpdateAction& action,
                         const std::string& version) {
    NodeUpdate next;
    next.node = NodeKey{member.id, node.id};
    for (const NodeUpdate& one : action.nodes) {
      next = one.node == next.node ? one : next;
    }
    const std::string status = node_status(member, next, version);
    // Some agent is the first to tell of the newer program; the update is every node's.
    if (next.modified_at == Instant() && status != "complete") {
      events_.add(kSourceCacheCluster, member.id.str(),
                  fmt::format("Service update is available for cache node {}.", node.id.str()));
    }
    if (status == next.status && next.modified_at != Instant()) {
      return next;
    }
    if (status == "in-progress") {
      next.started_at = now_;
    } else if (status == "complete" && next.started_at != Instant()) {
      next.ended_at = now_;
    }
    next.status = status;
    next.modified_at = now_;
    return next;
  }

  static bool any(const UpdateAction& action, std::string_view status) {
    return std::any_of(action.nodes.begin(), action.nodes.end(),
                       [&](const NodeUpdate& node) { return node.status == status; });
  }

  // Some node tells that it would come, or cannot be asked.
  bool is_offered(const UpdateAction& action) const {
    return std::any_of(action.nodes.begin(), action.nodes.end(), [&](const NodeUpdate& node) {
      const auto* seen = known(node.node);
      return node.status != "complete" &&
             (seen == nullptr || update_name(seen->newer_program) == action.update);
    });
  }

  std::string action_status(const UpdateAction& action) const {
    const auto& nodes = action.nodes;
    if (std::all_of(nodes.begin(), nodes.end(),
                    [](const NodeUpdate& node) { return node.status == "complete"; })) {
      return "complete";
    }
    const bool begun = any(action, "in-progress") ||
                       std::any_of(nodes.begin(), nodes.end(), [&](const NodeUpdate& node) {
                         return node.ended_at != Instant() && node.ended_at >= action.initiated_at;
                       });
    if (unit_.under_way) {
      return begun ? "in-progress" : "waiting-to-start";
    }
    if (any(action, "in-progress")) {
      return "stopping";
    }
    if (!is_offered(action)) {
      return "not-applicable";
    }
    return any(action, "stopped") ? "stopped" : "not-applied";
  }

  void settle(const UpdateAction& before) {
    const auto* update = find_after<ServiceUpdate>(state_, plan_.transition, before.update);
    if (update == nullptr) {
      return;
    }
    UpdateAction next = before;
    next.nodes.clear();
    for (const CacheCluster* member : unit_.members) {
      for (const Node& node : member->nodes) {
        if (member->status != "deleting") {
          next.nodes.push_back(settle_node(*member, node, before, update->version));
        }
      }
    }
    if (next.nodes.empty()) {
      return;
    }
    next.status = action_status(next);
    if (next.status != before.status) {
      next.modified_at = now_;
    }
    if (next == before) {
      return;
    }
    plan_.reason = fmt::format("service update {} is {}", update->name.str(), next.status);
    plan_.transition.put(std::move(next));
  }

  const State& state_;
  const Observed& observed_;
  const UpdateUnit& unit_;
  Instant now_;
  EventWriter events_;
  Actions new_;
  Plan plan_;
};

}  // namespace

Plan follow_updates(const State& state, const Observed& observed, const UpdateUnit& unit,
                    Instant now) {
  return Follower(state, observed, unit, now).follow();
}

const UpdateAction* automatic_update(const State& state, const ReplicationGroupId& group,
                                     const CacheClusterId& cluster, const CacheSettings& settings) {
  if (!settings.auto_minor_version_upgrade) {
    return nullptr;
  }
  for (const UpdateAction* action : update_actions_of(state, group, cluster)) {
    if (action->status == "not-applied" && action->minor) {
      return action;
    }
  }
  return nullptr;
}

UpdateAction begun(UpdateAction action, const std::string& initiated_by, Instant now) {
  action.status = "waiting-to-start";
  action.modified_at = action.initiated_at = now;
  action.initiated_by = initiated_by;
  for (NodeUpdate& node : action.nodes) {
    if (node.status != "complete") {
      node.status = "waiting-to-start";
      node.modified_at = now;
    }
  }
  return action;
}

NodeChanges renewal_of(const State& state) {
  NodeChanges out;
  out.renewal = state.revision().next();
  return out;
}

}  // namespace hikae::core
