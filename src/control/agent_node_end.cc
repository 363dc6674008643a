#include <algorithm>
#include <csignal>
#include <utility>

#include <fmt/format.h>

#include "control/agent_node.h"
#include "control/last_words.h"

// How a process comes to its end.

namespace hikae::control {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Between two looks at a process that was killed: the kernel marks it before it frees its memory.
constexpr Duration kDeathPoll = milliseconds(1);
constexpr Duration kLongestDeathPoll = milliseconds(200);
// How long a retired process may take to end by itself.
constexpr Duration kRetirePatience = seconds(2);
constexpr Duration kSurvivorPatience = seconds(1);
// And how long one that saves its data.
constexpr Duration kSavePatience = minutes(10);
// A failover takes milliseconds, many at once a second or so.
constexpr Duration kLongestQuiet = seconds(3);
// A process that lived this long starts a new count of failures.
constexpr Duration kStableLife = seconds(10);
// So often a node is started with data that it cannot take in before that is told as final.
constexpr int kRestoreTries = 3;

}  // namespace

void AgentNode::process_dies() {
  known_.dying = true;
  keep_quiet();
  known_.answers = known_.link_up = false;
  if (!known_.hung) {
    fault_seen_ = ports_.clock.monotonic();
  }
  ports_.driver.disconnect(key_);  // nobody answers any more what was asked
  publish();
  wake_.raise();
}

void AgentNode::process_hangs(bool hung) {
  known_.hung = hung;
  fault_seen_ = ports_.clock.monotonic();
  if (is_to_be_killed()) {
    ports_.driver.disconnect(key_);  // at once, and not when the time of a question is over
  }
  publish();
  wake_.raise();
}

// From the death of the primary, or from when it holds back writes for another, until that one
// takes writes.
bool AgentNode::is_in_failover() const {
  if (!desired_ || stopping_) {
    return false;
  }
  const bool alive = known_.running && !known_.dying;
  if (desired_->role == core::Role::kReplica) {
    return known_.running && (desired_->survey || known_.writes_paused);
  }
  return alive ? known_.role == core::Role::kReplica || desired_->pause_writes : desired_->hold;
}

// Engines that start take the processor from it. One that does not get on holds up nobody.
void AgentNode::keep_quiet() {
  const bool now = is_in_failover();
  if (!now) {
    quiet_since_.reset();
  } else if (!quiet_since_) {
    quiet_since_ = ports_.clock.monotonic();
  }
  const bool keeps = now && ports_.clock.monotonic() - *quiet_since_ < kLongestQuiet;
  quiet_.set(keeps);
  prefer_engine(keeps);
}

// On a machine full of engines each waits for the processor behind all others, in every step of the
// failover anew.
void AgentNode::prefer_engine(bool on) {
  const bool wanted = on && known_.running && !known_.dying;
  if (wanted != preferred_) {
    preferred_ = wanted;
    ports_.runner.prefer(process_, wanted);
  }
}

Awaitable<void> AgentNode::end_process(int first_signal) {
  ending_ = true;
  int signal_number = first_signal;
  while (known_.running && !known_.dying && !stopping_) {
    const Status sent = ports_.runner.signal(process_, signal_number);
    if (!sent && sent.error().code != ErrorCode::kNotFound) {
      problem_ = sent.error().message;
      publish();
    }
    co_await await_death(signal_number);
    signal_number = SIGKILL;
  }
}

// Until no code of the process runs any more, or the signal has to be sent again.
Awaitable<void> AgentNode::await_death(int signal_number) {
  // Nothing outlives SIGKILL for long but a process that is inside the kernel.
  const Duration patience = signal_number == SIGKILL ? kSurvivorPatience : kRetirePatience;
  const Monotonic end = ports_.clock.monotonic() + patience;
  Duration poll = kDeathPoll;
  while (known_.running && !known_.dying && !stopping_ && ports_.clock.monotonic() < end) {
    co_await rest(poll);
    glance(Glance::kWhole);
    poll = std::min(poll + poll / 4, kLongestDeathPoll);
  }
}

