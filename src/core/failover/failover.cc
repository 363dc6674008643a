#include "core/failover/failover.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include <fmt/format.h>

#include "core/failover/confirmed_writes.h"
#include "core/failover/disk_leader.h"
#include "core/failover/fence.h"
#include "core/reconcile/cluster_steps.h"

namespace hikae::core {
namespace {

struct Member {
  NodeKey key;
  const CacheCluster* cluster = nullptr;
  const NodeObservation* seen = nullptr;  // nullptr: not observed yet
};

Member member_of(const State& state, const Observed& observed, const CacheClusterId& id) {
  Member member;
  member.cluster = state.find<CacheCluster>(id);
  if (member.cluster != nullptr && !member.cluster->nodes.empty()) {
    member.key = NodeKey{id, member.cluster->nodes[0].id};
    member.seen = observed.find(id, member.cluster->nodes[0]);
  }
  return member;
}

// A member that is to be restarted loses its copy in a moment.
bool is_in_service(const Member& member) {
  return member.cluster != nullptr && member.cluster->status != "deleting" &&
         member.cluster->status != "creating" && !is_restarting(*member.cluster);
}

bool can_lead(const Member& member) {
  return is_in_service(member) && member.seen != nullptr && !member.seen->dead() &&
         !member.seen->hung && member.seen->ready && member.seen->role == Role::kReplica &&
         member.seen->synced;
}

// Whoever may hold a copy, now or once it answers. Only certainty rules a replica out; one that was
// seen dead or without a copy may have got it since (`unheard`: its agent did not tell anything
// since; `in_time`: there is time to wait for news).
bool may_lead_yet(const Member& member, bool unheard, bool in_time) {
  if (!is_in_service(member)) {
    return false;
  }
  if (member.seen == nullptr) {
    return true;
  }
  const bool old_news = unheard || (!member.seen->dead() && !member.seen->surveyed);
  if (in_time && old_news) {
    return true;
  }
  return !member.seen->dead() && (member.seen->synced || !member.seen->ready);
}

// Chosen, and before its promotion its process came back empty.
bool came_back_empty(const NodeObservation& primary) {
  return !primary.dead() && primary.ready && primary.role == Role::kReplica && !primary.synced &&
         !primary.promoting;
}

// A primary that holds back writes still sends its replicas a ping now and then.
constexpr std::uint64_t kLongestSilentStream = 1024;

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

// It is being made and has its copy already. While nobody else can take writes, that is enough.
bool has_copy_early(const Member& member) {
  return member.cluster != nullptr && member.cluster->status == "creating" &&
         member.seen != nullptr && !member.seen->dead() && !member.seen->hung &&
         member.seen->ready && member.seen->role == Role::kReplica && member.seen->synced;
}

std::vector<Member> candidates(const State& state, const Observed& observed,
                               const NodeGroup& node_group) {
  std::vector<Member> out;
  for (const CacheClusterId& id : node_group.members) {
    const Member member = member_of(state, observed, id);
    if (id != node_group.primary && can_lead(member)) {
      out.push_back(member);
    }
  }
  return out;
}

// While it follows a server outside, its primary has nothing that is not there: it is brought back
// where it was and takes it over again.
bool wants_failover(const ReplicationGroup& group, const NodeGroup& node_group) {
  return group.status != "deleting" && !group.migration.follows() &&
         (group.automatic_failover == "enabled" || group.automatic_failover == "enabling" ||
          node_group.taking_over);
}

// Nobody can say what became of it, but it takes no writes by a server's word.
bool is_cut_off(const Observed& observed, const Member& primary) {
  return primary.cluster != nullptr && !primary.cluster->nodes.empty() &&
         (primary.seen == nullptr || !primary.seen->dead()) &&
         lease_is_over(observed, primary.cluster->nodes[0]);
}

bool failover_is_on(const ReplicationGroup& group, const NodeGroup& node_group) {
  return group.status != "creating" && wants_failover(group, node_group);
}

// A replica that may hold a copy has not told yet whether it does.
bool awaits_replica(const State& state, const Observed& observed, const NodeGroup& node_group) {
  const Member primary = member_of(state, observed, node_group.primary);
  const Duration waited = observed.dead_for(primary.key);
  return std::any_of(node_group.members.begin(), node_group.members.end(),
                     [&](const CacheClusterId& id) {
                       const Member member = member_of(state, observed, id);
                       const bool unheard = observed.unheard.contains(member.key);
                       const bool in_time = waited < (unheard ? kSilenceBound : kNewsBound);
                       return id != node_group.primary && may_lead_yet(member, unheard, in_time);
                     });
}

// A replica may have writes that clients had confirmed, so the primary's place is kept for it.
bool keeps_confirmed(const State& state, const Observed& observed, const NodeGroup& node_group) {
  return confirmations_of(state, node_group) > 0 && may_be_held(state, observed, node_group);
}

// That it is lost belongs into the state before it comes back, maybe empty: afterwards nobody sees.
bool is_loss_unnoted(const Member& primary) {
  return primary.cluster != nullptr && primary.cluster->status == "available" &&
         !primary.cluster->nodes[0].recovering;
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

// Whoever does not answer may be dead already, or have come back without its copy.
std::vector<Member> heard_of(const Observed& observed, const std::vector<Member>& members) {
  std::vector<Member> out;
  std::copy_if(members.begin(), members.end(), std::back_inserter(out), [&](const Member& member) {
    return member.seen->surveyed && !observed.unheard.contains(member.key);
  });
  return out;
}

// The primary lives, so nobody was asked: whoever is not on a host that fell silent.
std::vector<Member> in_reach(const Observed& observed, std::vector<Member> members) {
  std::erase_if(members, [&](const Member& member) {
    return observed.silent.contains(member.cluster->nodes[0].host);
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

// The last lease of a primary whose host cannot be asked is over. It takes writes only if all of
// its replicas promise it not to lead; so one that did not has to be heard, and that one may lead.
FailoverDecision choose_in_silence(const State& state, const Observed& observed,
                                   const NodeGroup& node_group, const Member& primary) {
  FailoverDecision out;
  const Node& node = primary.cluster->nodes[0];
  const Duration waited = observed.now - observed.silent.at(node.host);
  out.stage = FailoverStage::kChoosing;
  const std::string silence = fmt::format("nothing is heard of host {} of {} and its lease is over",
                                          node.host.str(), node_group.primary.str());
  auto all = candidates(state, observed, node_group);
  std::erase_if(all, [&](const Member& m) { return !is_counted_on(*m.seen, node_group); });
  if (!all.empty() && std::all_of(all.begin(), all.end(), has_promised)) {
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

FailoverDecision switch_over(const State& state, const Observed& observed,
                             const NodeGroup& node_group, const Member& primary, Instant now) {
  FailoverDecision out;
  const Member target = member_of(state, observed, node_group.switchover_target);
  if (now >= node_group.switchover_deadline || !can_lead(target)) {
    out.stage = FailoverStage::kGivenUp;
    out.reason = fmt::format("{} did not catch up in time; nothing was changed",
                             node_group.switchover_target.str());
    return out;
  }
  // Offsets mean the same only within one stream: a link that is down, or an offset far beyond the
  // primary's, is one of a stream before. And what the target said before it was asked may be from
  // before it, or the primary, was restarted.
  const bool answered = target.seen->surveyed && !observed.unheard.contains(target.key) &&
                        target.seen->stream == primary.seen->stream;
  const std::uint64_t wrote = primary.seen->replication_offset;
  const std::uint64_t has = target.seen->replication_offset;
  if (!primary.seen->writes_paused || !answered || !target.seen->link_up || has < wrote ||
      has - wrote > kLongestSilentStream) {
    out.stage = FailoverStage::kSwitching;
    out.reason = fmt::format("waits for {} to have all that {} wrote",
                             node_group.switchover_target.str(), node_group.primary.str());
    out.recheck_after = node_group.switchover_deadline - now;
    return out;
  }
  out.stage = FailoverStage::kDecided;
  out.planned = true;
  out.new_primary = node_group.switchover_target;
  out.reason = fmt::format("{} holds back writes and {} has them all", node_group.primary.str(),
                           out.new_primary.str());
  return out;
}

}  // namespace

FailoverDecision decide_failover(const State& state, const Observed& observed,
                                 const ReplicationGroup& group, const NodeGroup& node_group,
                                 Instant now) {
  FailoverDecision out;
  const Member primary = member_of(state, observed, node_group.primary);
  if (is_cut_off(observed, primary) && failover_is_on(group, node_group)) {
    return choose_in_silence(state, observed, node_group, primary);
  }
  if (primary.cluster == nullptr || primary.seen == nullptr || is_restarting(*primary.cluster)) {
    out.reason = "the primary was not observed yet, or is being restarted";
    return out;
  }
  const bool dead = primary.seen->dead();
  if (!node_group.switchover_target.empty() && !dead) {
    return switch_over(state, observed, node_group, primary, now);
  }
  if (!failover_is_on(group, node_group)) {
    // A planned switchover whose primary died has nobody to wait for.
    out.stage =
        node_group.switchover_target.empty() ? FailoverStage::kHealthy : FailoverStage::kGivenUp;
    out.reason = "automatic failover is off";
    return out;
  }
  const bool replaceable = can_be_replaced(state, observed, group, node_group);
  if (dead && observed.may_start_again.contains(primary.key)) {
    // Its agent was once told that it may start it, and has not yet told what it made of that.
    out.stage = replaceable ? FailoverStage::kSuspect : FailoverStage::kHealthy;
    out.reason =
        fmt::format("{} was dead; asks its agent to leave it so", node_group.primary.str());
    return out;
  }
  const bool waited_for = replaceable || keeps_confirmed(state, observed, node_group);
  const bool empty = waited_for && came_back_empty(*primary.seen);
  if (empty && observed.may_be_promoted.contains(primary.key)) {
    out.stage = FailoverStage::kSuspect;
    out.reason =
        fmt::format("{} came back empty; asks its agent to leave it a replica", primary.key.str());
    return out;
  }
  if (dead || empty) {
    return choose(state, observed, node_group, primary);
  }
  if (primary.seen->hung && replaceable) {
    out.stage = FailoverStage::kSuspect;
    out.reason = fmt::format("{} hangs and is killed first", node_group.primary.str());
    return out;
  }
  if (primary.seen->role == Role::kReplica) {
    out.stage = FailoverStage::kPromoting;
    out.reason = fmt::format("{} is being promoted", node_group.primary.str());
    return out;
  }
  out.reason = "the primary serves";
  return out;
}

Monotonic fault_of(const Observed& observed, const NodeKey& primary, const HostId& host) {
  const auto* seen = observed.find(primary);
  if (seen != nullptr && seen->dead()) {
    return seen->fault_seen;
  }
  const auto silent = observed.silent.find(host);
  return silent == observed.silent.end() ? observed.now : silent->second;
}

bool holds_dead_primary(const State& state, const Observed& observed, const ReplicationGroup& group,
                        const NodeGroup& node_group) {
  const Member primary = member_of(state, observed, node_group.primary);
  if (!wants_failover(group, node_group) ||
      (primary.cluster != nullptr && is_restarting(*primary.cluster))) {
    return false;
  }
  const bool alive = primary.seen != nullptr && !primary.seen->dead();
  return alive || (failover_is_on(group, node_group) &&
                   (awaits_replica(state, observed, node_group) ||
                    keeps_confirmed(state, observed, node_group) ||
                    disk_leader(state, observed, node_group) || is_loss_unnoted(primary)));
}

std::uint64_t start_limit(const ReplicationGroup& group, const NodeGroup& node_group,
                          const NodeObservation* primary) {
  if (!wants_failover(group, node_group)) {
    return 0;
  }
  if (primary == nullptr) {
    return 1;
  }
  return primary->starts + (primary->dead() ? 1 : 0);
}

bool can_be_replaced(const State& state, const Observed& observed, const ReplicationGroup& group,
                     const NodeGroup& node_group) {
  return failover_is_on(group, node_group) && !candidates(state, observed, node_group).empty();
}

bool is_fenced(const State& state, const Observed& observed, const NodeGroup& node_group,
               const CacheClusterId& member) {
  for (const CacheClusterId& id : node_group.members) {
    const Member other = member_of(state, observed, id);
    if (id == member || other.cluster == nullptr) {
      continue;
    }
    const bool replica = other.seen != nullptr && !other.seen->dead() &&
                         other.seen->role == Role::kReplica && !other.seen->promoting &&
                         !observed.may_be_promoted.contains(other.key);
    // Dead, and nobody starts it again as a primary before we say so.
    const bool stays_dead = other.seen != nullptr && other.seen->dead() &&
                            !observed.may_start_again.contains(other.key);
    const bool closed = is_cut_off(observed, other);
    const bool removed = other.cluster->status == "deleting" && released(observed, *other.cluster);
    if (!replica && !stays_dead && !closed && !removed) {
      return false;
    }
  }
  return true;
}

bool may_promote_primary(const State& state, const Observed& observed,
                         const ReplicationGroup& group, const NodeGroup& node_group) {
  const Member primary = member_of(state, observed, node_group.primary);
  const bool to_be_replaced =
      primary.seen != nullptr && came_back_empty(*primary.seen) &&
      (can_be_replaced(state, observed, group, node_group) ||
       (failover_is_on(group, node_group) && keeps_confirmed(state, observed, node_group)));
  return !to_be_replaced && !observed.deciding.contains(group.id) &&
         is_fenced(state, observed, node_group, node_group.primary);
}

}  // namespace hikae::core
