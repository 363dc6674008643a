#include <algorithm>

#include "control/agent_node.h"

// When a node is looked at again, and when what it needs is done.

namespace hikae::control {
namespace {

using std::chrono::milliseconds;

// While something is awaited that nobody reports, polls begin quick and grow by a quarter: the
// delay they add stays a fraction of the wait.
constexpr Duration kFirstPoll = milliseconds(1);
constexpr Duration kLongestAwaitPoll = milliseconds(200);
constexpr Duration kSurveyOfFew = milliseconds(1);
constexpr Duration kSettledSurveyPoll = milliseconds(50);
// Settled nodes that are asked together.
constexpr Duration kWidestGrid = milliseconds(40);
// Clients come back to a new primary in the first milliseconds, and what else is done on the same
// machine would take some of these from them.
constexpr Duration kReturnOfClients = milliseconds(15);
// Until then what the primary takes has no second copy, so this is shorter.
constexpr Duration kReturnOfMostClients = milliseconds(4);
// Until it is asked again whether a failover is under way on this machine.
constexpr Duration kQuietPause = milliseconds(20);

}  // namespace

// Where another leads from now on.
void AgentNode::let_clients_return(const core::NodeAssignment& before,
                                   const core::NodeAssignment& now) {
  const bool another_leads = before.hold && !now.hold && now.role == core::Role::kReplica;
  if (another_leads && (known_.dying || !known_.running)) {
    not_before_ = ports_.clock.monotonic() + kReturnOfClients;
  }
  if (before.epoch != now.epoch) {
    epoch_began_ = ports_.clock.monotonic();
  }
}

Duration AgentNode::time_until(core::NodeActionKind action) const {
  if (known_.dying) {
    // Those who read from it can read elsewhere after those who write can write again.
    const bool reads = known_.role == core::Role::kReplica;
    const bool can_wait = action == core::NodeActionKind::kFreeClients && reads;
    return can_wait && ports_.gate.is_quiet() ? kQuietPause : Duration();
  }
  const bool replica = known_.running && known_.role == core::Role::kReplica;
  Monotonic then = not_before_;
  if (epoch_began_ && action == core::NodeActionKind::kSetPace) {
    then = std::max(then, *epoch_began_ + kReturnOfClients);
  } else if (epoch_began_ && action == core::NodeActionKind::kFollow && replica) {
    then = std::max(then, *epoch_began_ + kReturnOfMostClients);
  }
  return then - ports_.clock.monotonic();
}

// Until the next question to a settled node. Several nodes wake together, which costs less than to
// wake as often.
Duration AgentNode::steady_poll() {
  const Duration poll = is_watched() ? pace_.watched : pace_.others;
  const std::int64_t grid = std::max<std::int64_t>(std::min(poll / 16, kWidestGrid).count(), 1);
  const std::int64_t now = ports_.clock.monotonic().microseconds();
  const std::int64_t then = now + poll.count();
  return Duration(then - then % grid - now);
}

// Clients wait for the end of a survey. Who has told all there seems to be to tell takes time from
// the others, and from the kernel's threads that write commits to the disk: hundreds are in one
// when a zone is lost. While the link is up more may come, as in a switchover, which is of few.
Duration AgentNode::settled_survey_poll() const {
  const Duration longest = std::max<Duration>(kSettledSurveyPoll, pace_.survey * 20);
  const bool few = pace_.survey <= kSurveyOfFew;
  return known_.link_up && few ? std::min(std::max(poll_, pace_.survey) * 2, longest) : longest;
}

Duration AgentNode::next_poll() {
  if (known_.dying) {
    return kLongestAwaitPoll;  // its end wakes us, and nothing else is to be seen of it
  }
  if (desired_ && desired_->survey) {
    poll_ = offset_settled_ ? settled_survey_poll() : pace_.survey;
    return poll_;
  }
  poll_ = std::clamp<Duration>(poll_ + poll_ / 4, kFirstPoll, kLongestAwaitPoll);
  return poll_;
}

}  // namespace hikae::control