Awaitable<void> AgentNode::reset_sockets(core::NodeAssignment assignment, bool connections) {
  SocketReset reset{process_, assignment.address, assignment.port, connections,
                    std::move(assignment.members)};
  const Status done = co_await ports_.runner.reset_sockets(std::move(reset));
  // Whatever came of it: the kernel does it in the end.
  known_.refuses = true;
  known_.clients_freed = known_.clients_freed || connections;
  if (!done) {
    ports_.log.warn(fmt::format("node {}: {}", key_.str(), done.error().message));
  }
}

// Noted first: were we to end now, the next agent has to start it with what it saved.
Awaitable<void> AgentNode::save(core::NodeAssignment assignment) {
  note_.saved = true;
  write_note();
  ending_ = true;
  const Status saving = co_await ports_.driver.save_and_end(std::move(assignment));
  const Monotonic patience_ends = ports_.clock.monotonic() + kSavePatience;
  while (saving && known_.running && !stopping_ && ports_.clock.monotonic() < patience_ends) {
    co_await rest(patience_ends - ports_.clock.monotonic());
  }
  if (!known_.running || stopping_) {
    co_return;
  }
  ending_ = false;
  settle(saving ? Status(fail(ErrorCode::kTimeout, "it does not come to an end of saving its data"))
                : saving);
}

void AgentNode::process_ended() {
  ports_.driver.disconnect(key_);
  place_.leave();
  const bool loading = known_.loading;
  known_.running = known_.answers = known_.loading = known_.link_up = false;
  if (!known_.dying && !known_.hung) {
    fault_seen_ = ports_.clock.monotonic();
  }
  known_.dying = known_.hung = known_.writes_paused = false;
  known_.synced = offset_settled_ = false;
  problem_.clear();
  if (!std::exchange(ending_, false)) {
    const Monotonic now = ports_.clock.monotonic();
    crashes_ = now - started_at_ >= kStableLife ? 0 : crashes_;
    // The first restart is at once.
    not_before_ = crashes_ == 0 ? Monotonic() : now + backoff(crashes_ - 1);
    ++crashes_;
    known_.crashed = true;
    problem_ = describe_end();
    note_failed_restore(loading);
    ports_.log.error(fmt::format("node {}: {}", key_.str(), problem_));
  }
  process_ = Process{};
  preferred_ = false;
  measure_disk();  // whoever hears of the end also hears what is left
  publish();
}

void AgentNode::measure_disk() {
  if (!known_.running && desired_ && !std::exchange(measured_, true)) {
    auto files = ports_.driver.data_files(*desired_);
    data_on_disk_ = files.empty() ? 0 : ports_.runner.stored_bytes(key_, std::move(files));
  }
}

// The engine ends when it cannot read its data.
void AgentNode::note_failed_restore(bool while_loading) {
  const bool restores = desired_ && !desired_->restore_file.empty();
  if (restores && (!answered_ || while_loading) && ++failed_restores_ >= kRestoreTries) {
    restore_problem_ = problem_;
  }
}

// Who keeps its process from listening; empty: nobody.
std::string AgentNode::port_holder() const {
  return ports_.port_holder && desired_ ? ports_.port_holder(desired_->address, desired_->port)
                                        : std::string();
}

std::string AgentNode::describe_end() const {
  std::string out = fmt::format("the process {} ended unexpectedly{}", process_.pid,
                                answered_ ? "" : " before it answered");
  const std::string holder = answered_ ? "" : port_holder();
  if (!holder.empty()) {
    return fmt::format("{}: {} has its port {}:{}; stop that program, or delete the node", out,
                       holder, desired_->address.str(), desired_->port);
  }
  const auto log = ports_.runner.read_note(key_, "engine.log");
  std::string words = last_words(log.value_or(""), process_.pid);
  if (words.empty() && !answered_) {  // it did not come as far as its log
    words = last_line(ports_.runner.read_note(key_, "engine.out").value_or(""));
  }
  return words.empty() ? fmt::format("{}; see {}", out, ports_.runner.path(key_, "engine.log"))
                       : fmt::format("{}: {}", out, words);
}

}  // namespace hikae::control
