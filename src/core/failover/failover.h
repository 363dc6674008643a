#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/reconcile/observed.h"
#include "core/state/state.h"

namespace hikae::core {

// The failover of one node group, as a pure function of the state and of what was observed.
//
// There is no memory between calls: a crash of the control plane at any point loses nothing,
// because the next call sees the same facts. The one durable step is the commit of epoch + 1 with
// the new primary. Before it every step can be repeated or dropped; after it recovery only goes
// forward: agents promote, repoint and bring the lost node back from their assignments alone.
//
//   healthy -> suspect -> choosing -> (commit epoch + 1) -> promoting -> healthy
//
// The promises (reference: AWS User Guide, "Minimizing downtime with Multi-AZ"):
//   - nothing is committed before the old primary certainly takes no more writes;
//   - the new primary is the member with the greatest offset among those that hold a whole copy
//     and have said so since the old one's end was seen;
//   - a primary that came back empty is never followed while a replica holds a copy, or has data
//     on its disk where the primary has none;
//   - of a group that promises it (confirmed_writes.h), no write is lost that enough replicas had
//     confirmed: it waits rather than choose without a replica that may have it.
enum class FailoverStage {
  kHealthy,    // the primary serves, or nobody may take its place
  kSuspect,    // it hangs; its agent is told to kill it
  kChoosing,   // it is dead; replicas still take in what it had sent
  kDecided,    // commit now: `new_primary`
  kPromoting,  // committed; the new primary is not observed as such yet
  kSwitching,  // a planned switchover waits for the pause or for equal offsets
  kGivenUp,    // a planned switchover cannot be finished; commit its end
};

struct FailoverDecision {
  FailoverStage stage = FailoverStage::kHealthy;
  CacheClusterId new_primary;  // kDecided
  bool planned = false;        // kDecided: by a switchover, so nothing is lost
  // kDecided: how far the new primary is behind the last offset known of the old one. At most that
  // many bytes of acknowledged writes are lost, and what was written since that was read; zero:
  // nothing is known of how far it had come.
  std::uint64_t bytes_at_risk = 0;
  Monotonic offset_read;
  std::string reason;  // one line
  // kChoosing: replicas are waited for without which a write that clients had confirmed could be
  // lost, and for longer than it takes to answer. An operator should know.
  bool awaits_confirmed = false;
  // Ask again after this time even if nothing was observed; zero: no need.
  Duration recheck_after{};
};

FailoverDecision decide_failover(const State& state, const Observed& observed,
                                 const ReplicationGroup& group, const NodeGroup& node_group,
                                 Instant now);

// When the fault was seen that cost a node group its primary: by its agent, or, of one that cannot
// be asked, when its lease was over.
Monotonic fault_of(const Observed& observed, const NodeKey& primary, const HostId& host);

// A member other than the primary can take over now.
bool can_be_replaced(const State& state, const Observed& observed, const ReplicationGroup& group,
                     const NodeGroup& node_group);

// A dead primary of this node group is to stay dead until a failover was decided. True while it
// lives, and then until its death was seen and noted in the state and it is certain that nobody can
// take over, where what was not observed yet counts as possible: so a message that its agent did
// not get in time never lets it come back empty. A reboot is no failover.
bool holds_dead_primary(const State& state, const Observed& observed, const ReplicationGroup& group,
                        const NodeGroup& node_group);

// How often the primary may be started: once more than it was when it was seen dead; while it
// lives no more than it was, also when it has just come back from a reboot. 0: as often as it ends,
// where nobody may take its place.
std::uint64_t start_limit(const ReplicationGroup& group, const NodeGroup& node_group,
                          const NodeObservation* primary);

// No other member than `member` can take writes: each one is dead or a replica, and its agent has
// taken note that it is to stay so. The condition for a promotion.
bool is_fenced(const State& state, const Observed& observed, const NodeGroup& node_group,
               const CacheClusterId& member);

// The primary may be promoted now: nobody else can take writes, and it did not come back empty
// since it was chosen while another member may hold a copy.
bool may_promote_primary(const State& state, const Observed& observed,
                         const ReplicationGroup& group, const NodeGroup& node_group);

// The primary was chosen, its process ended before it led, and the one in its place holds nothing,
// while it is not certain that no other member does. It is ended, once its agent knows that it may
// not lead: then all is decided, and waited for, as after the end of any primary.
bool is_to_end(const State& state, const Observed& observed, const ReplicationGroup& group,
               const NodeGroup& node_group);

// How long a dead primary waits for news of a replica that was last seen without a copy.
inline constexpr Duration kNewsBound = std::chrono::seconds(3);

// How long it waits where nothing at all is heard of the replica's agent: a host that froze or was
// cut off may have the only copy, and one that is lost for good is told from it only by time.
inline constexpr Duration kSilenceBound = std::chrono::seconds(30);

// How long replicas may take in what a dead primary had sent.
inline constexpr Duration kSurveyBound = std::chrono::milliseconds(25);

}  // namespace hikae::core
