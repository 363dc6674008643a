#include <algorithm>

#include <fmt/format.h>

#include "core/reconcile/cluster_steps.h"
#include "core/reconcile/group_view.h"

// A group that takes over the data of a server outside of the region. Until the migration is
// completed its primary is a replica of that server, and the other members are replicas of the
// primary: what any of them loses it takes from there again.

namespace hikae::core {
namespace {

// What an idle primary sends its replicas now and then, behind the last write.
constexpr std::uint64_t kLongestSilentStream = 1024;

std::string source_of(const ReplicationGroup& group) {
  return fmt::format("{}:{}", group.migration.host, group.migration.port);
}

// nullptr: the primary's agent has not told yet what the source answered to this question.
const SourceAnswer* answer_of(const GroupView& view) {
  const auto* seen = seen_of(view.state, view.observed, view.group.node_groups[0].primary);
  const bool answered = seen != nullptr && seen->source.deadline == view.group.migration.deadline;
  return answered ? &seen->source : nullptr;
}

Plan change(const GroupView& view, ReplicationGroup next, std::string event) {
  Plan plan;
  EventWriter events(view.state, view.context.now);
  events.add(kSourceReplicationGroup, next.id.str(), event);
  plan.reason = std::move(event);
  plan.transition.put(std::move(next));
  events.finish(plan.transition);
  return plan;
}

Plan wait(const GroupView& view, std::string reason) {
  Plan plan;
  plan.reason = std::move(reason);
  plan.recheck_after = view.group.migration.deadline - view.context.now;
  return plan;
}

// Nothing of the group was changed yet.
Plan settle_check(const GroupView& view) {
  ReplicationGroup next = view.group;
  const bool test = next.migration.stage == "testing";
  const std::string source = source_of(next);
  const SourceAnswer* answer = answer_of(view);
  if (answer == nullptr && view.context.now < next.migration.deadline) {
    return wait(view, fmt::format("waits for what {} answers", source));
  }
  const std::string problem = answer == nullptr ? "nobody could ask it in time" : answer->problem;
  if (problem.empty() && !test) {
    next.migration.stage = "following";
    next.migration.deadline = {};
    return change(view, std::move(next),
                  fmt::format("Migration from {} to replication group {} has started", source,
                              view.group.id.str()));
  }
  next.migration = {};
  next.status = "available";
  const std::string what = test ? "Test migration" : "Migration";
  return change(
      view, std::move(next),
      fmt::format("{} from {} to replication group {} {}", what, source, view.group.id.str(),
                  problem.empty() ? "succeeded" : "failed: " + problem));
}

// What a member still lacks of the source's data, in words.
std::string lack_of_sync(const GroupView& view) {
  const auto* primary = seen_of(view.state, view.observed, view.group.node_groups[0].primary);
  for (const CacheCluster* member : view.members) {
    if (auto lack = missing(view.observed, *member, view.role_of(member->id)); !lack.empty()) {
      return lack;
    }
    const auto* seen = seen_of(view.state, view.observed, member->id);
    if (primary == nullptr || seen->stream != primary->stream) {
      return fmt::format("{} to synchronise", member->id.str());
    }
  }
  return "";
}

// A leader that begins knows nothing of members whose agents have not told it yet.
bool heard_of_all(const GroupView& view) {
  return std::all_of(view.members.begin(), view.members.end(), [&](const CacheCluster* member) {
    return seen_of(view.state, view.observed, member->id) != nullptr;
  });
}

Plan settle_sync(const GroupView& view) {
  const std::string lack = lack_of_sync(view);
  const std::string source = source_of(view.group);
  if (lack.empty() != view.group.migration.in_sync && heard_of_all(view)) {
    ReplicationGroup next = view.group;
    next.migration.in_sync = lack.empty();
    return change(view, std::move(next),
                  fmt::format("Replication group {} is {} sync with {}", view.group.id.str(),
                              lack.empty() ? "in" : "no longer in", source));
  }
  Plan plan;
  plan.reason = lack.empty() ? fmt::format("follows {} until its migration is completed", source)
                             : "waits for " + lack;
  plan.settled = lack.empty();
  return plan;
}

Plan complete(const GroupView& view, const SourceAnswer& answer) {
  ReplicationGroup next = view.group;
  next.migration = {};
  const std::string gap =
      answer.writes_paused
          ? ""
          : "; the source went on taking writes, and the newest of them are not here";
  return change(view, std::move(next),
                fmt::format("Migration from {} to replication group {} completed{}",
                            source_of(view.group), view.group.id.str(), gap));
}

// The source holds back its writes, so what the primary has at that offset is everything.
Plan cut_over(const GroupView& view) {
  const auto* primary = seen_of(view.state, view.observed, view.group.node_groups[0].primary);
  const SourceAnswer* answer = answer_of(view);
  std::string lack = lack_of_sync(view);
  if (lack.empty() && answer == nullptr) {
    lack = "the source to hold back its writes";
  } else if (lack.empty() && !answer->problem.empty()) {
    lack = "the source: " + answer->problem;
  } else if (lack.empty()) {
    const std::uint64_t has = primary->replication_offset;
    const bool all = has >= answer->offset &&
                     (!answer->writes_paused || has - answer->offset <= kLongestSilentStream);
    if (all) {
      return complete(view, *answer);
    }
    lack = fmt::format("{} to have all that the source wrote",
                       view.group.node_groups[0].primary.str());
  }
  if (view.context.now < view.group.migration.deadline) {
    return wait(view, "waits for " + lack);
  }
  ReplicationGroup next = view.group;
  next.migration.stage = "following";
  next.migration.deadline = {};
  return change(view, std::move(next),
                fmt::format("Migration from {} to replication group {} was not completed, and goes "
                            "on: it waited for {}",
                            source_of(view.group), view.group.id.str(), lack));
}

}  // namespace

Plan migrate(const GroupView& view) {
  const Migration& migration = view.group.migration;
  if (!migration.under_way()) {
    return {};
  }
  if (!migration.follows()) {
    return settle_check(view);
  }
  return migration.stage == "completing" ? cut_over(view) : settle_sync(view);
}

}  // namespace hikae::core
