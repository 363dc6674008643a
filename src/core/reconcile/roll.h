#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "core/reconcile/observed.h"
#include "core/state/events.h"
#include "core/state/state.h"

namespace hikae::core {

// A modification of what nodes run, brought to one member after the other: the replicas first, the
// primary last, behind a switchover when its process has to be replaced. A function of the state
// and of what was observed, without memory: a member is done once its own settings are the target.
//
//   told (its agent compares what runs with what should) -> restarted, if need be -> in service
//
// The promises:
//   - at most one member is told or restarted at a time, and only while all others are in service;
//   - a primary that has replicas is never restarted: another member leads before;
//   - the only copy of the data is kept by saving and loading it.
struct Roll {
  std::vector<const CacheCluster*> members;  // in member order, without those being deleted
  CacheClusterId primary;
  CacheSettings before;     // what is gone back to when the modification cannot be finished
  CacheSettings target;     // what every member is to run
  std::uint64_t room = 0;   // how many bytes of data fit into a node of the target
  Instant switchover_from;  // no switchover sooner: a failed one kept clients waiting
};

enum class RollStepKind {
  kDone,        // every member runs the target
  kWait,        // for something to be observed
  kTell,        // tell the member to run the target
  kRestart,     // the member
  kSwitchOver,  // make the member the primary
  kFinish,      // the member runs the target and is in service
  kGiveUp,      // go back to what was before
};

struct RollStep {
  RollStepKind kind = RollStepKind::kDone;
  CacheClusterId member;
  std::string reason;      // one line
  bool too_small = false;  // kGiveUp: the data does not fit into the target
  // Ask again after this time even if nothing was observed; zero: no need.
  Duration recheck_after{};
};

RollStep next_roll_step(const Observed& observed, const Roll& roll, Instant now);

// What the member still has to be told to reach the target.
bool differs(const CacheCluster& member, const CacheSettings& target);

// Told to run other settings than its own, or restarted for them, and not back in service yet.
bool is_in_hand(const CacheCluster& member);

// What a cluster is to run once the modification under way is finished.
CacheSettings target_of(const State& state, const CacheCluster& cluster);

// A member of a group: it does not run that yet.
bool is_yet_to_change(const State& state, const CacheCluster& member);

// The modification would shrink the node or another of its group, so the size of the data is
// wanted.
bool is_to_shrink(const State& state, const CacheCluster& cluster);

// How many bytes of data fit into a node with these settings.
std::uint64_t room_of(const State& state, const CacheSettings& settings);

// Carrying out a step on the member.
void tell(const State& state, CacheCluster& member, const CacheSettings& target, Instant now);
void begin_restart(CacheCluster& member, bool keep_data, EventWriter& events, Instant now);
void finish_upgrade(const Observed& observed, CacheCluster& member, EventWriter& events,
                    Instant now);
// Takes back what the member was told and does not run by its own settings yet.
void take_back(CacheCluster& member, Instant now);

// It leads from now on, and does so with the process that `runs`. A modification that wanted the
// restart asks for it again, as of a primary.
void call_off_restart(CacheCluster& member, const NodeObservation& runs);

// The events of a modification that is finished, or given up by `step`.
void tell_of_success(const NodeChanges& changes, std::string_view source_type,
                     const std::string& source, EventWriter& events);
void tell_of_failure(const NodeChanges& changes, std::string_view source_type,
                     const std::string& source, const RollStep& step, EventWriter& events);

// Begins a modification: the cluster, or the group and its members, are `modifying`.
void begin_changes(CacheCluster& standalone, const NodeChanges& changes);
void begin_changes(const State& state, ReplicationGroup& group, const NodeChanges& changes,
                   Transition& out);

// A process that was told or restarted has to run again within this time, and be synchronised, or
// replaced as the primary, within that; else the modification is given up.
inline constexpr Duration kRestartPatience = std::chrono::minutes(1);
inline constexpr Duration kSyncPatience = std::chrono::minutes(30);
// Between two switchovers that a modification tries.
inline constexpr Duration kSwitchoverPause = std::chrono::seconds(30);

}  // namespace hikae::core
