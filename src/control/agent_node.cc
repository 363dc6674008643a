#include "control/agent_node.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "core/reconcile/hosts_file.h"

namespace hikae::control {
namespace {

using core::NodeActionKind;
using std::chrono::milliseconds;
using std::chrono::seconds;

// How long an engine may take until its first answer before that is told as a problem.
constexpr Duration kStartPatience = seconds(5);
constexpr Duration kFirstBackoff = milliseconds(100);
constexpr int kLongestBackoffShift = 7;  // 12.8 s
// A client whose connection broke comes back by the address that its resolver still has, and a
// former primary is back within milliseconds: the client would stay there, and be refused every
// write. For so long after its lead a node sends away clients when it had to refuse one: somewhat
// longer than the name's time to live, 5 s, in any cache.
constexpr Duration kAstrayTime = seconds(8);
constexpr int kPercentStep = 10;  // of what is loaded, between two reports

}  // namespace

Duration AgentNode::backoff(int failures_before) {
  return kFirstBackoff * (1 << std::min(failures_before, kLongestBackoffShift));
}

AgentNode::AgentNode(boost::asio::any_io_executor executor, AgentPorts ports, const PollPace& pace,
                     core::NodeKey key, const std::optional<FoundNode>& found,
                     std::function<void()> changed)
    : ports_(ports),
      pace_(pace),
      key_(std::move(key)),
      changed_(std::move(changed)),
      wake_(std::move(executor)),
      place_(ports.gate, [this] { wake_.raise(); }),
      quiet_(ports.gate),
      observation_(core::NodeObservation{key_}),
      liveness_(ports.limits) {
  known_.private_hosts = ports_.runner.private_hosts_supported();
  known_.socket_resets = ports_.runner.socket_resets_supported();
  known_.directory = found.has_value();
  if (found) {
    // Also of a process that is gone: whether a reboot is still owed decides if it may be replaced.
    note_ =
        read_agent_note(ports_.runner.read_note(key_, std::string(kAgentNoteFile)).value_or(""));
    known_.generation = note_.generation;
    known_.starts = note_.starts;
  }
  if (found && found->process) {
    process_ = *found->process;
    known_.running = true;
    known_.kept = has_keeper();
    known_.hosts_file = ports_.runner.read_note(key_, "hosts").value_or("");
    known_.directives = note_.directives;
    known_.access = note_.access;
    known_.users = note_.users;
    answered_ = true;  // it may not answer just now, but it is no new process
    liveness_.answered();
    started_at_ = ports_.clock.monotonic();
    ports_.runner.prefer(process_, false);  // should we have ended in the middle of a failover
  }
  if (found && !known_.running) {
    fault_seen_ = ports_.clock.monotonic();  // it died while no agent looked
  }
  looked_ = !known_.running;
  publish();
}

void AgentNode::assign(const std::optional<core::NodeAssignment>& desired) {
  if (desired == desired_) {
    return;
  }
  if (!desired || !desired_ || desired->which_survey() != desired_->which_survey()) {
    offset_settled_ = surveyed_ = false;
  }
  const bool led = desired_ && desired_->role == core::Role::kPrimary;
  if (led && desired && desired->role == core::Role::kReplica && !desired->source.is_followed()) {
    led_until_ = ports_.clock.monotonic();
  }
  const bool other_engine = desired && (!desired_ || asks_for_other_engine(*desired, *desired_));
  if (other_engine) {
    standing_.judge(ports_.driver, *desired, note_);
  }
  // What failed for the old one may work for the new one.
  if (other_engine || may_try_at_once(desired)) {
    not_before_ = Monotonic();
  }
  if (desired && desired_) {
    let_clients_return(*desired_, *desired);
  }
  desired_ = desired;
  address_ = desired ? desired->address : address_;
  poll_ = Duration();
  keep_quiet();
  wake_.raise();
}

// Who does not even start is no better off for being told anew whom to follow.
bool AgentNode::may_try_at_once(const std::optional<core::NodeAssignment>& desired) const {
  return !known_.crashed || answered_ || !desired || !desired_ ||
         desired->generation != desired_->generation ||
         !(desired->directives == desired_->directives);
}

void AgentNode::stop() {
  stopping_ = true;
  wake_.raise();
}

Awaitable<void> AgentNode::run() {
  co_await keep();
  ports_.driver.disconnect(key_);  // a question may still be open
}

Awaitable<void> AgentNode::keep() {
  while (!stopping_) {
    look_at_fence();
    if (!is_to_be_killed() && !is_to_change_roles()) {
      co_await look();
      if (desired_) {
        if (standing_.programs != ports_.driver.programs_edition()) {
          standing_.judge(ports_.driver, *desired_, note_);
        }
        standing_.take_stock(*desired_, known_, note_, version_);
      }
      publish();
    }
    keep_quiet();
    look_at_fence();
    const core::NodeAction action = core::next_node_action(desired_, known_);
    if (action.kind == NodeActionKind::kForget) {
      co_return;
    }
    const bool starts = action.kind == NodeActionKind::kStart;
    const bool started = ports_.clock.monotonic() - started_at_ >= kStartPatience;
    if (known_.running ? started : !starts) {
      place_.leave();
    }
    const Duration pause = time_until(action.kind);
    if (action.kind == NodeActionKind::kNone) {
      const Duration poll = steady_poll();
      co_await rest(poll);
    } else if (action.kind == NodeActionKind::kAwait) {
      const Duration poll = next_poll();
      co_await rest(poll);
    } else if (pause > Duration()) {
      co_await rest(pause);
    } else if (starts && !place_.enter(desired_->role == core::Role::kPrimary)) {
      co_await rest(pace_.others);
    } else {
      co_await perform(action);
    }
    publish();
  }
}

Awaitable<void> AgentNode::look() {
  if (known_.halted) {
    known_.answers = known_.link_up = false;
    problem_ = "its lease is over; its keeper has stopped it until it has one again";
  } else if (known_.running && !known_.dying && desired_ && !stopping_) {
    core::NodeAssignment assignment = as_it_runs();
    const Question question{ports_.clock.monotonic(), assignment.which_survey()};
    liveness_.asked(question.asked);
    open_since_ = open_since_.value_or(question.asked);
    const auto status = co_await ports_.driver.inspect(std::move(assignment));
    take(status, question);
  }
  measure_disk();
  if (!std::exchange(looked_, true)) {
    changed_();
  }
}

void AgentNode::take(const Result<EngineStatus>& status, const Question& question) {
  if (!status) {
    take_silence(status.error());
    return;
  }
  if (!known_.answers) {
    problem_.clear();
  }
  known_.answers = answered_ = true;
  place_.leave();
  known_.loading = status->loading;
  loaded_percent_ = status->loading ? status->loaded_percent / kPercentStep * kPercentStep : 0;
  known_.role = status->role;
  known_.following = status->following;
  // A source outside is not asked to begin its stream anew.
  known_.stream_pending = status->stream_pending && desired_ && !desired_->source.is_followed() &&
                          renewed_at_ != std::optional(status->replication_offset);
  known_.link_up = status->link_up && !known_.stream_pending;
  liveness_.answered();
  stream_ = status->stream;
  previous_stream_ = status->previous_stream;
  // What is taken in replaces what there was. A primary's copy is the group's data: it counts from
  // the moment in which somebody else is to lead.
  const bool whole = status->role == core::Role::kPrimary || status->link_up || status->has_copy;
  known_.synced = !status->loading && (known_.synced || whole);
  if (status->refused_writes > std::exchange(refused_writes_, status->refused_writes)) {
    known_.clients_astray = led_until_ && ports_.clock.monotonic() - *led_until_ < kAstrayTime;
  }
  const bool survey =
      question.survey != 0 && desired_ && desired_->which_survey() == question.survey;
  // A link that is down was read to its end.
  const bool still = surveyed_ && offset_ == status->replication_offset;
  offset_settled_ = survey && (still || !status->link_up);
  surveyed_ = survey;
  offset_ = status->replication_offset;
  offset_read_ = question.asked;
  used_memory_ = status->used_memory;
  has_fence_ = status->has_fence;
  fenced_ = status->fenced;
  counted_epoch_ = status->counted_epoch;
  kept_ = status->kept;
  const Monotonic asked = *std::exchange(open_since_, std::nullopt);
  const bool counts = may_be_counted_on(*status, asked);
  promised_ = status->kept ? counts || !survey : status->promised;
  if (status->role == core::Role::kReplica) {
    open_fence_of_replica();
  }
  version_ = status->version;
  if (note_.saved && !status->loading) {
    note_.saved = false;  // it has taken its data: a crash from now on is one
    write_note();
  }
  // Adopted with its link up and its hosts file right: nobody has to tell it whom to follow. Later
  // the link may be one to where the name led before.
  if (!looked_ && known_.followed_epoch == core::Epoch(0) && known_.link_up && desired_ &&
      known_.hosts_file == core::render_hosts_file(*desired_)) {
    known_.followed_epoch = desired_->epoch;
  }
}

void AgentNode::take_silence(const Error& error) {
  if (known_.dying || !known_.running) {
    return;
  }
  known_.answers = known_.link_up = false;
  // Who refuses a connection or closes it does not hang; we close it ourselves when it does.
  if (error.code != ErrorCode::kTimeout && !known_.hung) {
    liveness_.answered();
  }
  const bool patient = !answered_ && ports_.clock.monotonic() - started_at_ < kStartPatience;
  problem_ = patient ? problem_ : error.message;
}

void AgentNode::write_note() {
  const Status noted =
      ports_.runner.write_note(key_, std::string(kAgentNoteFile), write_agent_note(note_));
  if (!noted) {
    ports_.log.warn(noted.error().message);
  }
}

Awaitable<void> AgentNode::perform(core::NodeAction action) {
  ports_.log.info(fmt::format("node {}: {}", key_.str(), core::describe(action)));
  poll_ = Duration();
  if (action.kind == NodeActionKind::kRetire) {
    co_await end_process(SIGTERM);
    co_return;
  }
  if (action.kind == NodeActionKind::kRemove) {
    co_await remove();
    co_return;
  }
  // They may be replaced while we wait.
  core::NodeAssignment assignment =
      action.kind == NodeActionKind::kStart ? *desired_ : as_it_runs();
  switch (action.kind) {
    case NodeActionKind::kStart:
      co_await start(std::move(assignment));
      break;
    case NodeActionKind::kKill:
      co_await end_process(SIGKILL);
      break;
    case NodeActionKind::kRefuseClients:
      co_await reset_sockets(std::move(assignment), false);
      break;
    case NodeActionKind::kFreeClients:
      co_await reset_sockets(std::move(assignment), true);
      break;
    case NodeActionKind::kUpdateHosts:
      settle(update_hosts(assignment));
      break;
    case NodeActionKind::kFollow:
      co_await follow(std::move(assignment));
      break;
    case NodeActionKind::kPromote:
      co_await promote(std::move(assignment));
      break;
    case NodeActionKind::kPauseWrites:
      co_await pause_writes(std::move(assignment));
      break;
    case NodeActionKind::kResumeWrites:
      co_await resume_writes(std::move(assignment));
      break;
    case NodeActionKind::kSendClientsAway:
      co_await send_clients_away(std::move(assignment));
      break;
    case NodeActionKind::kSave:
      co_await save(std::move(assignment));
      break;
    case NodeActionKind::kApplyDirectives:
      co_await apply_directives(std::move(assignment));
      break;
    case NodeActionKind::kApplyAccess:
      co_await apply_access(std::move(assignment));
      break;
    case NodeActionKind::kSetPace:
      co_await set_pace(std::move(assignment));
      break;
    default:
      break;
  }
}

void AgentNode::glance(Glance kind) {
  if (!known_.running || known_.dying || stopping_) {
    return;
  }
  if (kind == Glance::kCheap && liveness_.is_unsuspected() &&
      !ports_.runner.has_no_memory(process_)) {
    return;
  }
  const auto probe = ports_.runner.probe(process_);
  if (!probe) {
    return;  // its end is news of wait_exit()
  }
  if (probe->exiting) {
    process_dies();
    return;
  }
  if (is_halted()) {
    liveness_.answered();  // it owes nothing until it may run again
    return;
  }
  const bool hung = liveness_.glance(probe->activity, ports_.clock.monotonic());
  if (hung != known_.hung) {
    process_hangs(hung);
  }
}

bool AgentNode::is_to_be_killed() const {
  return known_.hung && core::next_node_action(desired_, known_).kind == NodeActionKind::kKill;
}

// Clients wait for that, and what was known when it was decided is good enough for a first try.
bool AgentNode::is_to_change_roles() const {
  if (!desired_ || desired_->role == known_.role || !known_.answers || failures_ > 0) {
    return false;
  }
  const NodeActionKind next = core::next_node_action(desired_, known_).kind;
  const bool demoted = known_.role == core::Role::kPrimary && known_.writes_paused;
  return next == NodeActionKind::kPromote ||
         (demoted && (next == NodeActionKind::kFollow || next == NodeActionKind::kUpdateHosts));
}

void AgentNode::lease_granted() {
  if (known_.kept && (known_.halted || known_.role == core::Role::kReplica)) {
    wake_.raise();
  }
}

bool AgentNode::is_watched() const {
  return known_.running && desired_ && desired_->role == core::Role::kPrimary &&
         desired_->replaceable;
}

Awaitable<void> AgentNode::start(core::NodeAssignment assignment) {
  auto spec = ports_.driver.launch_spec(assignment);
  if (!spec) {
    settle(tl::unexpected(spec.error()));
    co_return;
  }
  // What was saved stays so until the process has answered: the start may have to be repeated.
  spec->keep_data = assignment.keep_data && note_.saved;
  if (!assignment.restore_file.empty()) {
    if (ports_.snapshots == nullptr) {
      settle(fail(ErrorCode::kUnavailable, fmt::format("cannot be restored: {}", kNoSnapshots)));
      co_return;
    }
    spec->seed = ports_.snapshots->path(assignment.restore_file);
  }
  note_ = AgentNote{assignment.generation, spec->program,     spec->version,    spec->keep_data,
                    assignment.directives, assignment.access, assignment.users, known_.starts + 1};
  spec->files.emplace(kAgentNoteFile, write_agent_note(note_));
  std::string hosts_file = spec->hosts_file;
  Status fenced = choose_fence(*spec);
  fenced = fenced ? close_fence(assignment, true) : fenced;
  if (!fenced) {
    place_.leave();
    settle(fenced);
    co_return;
  }
  standing_.restarted(*spec);
  known_.directory = true;  // even a failed start may leave one
  begun_ = Begun::kStart;
  publish();
  const Status held = co_await hold_address(assignment);
  if (!held) {
    begun_ = Begun::kNothing;
    place_.leave();
    settle(held);
    co_return;
  }
  const auto process = co_await ports_.runner.start(std::move(*spec));
  begun_ = Begun::kNothing;
  if (!process) {
    place_.leave();
    settle(tl::unexpected(process.error()));
    co_return;
  }
  process_ = *process;
  started_at_ = ports_.clock.monotonic();
  offset_read_ = {};
  known_.running = true;
  known_.kept = has_keeper();
  known_.crashed = known_.answers = known_.loading = known_.link_up = false;
  // As configured: a replica never takes writes, not even before its first command.
  known_.role = assignment.role;
  known_.followed_epoch = assignment.role == core::Role::kReplica && assignment.attach
                              ? assignment.epoch
                              : core::Epoch(0);
  known_.dying = known_.hung = known_.writes_paused = false;
  known_.refuses = known_.clients_freed = false;
  known_.synced = offset_settled_ = surveyed_ = measured_ = false;
  liveness_.begin();
  stream_.clear();
  previous_stream_.clear();
  known_.following.clear();
  known_.followed_encrypted = core::follows_encrypted(assignment, assignment.access);
  known_.generation = assignment.generation;
  known_.starts = note_.starts;
  known_.brisk = assignment.brisk;
  known_.directives = std::move(assignment.directives);
  known_.access = std::move(assignment.access);
  known_.users = std::move(assignment.users);
  known_.hosts_file = std::move(hosts_file);
  unfollowed_ = false;
  known_.stream_pending = known_.clients_astray = false;
  refused_writes_ = 0;
  renewed_at_.reset();
  answered_ = false;
  version_.clear();
  offset_ = used_memory_ = 0;
  has_fence_ = fenced_ = kept_ = promised_ = false;
  contact_.reset();
  open_since_.reset();
  counted_epoch_ = core::Epoch(0);
}

Awaitable<void> AgentNode::remove() {
  ports_.driver.disconnect(key_);
  const Status removed = co_await ports_.runner.remove(key_);
  if (removed) {
    if (ports_.leases != nullptr) {
      ports_.leases->remove(key_);
    }
    known_.directory = false;
  }
  settle(removed);
}

core::NodeAssignment AgentNode::as_it_runs() const {
  core::NodeAssignment out = *desired_;
  out.access.transit_encryption = known_.access.transit_encryption;
  return out;
}

Awaitable<AgentNode::Woken> AgentNode::rest(Duration longest) {
  using namespace boost::asio::experimental::awaitable_operators;
  auto signal = wake_.wait();
  auto time = ports_.clock.sleep_for(longest);
  if (!known_.running) {
    const auto woken = co_await (std::move(signal) || std::move(time));
    co_return woken.index() == 0 ? Woken::kSignal : Woken::kTime;
  }
  auto exit = ports_.runner.wait_exit(process_);
  const auto woken = co_await (std::move(exit) || std::move(signal) || std::move(time));
  if (woken.index() == 0) {
    process_ended();
    // Once through the queue: the end is reported before anything is done about it.
    co_await boost::asio::post(boost::asio::use_awaitable);
    co_return Woken::kExit;
  }
  co_return woken.index() == 1 ? Woken::kSignal : Woken::kTime;
}

// After an action: success clears the problem, failure tells it and waits longer each time.
void AgentNode::settle(const Status& status) {
  if (known_.dying) {
    return;  // what failed, failed because of that
  }
  if (status) {
    problem_.clear();
    failures_ = 0;
    return;
  }
  problem_ = status.error().message;
  ports_.log.warn(fmt::format("node {}: {}", key_.str(), problem_));
  not_before_ = ports_.clock.monotonic() + backoff(failures_++);
}

void AgentNode::publish() {
  using Seen = core::NodeObservation::Process;
  core::NodeObservation now;
  now.node = key_;
  now.process = known_.directory ? Seen::kStopped : Seen::kAbsent;
  if (known_.running) {
    now.process = known_.dying ? Seen::kDying : Seen::kRunning;
  } else if (begun_ == Begun::kStart) {
    now.process = Seen::kStarting;
  }
  now.promoting = begun_ == Begun::kPromotion;
  now.starts = known_.starts;
  if (known_.running) {
    now.pid = process_.pid;
    now.generation = known_.generation;
    now.ready = known_.answers && !known_.loading;
    now.role = known_.role;
    now.link_up = known_.link_up;
    now.edition = standing_.edition;
    now.outdated = standing_.outdated;
    now.used_memory = used_memory_;
    now.running_version = version_;
    now.newer_program = standing_.newer_program(version_, note_);
    now.substitution = standing_.substitution;
    now.has_fence = has_fence_;
    now.fenced = fenced_;
    now.kept = kept_;
    now.counted_epoch = counted_epoch_;
    now.promised = promised_;
    now.synced = known_.synced;
    now.hung = known_.hung;
    now.writes_paused = known_.writes_paused;
    now.stream = stream_;
    now.previous_stream = previous_stream_;
    now.surveyed = surveyed_;
    now.offset_settled = offset_settled_;
  }
  now.replication_offset = offset_;  // of a dead process the last one known
  now.offset_read = offset_read_;
  now.data_on_disk = known_.synced ? 0 : data_on_disk_;
  now.fault_seen = fault_seen_;
  now.loaded_percent = known_.running && known_.loading ? loaded_percent_ : 0;
  now.restore_problem = restore_problem_;
  now.problem = problem_;
  now.unservable = standing_.unservable;
  if (now == *observation_) {
    return;
  }
  // A mere offset travels with the next report.
  core::NodeObservation before = *observation_;
  before.take_offset_of(now);
  const bool news = now != before;
  observation_ = std::move(now);
  if (news) {
    changed_();
  }
}

}  // namespace hikae::control
