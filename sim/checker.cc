#include "sim/checker.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/failover/failover.h"
#include "core/naming/names.h"
#include "core/state/invariants.h"

namespace hikae::sim {
namespace {

using core::CacheCluster;
using core::ReplicationGroup;
using core::ReplicationGroupId;

// Since it told of it, and the choice could not know: it has begun to take in another copy.
bool gave_up_its_place(const Engine& chosen) {
  return chosen.dying || (chosen.role == core::Role::kReplica && !chosen.has_copy);
}

// Another one is chosen in its place. Whoever has data leads with them, late when it has to load
// them first.
bool has_nothing(const Engine& chosen) {
  return chosen.dying || (gave_up_its_place(chosen) && chosen.data == History::kEmpty);
}

}  // namespace

void Checker::fail(std::string what) {
  if (!violation_) {
    env_.trace.line("VIOLATION", "{}", what);
    violation_ = std::move(what);
  }
}

void Checker::check() {
  std::map<ReplicationGroupId, const Engine*> writable;
  for (const auto& [pid, engine] : fleet_.all()) {
    const auto* cluster = store_.state().find<CacheCluster>(engine.node.cluster);
    if (!engine.writable(env_.timeline.now()) || cluster == nullptr ||
        cluster->replication_group.empty()) {
      continue;
    }
    const ReplicationGroupId& group = cluster->replication_group;
    if (!made_primary_.contains({group, cluster->id})) {
      fail(fmt::format("{} takes writes, but was never made primary of {}", engine.node.str(),
                       group.str()));
    }
    const auto [other, first] = writable.emplace(group, &engine);
    if (!first) {
      fail(fmt::format("{} and {} of {} both take writes", other->second->node.str(),
                       engine.node.str(), group.str()));
    }
  }
}

void Checker::on_publish(const core::NameRecord& record) {
  if (record.targets.empty()) {
    return;
  }
  const core::Region& region = store_.state().region();
  for (const auto& [id, group] : store_.state().all<ReplicationGroup>()) {
    for (const core::NodeGroup& node_group : group.node_groups) {
      if (record.name != core::primary_endpoint(region, id, node_group.id)) {
        continue;
      }
      const bool known =
          std::any_of(made_primary_.begin(), made_primary_.end(), [&](const auto& made) {
            return made.first == id &&
                   core::node_endpoint(region, made.second, core::NodeId("0001")) ==
                       record.targets.front();
          });
      if (!known) {
        fail(fmt::format("{} leads to {}, which was never made primary", record.name,
                         record.targets.front()));
      }
    }
  }
}

void Checker::on_commit(const core::State& before, const core::State& after,
                        const core::Transition& transition) {
  if (const auto broken = core::broken_invariant(after, transition)) {
    fail("stored although " + *broken);
  }
  if (after.occupancy() != core::count_occupancy(after)) {
    fail("what the nodes take of the hosts was not kept up");
  }
  for (const core::Change& change : transition.changes) {
    if (const auto* put = std::get_if<core::Put<ReplicationGroup>>(&change)) {
      check_failover_switch(before, put->value);
      check_report(before, put->value);
      check_group(before, put->value);
    } else if (const auto* cluster = std::get_if<core::Put<CacheCluster>>(&change)) {
      check_withdrawal(before, cluster->value);
    } else if (const auto* snapshot = std::get_if<core::Put<core::Snapshot>>(&change)) {
      check_snapshot(before, transition, snapshot->value);
    } else if (const auto* gone = std::get_if<core::Remove<ReplicationGroup>>(&change)) {
      ledgers_.erase(gone->key);
      std::erase_if(made_primary_, [&](const auto& made) { return made.first == gone->key; });
      std::erase_if(reported_, [&](const auto& report) { return report.first == gone->key; });
    }
  }
}

// A failover's note is what a later controller would report it by.
void Checker::check_report(const core::State& before, const core::ReplicationGroup& now) {
  const auto* old = before.find<ReplicationGroup>(now.id);
  if (old == nullptr) {
    return;
  }
  const auto& left = now.node_groups.front().unreported;
  for (const core::FailoverNote& note : old->node_groups.front().unreported) {
    const bool noted = std::any_of(left.begin(), left.end(), [&](const core::FailoverNote& one) {
      return one.epoch == note.epoch;
    });
    if (!noted && !reported_.contains({now.id, note.epoch})) {
      fail(fmt::format("{}: the failover of epoch {} was never reported", now.id.str(),
                       note.epoch.value()));
    }
  }
}

// What counts as taken is there, of the source, and has all that the source owed when it was asked
// for; what failed is told.
void Checker::check_snapshot(const core::State& before, const core::Transition& transition,
                             const core::Snapshot& now) {
  const auto* old = before.find<core::Snapshot>(now.name);
  if (old == nullptr) {
    const auto& owed = ledgers_[now.group].owed;
    owed_to_[now.name] = owed.empty() ? 0 : owed.back().number;
  }
  if (old == nullptr || old->status == now.status) {
    return;
  }
  if (now.status == "failed") {
    const bool told = std::any_of(
        transition.changes.begin(), transition.changes.end(),
        [](const auto& change) { return std::holds_alternative<core::Put<core::Event>>(change); });
    if (!told) {
      fail(fmt::format("snapshot {} failed and nobody is told", now.name.str()));
    }
    return;
  }
  const core::NodeSnapshot& data = now.nodes.front();
  const auto file = shelf_.files.find(data.file);
  if (now.status != "available" || file == shelf_.files.end()) {
    fail(fmt::format("snapshot {} is {} without a file", now.name.str(), now.status));
  } else if (file->second.node.cluster != data.taker) {
    fail(fmt::format("snapshot {} of {} holds the data of {}", now.name.str(), data.taker.str(),
                     file->second.node.str()));
  }
  ++snapshots_;
  for (const Write& write : ledgers_[now.group].owed) {
    if (file != shelf_.files.end() && write.number <= owed_to_[now.name] &&
        !fleet_.history().leads_to(write.place, file->second.data)) {
      fail(fmt::format("snapshot {} lacks write {}, acknowledged before it was asked for",
                       now.name.str(), write.number));
      return;
    }
  }
}

void Checker::check_failover_switch(const core::State& before, const ReplicationGroup& now) {
  const auto* old = before.find<ReplicationGroup>(now.id);
  if (old == nullptr || old->automatic_failover == now.automatic_failover) {
    return;
  }
  if (old->automatic_failover == "disabled") {
    turned_on_[now.id] = store_.state().revision();
  }
  const auto left = living_copies(now.id, 0);
  excuse(now.id, [&](const Write& write) { return !is_held(write, left); });
}

// A member that its owner reboots or deletes takes its copy along; a primary even every write until
// it is killed, because its replicas then take over its emptiness.
void Checker::check_withdrawal(const core::State& before, const CacheCluster& now) {
  const auto* old = before.find<CacheCluster>(now.id);
  if (old == nullptr || old->status == now.status) {
    return;
  }
  const auto* group = before.find<ReplicationGroup>(now.replication_group);
  const bool reboot = now.status == "rebooting cluster nodes" && group != nullptr &&
                      group->node_groups.front().primary == now.id;
  const auto left = living_copies(now.replication_group, 0);
  excuse(now.replication_group,
         [&](const Write& write) { return reboot || !is_held(write, left); });
}

void Checker::check_group(const core::State& before, const ReplicationGroup& now) {
  const auto* old = before.find<ReplicationGroup>(now.id);
  for (std::size_t i = 0; i < now.node_groups.size(); ++i) {
    const core::NodeGroup& node_group = now.node_groups[i];
    made_primary_.emplace(now.id, node_group.primary);
    if (old == nullptr || old->node_groups.size() <= i) {
      continue;
    }
    const core::NodeGroup& was = old->node_groups[i];
    const bool moved = was.primary != node_group.primary;
    const core::Epoch expected = moved ? was.epoch.next() : was.epoch;
    if (node_group.epoch != expected) {
      fail(fmt::format("{}: epoch {} became {} with primary {} -> {}", now.id.str(),
                       was.epoch.value(), node_group.epoch.value(), was.primary.str(),
                       node_group.primary.str()));
    }
    if (!moved) {
      continue;
    }
    ++takeovers_;
    env_.trace.line("checker", "{}: {} takes over from {}", now.id.str(), node_group.primary.str(),
                    was.primary.str());
    check_choice(now.id, was, node_group);
    for (const auto& [pid, engine] : fleet_.all()) {
      // With leases the old one may go on for as long as the new one has promised not to lead.
      if (engine.node.cluster == was.primary && engine.writable(env_.timeline.now()) &&
          env_.options.lease == Duration()) {
        fail(fmt::format("{}: {} was made primary while {} could still take writes", now.id.str(),
                         node_group.primary.str(), was.primary.str()));
      }
    }
  }
}

// A planned switchover loses nothing; it is none any more once the old primary is out of reach for
// so long that its lease is over. In a calm run the choice of a failover is the best one.
// Otherwise a member that holds more may have been out of reach, and what only it holds is lost.
void Checker::check_choice(const ReplicationGroupId& group, const core::NodeGroup& was,
                           const core::NodeGroup& now) {
  const Engine* old = fleet_.find_node({was.primary, core::NodeId("0001")});
  const bool planned = was.switchover_target == now.primary && old != nullptr && !old->dying &&
                       old->fence_is_open(env_.timeline.now());
  const Engine* chosen = fleet_.find_node({now.primary, core::NodeId("0001")});
  if (chosen == nullptr || has_nothing(*chosen)) {
    return;
  }
  const auto lacks = [&](const Write& write) {
    return !fleet_.history().leads_to(write.place, chosen->data);
  };
  if (gave_up_its_place(*chosen)) {
    excuse(group, lacks);
    return;
  }
  const auto& owed = ledgers_[group].owed;
  if (planned && old->role == core::Role::kPrimary &&
      !fleet_.history().leads_to(old->data, chosen->data)) {
    fail(fmt::format("{}: {} does not have all that {} wrote when it takes over", group.str(),
                     now.primary.str(), was.primary.str()));
  }
  if (env_.options.calm && std::any_of(owed.begin(), owed.end(), lacks)) {
    fail(fmt::format("{}: {} was chosen, and another member holds more", group.str(),
                     now.primary.str()));
  }
  const auto unkept = std::find_if(owed.begin(), owed.end(), [&](const Write& write) {
    return write.confirmed && lacks(write);
  });
  if (unkept != owed.end()) {
    fail(fmt::format("{}: {} was chosen without write {}, which was confirmed", group.str(),
                     now.primary.str(), unkept->number));
  }
  excuse(group, lacks);
}

bool Checker::has_failover(const ReplicationGroupId& id) const {
  const auto* group = store_.state().find<ReplicationGroup>(id);
  if (group == nullptr || group->automatic_failover != "enabled" || group->status == "deleting") {
    return false;
  }
  const auto turned_on = turned_on_.find(id);
  const auto* primary = store_.state().find<CacheCluster>(group->node_groups.front().primary);
  if (turned_on == turned_on_.end() || primary == nullptr) {
    return true;
  }
  const auto heard = heard_.find(primary->nodes.front().host);
  return heard != heard_.end() && heard->second >= turned_on->second;
}

// What the group may lose from now on, by the doing of its owner or of a fault that no protocol
// helps against.
void Checker::excuse(const ReplicationGroupId& group,
                     const std::function<bool(const Write&)>& lost) {
  const auto ledger = ledgers_.find(group);
  if (ledger != ledgers_.end()) {
    excused_ += std::erase_if(ledger->second.owed, lost);
  }
}

void Checker::on_acknowledged(const ReplicationGroupId& group, std::uint64_t number,
                              History::Place place, bool confirmed) {
  ++acknowledged_;
  if (store_.state().find<ReplicationGroup>(group) == nullptr) {
    return;
  }
  const Write write{number, place, confirmed && !gave_up_};
  const auto* cluster = store_.state().find<CacheCluster>(
      store_.state().find<ReplicationGroup>(group)->node_groups.front().primary);
  const bool rebooting = cluster != nullptr && cluster->status == "rebooting cluster nodes";
  // One that is cut off takes writes until its lease is over, also when it is known by then who
  // leads next.
  const Engine* leader =
      cluster == nullptr ? nullptr : fleet_.find_node({cluster->id, core::NodeId("0001")});
  const bool in_vain = env_.options.lease > Duration() &&
                       (leader == nullptr || !fleet_.history().leads_to(place, leader->data));
  if (in_vain && write.confirmed && leader != nullptr && !leader->dying) {
    fail(fmt::format("{}: write {} was confirmed, and {} leads without it", group.str(), number,
                     cluster->id.str()));
  }
  if (!rebooting && !in_vain && is_held(write, living_copies(group, 0))) {
    ledgers_[group].owed.push_back(write);
  } else {
    ++excused_;  // it was lost while the answer was on its way
  }
}

// Whose data the group could go on with. Without automatic failover that is the primary alone.
std::vector<const Engine*> Checker::living_copies(const ReplicationGroupId& group,
                                                  Pid without) const {
  std::vector<const Engine*> out;
  for (const auto& [pid, engine] : fleet_.all()) {
    const auto* member = store_.state().find<CacheCluster>(engine.node.cluster);
    if (member == nullptr || member->replication_group != group || pid == without || engine.dying) {
      continue;
    }
    const bool replica = has_failover(group) && engine.has_copy && member->status != "creating" &&
                         member->status != "deleting" && !core::is_restarting(*member);
    if (engine.role == core::Role::kPrimary || replica) {
      out.push_back(&engine);
    }
  }
  return out;
}

bool Checker::is_held(const Write& write, const std::vector<const Engine*>& copies) const {
  return std::any_of(copies.begin(), copies.end(), [&](const Engine* copy) {
    return fleet_.history().leads_to(write.place, copy->data);
  });
}

// What is lost is what was reported, and what was written after the old primary was last asked.
void Checker::on_failover(const control::Reconciler::CommittedFailover& failover) {
  const core::FailoverDecision& decision = failover.decision;
  const Engine* leader = fleet_.find_node({decision.new_primary, core::NodeId("0001")});
  const auto left = left_behind_.find(failover.before.primary);
  const Engine* old = fleet_.find_node({failover.before.primary, core::NodeId("0001")});
  if (old != nullptr && !old->dying) {
    return;  // it is cut off, and went on
  }
  if (decision.planned || decision.offset_read == Monotonic() || leader == nullptr ||
      gave_up_its_place(*leader) || left == left_behind_.end()) {
    return;
  }
  const History& history = fleet_.history();
  const std::uint64_t had = history.offset(history.at(left->second, decision.offset_read));
  const std::uint64_t has = history.offset(leader->data);
  if (had > has + decision.bytes_at_risk) {
    fail(
        fmt::format("{}: {} had written {} bytes when it was last asked, {} has {}, and {} were "
                    "reported to be at risk",
                    failover.group.str(), failover.before.primary.str(), had,
                    decision.new_primary.str(), has, decision.bytes_at_risk));
  }
}

void Checker::on_death(const Engine& engine) {
  left_behind_[engine.node.cluster] = engine.data;
  const auto* cluster = store_.state().find<CacheCluster>(engine.node.cluster);
  if (cluster == nullptr) {
    return;
  }
  const auto* group = store_.state().find<ReplicationGroup>(cluster->replication_group);
  const bool primary =
      group != nullptr && group->node_groups.front().primary == engine.node.cluster;
  if (primary) {
    losses_[group->id] = Loss{env_.timeline.now(), {}};
  }
  // A reboot that was asked for loses the memory, as with AWS; so does the end of a primary that
  // nobody may replace.
  const bool asked =
      engine.role == core::Role::kPrimary && cluster->status == "rebooting cluster nodes";
  const bool alone = primary && !has_failover(group->id);
  const auto left = living_copies(cluster->replication_group, engine.pid);
  excuse(cluster->replication_group,
         [&](const Write& write) { return asked || alone || !is_held(write, left); });
}

void Checker::on_report(const core::HostReport& report) {
  for (auto& [group, loss] : losses_) {
    if (env_.timeline.now() - loss.at < core::kNewsBound) {
      loss.heard.insert(report.host);
    }
  }
}

void Checker::on_full_resync(const Engine& replica, const Engine& upstream, History::Place copy) {
  env_.trace.line("checker", "{} drops {} bytes for {}", replica.node.str(),
                  fleet_.history().offset(replica.data), upstream.node.str());
  const auto* cluster = store_.state().find<CacheCluster>(replica.node.cluster);
  if (cluster == nullptr || !has_failover(cluster->replication_group)) {
    return;
  }
  const auto left = living_copies(cluster->replication_group, replica.pid);
  const auto is_kept = [&](const Write& write) {
    return fleet_.history().leads_to(write.place, copy) || is_held(write, left);
  };
  if (!losses_[cluster->replication_group].heard.contains(replica.host)) {
    // Nobody knew in time that it held a copy.
    excuse(cluster->replication_group, [&](const Write& write) { return !is_kept(write); });
    return;
  }
  for (const Write& write : ledgers_[cluster->replication_group].owed) {
    if (fleet_.history().leads_to(write.place, replica.data) && !is_kept(write)) {
      fail(fmt::format("{} gave up the last copy of write {} to follow {}", replica.node.str(),
                       write.number, upstream.node.str()));
      return;
    }
  }
}

void Checker::give_up_confirmed() {
  gave_up_ = true;
  for (auto& [group, ledger] : ledgers_) {
    for (Write& write : ledger.owed) {
      write.confirmed = false;
    }
  }
}

void Checker::check_acknowledged(const ReplicationGroupId& group, const Engine& primary) {
  for (const Write& write : ledgers_[group].owed) {
    if (!fleet_.history().leads_to(write.place, primary.data)) {
      fail(fmt::format("{}: write {} was acknowledged, and {} does not have it", group.str(),
                       write.number, primary.node.str()));
      return;
    }
  }
}

}  // namespace hikae::sim
