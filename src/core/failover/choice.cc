#include "core/failover/choice.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "core/failover/confirmed_writes.h"
#include "core/failover/disk_leader.h"
#include "core/failover/fence.h"
#include "core/failover/lease.h"

namespace hikae::core {
namespace {

int nodes_in_zone(const State& state, const NodeGroup& node_group, const ZoneName& zone) {
  return int(std::count_if(
      node_group.members.begin(), node_group.members.end(), [&](const CacheClusterId& id) {
        const auto* cluster = state.find<CacheCluster>(id);
        return cluster != nullptr && !cluster->nodes.empty() && cluster->nodes[0].zone == zone;
      }));
}

// True when `a` should lead rather than `b`: the greater offset, then the zone with fewer members,
// then the lower id.
bool leads_before(const State& state, const NodeGroup& node_group, const Member& a,
                  const Member& b) {
  if (a.seen->replication_offset != b.seen->replication_offset) {
    return a.seen->replication_offset > b.seen->replication_offset;
  }
  const int in_a = nodes_in_zone(state, node_group, a.cluster->nodes[0].zone);
  const int in_b = nodes_in_zone(state, node_group, b.cluster->nodes[0].zone);
  return in_a != in_b ? in_a < in_b : a.cluster->id < b.cluster->id;
}

// A process that came back, or reads another stream than its replicas, says nothing of what they
// lack.
void tell_loss(FailoverDecision& decision, const NodeObservation& before,
               const NodeObservation& after) {
  const bool other = !before.stream.empty() && !after.stream.empty() &&
                     before.stream != after.stream && before.stream != after.previous_stream;
  if (!before.dead() || other) {
    return;
  }
  const std::uint64_t had = before.replication_offset;
  const std::uint64_t has = after.replication_offset;
  decision.bytes_at_risk = had > has ? had - has : 0;
  decision.offset_read = before.offset_read;
}

std::vector<Member> heard_of(const Observed& observed, std::vector<Member> members) {
  std::erase_if(members, [&](const Member& one) { return !has_answered(observed, one); });
  return members;
}

// The primary lives, so nobody was asked but who may be about to restart: whoever is not on a host
// that fell silent.
std::vector<Member> in_reach(const Observed& observed, std::vector<Member> members) {
  std::erase_if(members, [&](const Member& one) {
    return observed.silent.contains(one.cluster->nodes[0].host) ||
           (is_to_restart(one) && !has_answered(observed, one));
  });
  return members;
}

const Member& best_of(const State& state, const NodeGroup& node_group,
                      const std::vector<Member>& members) {
  const Member* best = &members.front();
  for (const Member& one : members) {
    best = leads_before(state, node_group, one, *best) ? &one : best;
  }
  return *best;
}

// Offsets mean the same only within one stream. Who is at the one that it went on from has nothing
// of what was confirmed in it since, and so has answered, too.
struct Witnesses {
  std::vector<Member> of_stream;
  int earlier = 0;  // at the stream before
  int count() const { return int(of_stream.size()) + earlier; }
};

using ByStream = std::map<std::string, std::vector<Member>>;

// One that still promises its primary not to lead has not told its last word.
ByStream answers_by_stream(const State& state, const Observed& observed,
                           const std::vector<Member>& members) {
  ByStream out;
  for (const Member& member : members) {
    if (answer_of(state, observed, member.cluster->id) != nullptr && member.seen->surveyed &&
        !member.seen->promised) {
      out[member.seen->stream].push_back(member);
    }
  }
  return out;
}

Witnesses witnesses_of(const std::vector<Member>& of_stream, const ByStream& answers) {
  std::set<std::string> before;
  for (const Member& member : of_stream) {
    before.insert(member.seen->previous_stream);
  }
  before.erase("");
  Witnesses out{of_stream};
  for (const std::string& stream : before) {
    const auto earlier = answers.find(stream);
    out.earlier += earlier == answers.end() ? 0 : int(earlier->second.size());
  }
  return out;
}

// Of the stream with the most of them.
Witnesses witnesses(const State& state, const Observed& observed,
                    const std::vector<Member>& members) {
  const ByStream answers = answers_by_stream(state, observed, members);
  Witnesses most;
  for (const auto& [stream, of_stream] : answers) {
    Witnesses here = witnesses_of(of_stream, answers);
    if (here.count() > most.count()) {
      most = std::move(here);
    }
  }
  return most;
}

// In a group in which confirmed writes survive: nobody leads before so many have answered that one
// of them has all of those. `gone`: why the primary is replaced, and for how long that is known.
FailoverDecision choose_confirmed(const State& state, const Observed& observed,
                                  const NodeGroup& node_group, const std::vector<Member>& all,
                                  const std::string& gone, Duration waited) {
  FailoverDecision out;
  out.stage = FailoverStage::kChoosing;
  const auto heard = witnesses(state, observed, all);
  const int needed = witnesses_needed(state, observed, node_group);
  if (heard.count() < needed) {
    out.awaits_confirmed = waited >= kNewsBound;
    out.recheck_after = out.awaits_confirmed ? kNewsBound : kNewsBound - waited;
    out.reason = fmt::format(
        "{}; {} replicas that hold a copy have to answer and {} did: others may have writes that "
        "clients had confirmed",
        gone, needed, heard.count());
    return out;
  }
  const bool settled =
      std::all_of(all.begin(), all.end(), [](const Member& m) { return m.seen->offset_settled; });
  if (!settled && waited < kSurveyBound) {
    out.reason = gone + "; replicas take in what it had sent";
    out.recheck_after = kSurveyBound - waited;
    return out;
  }
  const Member& best = best_of(state, node_group, heard.of_stream);
  out.stage = FailoverStage::kDecided;
  out.new_primary = best.cluster->id;
  out.reason =
      fmt::format("{}; {} has the greatest offset of {} ({}), and {} had to answer", gone,
                  out.new_primary.str(), heard.count(), best.seen->replication_offset, needed);
  return out;
}

// No replica that answers holds a copy.
FailoverDecision choose_from_disk(const State& state, const Observed& observed,
                                  const NodeGroup& node_group, const Member& primary) {
  FailoverDecision out;
  if (awaits_replica(state, observed, node_group)) {
    const Duration waited = observed.dead_for(primary.key);
    out.stage = FailoverStage::kChoosing;
    out.reason = fmt::format("{} is dead; waits for a replica to answer", node_group.primary.str());
    const Duration bound = waited < kNewsBound ? kNewsBound : kSilenceBound;
    out.recheck_after = std::max(bound - waited, Duration());
    return out;
  }
  if (const auto from_disk = disk_leader(state, observed, node_group)) {
    const Member leader = member_of(state, observed, *from_disk);
    out.stage = FailoverStage::kDecided;
    out.new_primary = *from_disk;
    tell_loss(out, *primary.seen, *leader.seen);
    out.reason = fmt::format("{} is dead, no process holds a copy, and {} has the most on disk",
                             node_group.primary.str(), from_disk->str());
    return out;
  }
  out.reason = fmt::format("{} is dead and no replica holds a copy", node_group.primary.str());
  return out;
}

// How long a replica may be late with what it has promised while others have answered.
constexpr Duration kLateBound = std::chrono::milliseconds(100);

bool has_promised(const Member& member) {
  return member.seen->promised;
}

// The member is counted on by a primary with a keeper, and its agent has told since that one fell
// silent that the member has not followed it for longer than it counts. (One with the module, which
// may be new there, means something else by its promise.)
bool denies_to_follow(const State& state, const Observed& observed, const Member& member,
                      const Member& primary, const NodeGroup& node_group) {
  const auto* seen = answer_of(state, observed, member.cluster->id);
  if (seen == nullptr || !is_counted_on(member, primary, node_group)) {
    return false;
  }
  return seen->dead() ? observed.dead_for(member.key) > follow_bond()
                      : seen->kept && seen->surveyed && !seen->promised;
}

// It takes no writes: without each of those that it counts on it has no lease.
bool is_left(const State& state, const Observed& observed, const NodeGroup& node_group,
             const Member& primary) {
  const auto& members = node_group.members;
  return std::any_of(members.begin(), members.end(), [&](const CacheClusterId& id) {
    const Member member = member_of(state, observed, id);
    return member.cluster != nullptr && !member.cluster->nodes.empty() &&
           denies_to_follow(state, observed, member, primary, node_group);
  });
}

// How far the old one had come when it was last heard of, if it ever was.
void tell_risk_in_silence(FailoverDecision& decision, const State& state, const Observed& observed,
                          const Member& primary) {
  const Member chosen = member_of(state, observed, decision.new_primary);
  if (primary.seen != nullptr && chosen.seen != nullptr) {
    const std::uint64_t had = primary.seen->replication_offset;
    const std::uint64_t has = chosen.seen->replication_offset;
    decision.bytes_at_risk = had > has ? had - has : 0;
    decision.offset_read = primary.seen->offset_read;
  }
}

// The primary is dead or came back empty, and a replica may have writes that were confirmed.
FailoverDecision choose_holder(const State& state, const Observed& observed,
                               const NodeGroup& node_group, const Member& primary) {
  const std::string gone = fmt::format("{} {}", node_group.primary.str(),
                                       primary.seen->dead() ? "is dead" : "came back empty");
  auto holders = candidates(state, observed, node_group);
  for (const CacheClusterId& id : node_group.members) {
    if (const Member member = member_of(state, observed, id); has_copy_early(member)) {
      holders.push_back(member);
    }
  }
  // One that came back has no more to send.
  const Duration waited = primary.seen->dead() ? observed.dead_for(primary.key) : kNewsBound;
  FailoverDecision out = choose_confirmed(state, observed, node_group, holders, gone, waited);
  if (out.stage == FailoverStage::kDecided) {
    tell_loss(out, *primary.seen, *member_of(state, observed, out.new_primary).seen);
  }
  return out;
}

}  // namespace

FailoverDecision choose_in_silence(const State& state, const Observed& observed,
                                   const NodeGroup& node_group, const Member& primary) {
  FailoverDecision out;
  const Node& node = primary.cluster->nodes[0];
  const Duration waited = observed.now - observed.silent.at(node.host);
  out.stage = FailoverStage::kChoosing;
  const std::string silence = fmt::format("nothing is heard of host {} of {} and its lease is over",
                                          node.host.str(), node_group.primary.str());
  auto all = candidates(state, observed, node_group);
  std::erase_if(all, [&](const Member& m) { return !is_counted_on(m, primary, node_group); });
  const bool goes_on = node.kept ? !is_left(state, observed, node_group, primary)
                                 : std::all_of(all.begin(), all.end(), has_promised);
  if (!all.empty() && goes_on) {
    out.reason = silence + "; its replicas follow it and let it go on";
    out.recheck_after = kNewsBound;
    return out;
  }
  if (confirmations_of(state, node_group) > 0) {
    out = choose_confirmed(state, observed, node_group, all, silence, waited);
    tell_risk_in_silence(out, state, observed, primary);
    return out;
  }
  const auto heard = heard_of(observed, all);
  const bool settled = std::all_of(heard.begin(), heard.end(),
                                   [](const Member& m) { return m.seen->offset_settled; });
  const Duration bound = heard.size() < all.size() ? kLateBound
                         : settled                 ? Duration()
                                                   : kSurveyBound;
  if (heard.empty() || waited < bound) {
    out.reason = fmt::format("{}; {} of {} replicas that it counts on have answered{}", silence,
                             heard.size(), all.size(), settled ? "" : ", and still take in more");
    out.recheck_after = std::max(bound - waited, Duration());
    return out;
  }
  const Member& best = best_of(state, node_group, heard);
  out.stage = FailoverStage::kDecided;
  out.new_primary = best.cluster->id;
  tell_risk_in_silence(out, state, observed, primary);
  out.reason = fmt::format("{}; {} has the greatest offset of {} ({})", silence,
                           out.new_primary.str(), heard.size(), best.seen->replication_offset);
  return out;
}

FailoverDecision choose(const State& state, const Observed& observed, const NodeGroup& node_group,
                        const Member& primary) {
  if (keeps_confirmed(state, observed, node_group)) {
    return choose_holder(state, observed, node_group, primary);
  }
  const auto all = candidates(state, observed, node_group);
  if (all.empty()) {
    return choose_from_disk(state, observed, node_group, primary);
  }
  FailoverDecision out;
  const bool dead = primary.seen->dead();
  const Duration waited = observed.dead_for(primary.key);
  const bool settled =
      std::all_of(all.begin(), all.end(), [](const Member& m) { return m.seen->offset_settled; });
  const auto choice = dead ? heard_of(observed, all) : in_reach(observed, all);
  if (choice.empty()) {
    // They could not be told to lead either.
    out.stage = FailoverStage::kChoosing;
    out.reason = fmt::format("{} {}; no replica that holds a copy has answered yet",
                             node_group.primary.str(), dead ? "is dead" : "came back empty");
    out.recheck_after = kNewsBound;
    return out;
  }
  if (dead && !settled && waited < kSurveyBound) {
    out.stage = FailoverStage::kChoosing;
    out.reason =
        fmt::format("{} is dead; replicas take in what it had sent", node_group.primary.str());
    out.recheck_after = kSurveyBound - waited;
    return out;
  }
  const Member& best = best_of(state, node_group, choice);
  out.stage = FailoverStage::kDecided;
  out.new_primary = best.cluster->id;
  const std::uint64_t has = best.seen->replication_offset;
  tell_loss(out, *primary.seen, *best.seen);
  out.reason =
      fmt::format("{} {}; {} has the greatest offset of {} ({})", node_group.primary.str(),
                  dead ? "is dead" : "came back empty", out.new_primary.str(), choice.size(), has);
  return out;
}

}  // namespace hikae::core
