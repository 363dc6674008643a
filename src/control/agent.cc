#include "control/agent.h"

#include <algorithm>
#include <exception>
#include <set>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>

#include "base/check.h"

namespace hikae::control {
namespace {

constexpr Duration kFindRetry = std::chrono::seconds(1);
// A cheap glance costs 2 us, a whole one 6, and a question to an engine 120, on a machine that does
// other things too. With so much time between two of them for each node, either stays below 0.5 %
// of a core however many nodes there are; a process that plays the hosts of three zones takes three
// times as much.
constexpr Duration kWatchShare = std::chrono::microseconds(1200);
constexpr Duration kPollShare = std::chrono::milliseconds(36);
constexpr Duration kWatchPeriod = std::chrono::milliseconds(2);
constexpr Duration kIdleWatchPeriod = std::chrono::milliseconds(30);
// Answers of hundreds that are in a survey together would take both processors from the kernel's
// threads that write commits to the disk, and from those that are dying.
constexpr Duration kSurveyShare = std::chrono::microseconds(100);
constexpr Duration kQuickestSurvey = std::chrono::microseconds(200);
constexpr Duration kSlowestSurvey = std::chrono::milliseconds(20);
constexpr int kRoundsPerGlanceAtAll = 16;
constexpr int kRoundsPerWholeGlance = 4;  // where primaries have to share
constexpr Duration kQuickestPoll = std::chrono::milliseconds(20);
constexpr Duration kSteadyPoll = std::chrono::seconds(1);
// A turn copies what is known of every node, and whoever is told compares all of it: with so much
// time between two turns that stays a small share of a core.
constexpr Duration kTurnOfNode = std::chrono::microseconds(20);
constexpr std::size_t kFewNodes = 32;

bool is_to_change_roles(const core::NodeAssignment& before, const core::NodeAssignment& after) {
  return before.role != after.role || before.may_promote != after.may_promote;
}

}  // namespace

Agent::Agent(boost::asio::any_io_executor executor, core::HostId host, AgentPorts ports,
             ReportLink& reports)
    : executor_(std::move(executor)),
      host_(std::move(host)),
      ports_(ports),
      reports_(reports),
      wake_(executor_),
      finished_(executor_),
      taker_(executor_, {ports_.saver, ports_.snapshots, ports_.clock, ports_.log},
             [this] { tell_news(); }),
      courier_(executor_, {ports_.logs, ports_.log_sink, ports_.runner, ports_.clock, ports_.log},
               [this] { tell_news(); }),
      sources_(executor_, {ports_.sources, ports_.clock, ports_.log}, [this] { tell_news(); }) {
  set_pace(0);
  if (ports_.leases != nullptr && ports_.promises != nullptr && ports_.lease_link != nullptr) {
    keeper_.emplace(executor_, LeaseKeeper::Parts{*ports_.leases, *ports_.promises,
                                                  *ports_.lease_link, ports_.clock, ports_.log});
  }
}

Agent::~Agent() {
  HIKAE_CHECK(coroutines_ == 0);
}

void Agent::start() {
  begin(run());
  begin(watch());
  courier_.start();
  if (keeper_) {
    keeper_->start();
  }
}

void Agent::granted(const LeaseGrant& grant) {
  if (keeper_) {
    keeper_->granted(grant);
  }
  for (const auto& [key, epoch] : grant.primaries) {
    if (const auto known = nodes_.find(key); known != nodes_.end()) {
      known->second.node->lease_granted();
    }
  }
}

void Agent::begin(Awaitable<void> coroutine) {
  ++coroutines_;
  boost::asio::co_spawn(executor_, std::move(coroutine), [this](std::exception_ptr thrown) {
    HIKAE_CHECK(thrown == nullptr);
    --coroutines_;
    finished_.raise();
  });
}

Awaitable<void> Agent::watch() {
  int round = 0;
  while (!stopping_) {
    int watched = 0;
    const bool look_at_all = round % kRoundsPerGlanceAtAll == 0;
    const AgentNode::Glance kind = kind_of_glance(round++);
    for (auto& [key, entry] : nodes_) {
      const bool now = entry.node->is_watched();
      watched += now;
      if (now || look_at_all) {
        entry.node->glance(kind);
      }
    }
    set_pace(watched);
    const Duration period = glance_period_;
    co_await ports_.clock.sleep_for(period);
  }
}

AgentNode::Glance Agent::kind_of_glance(int round) const {
  const bool shared = glance_period_ > kWatchPeriod && watched_ > 0;
  return shared && round % kRoundsPerWholeGlance != 0 ? AgentNode::Glance::kCheap
                                                      : AgentNode::Glance::kWhole;
}

void Agent::set_pace(int watched) {
  const auto nodes = std::int64_t(nodes_.size());
  watched_ = watched;
  glance_period_ = watched == 0 ? kIdleWatchPeriod : std::max(kWatchPeriod, kWatchShare * watched);
  // What hangs without being stopped is only seen when it was asked.
  pace_.watched = std::clamp(ports_.limits.hang, kQuickestPoll, kSteadyPoll);
  pace_.watched = std::max(pace_.watched, kPollShare * nodes);
  pace_.others = std::max(kSteadyPoll, kPollShare * nodes);
}

AgentLoad Agent::load() const {
  return AgentLoad{int(nodes_.size()), watched_, glance_period_, pace_.watched, pace_.others};
}

void Agent::assign(core::Assignment assignment) {
  const bool stale = assigned_ && assignment.revision < newest_.revision;
  if (assignment.host != host_ || stale) {
    ports_.log.warn(fmt::format("host {}: ignored an assignment for host {} at revision {}",
                                host_.str(), assignment.host.str(), assignment.revision.value()));
    return;
  }
  newest_ = std::move(assignment);
  if (keeper_) {
    keeper_->assign(newest_);
  }
  assigned_ = take_up_ = true;
  wake_.raise();
}

Awaitable<void> Agent::stop() {
  stopping_ = true;
  for (auto& [key, entry] : nodes_) {
    entry.node->stop();
  }
  wake_.raise();
  if (keeper_) {
    co_await keeper_->stop();
  }
  co_await taker_.stop();
  co_await courier_.stop();
  co_await sources_.stop();
  while (coroutines_ > 0) {
    co_await finished_.wait();
  }
}

Awaitable<void> Agent::run() {
  co_await find_nodes();
  while (!stopping_) {
    if (assigned_ && std::exchange(take_up_, false)) {
      take_up();
    }
    look_around();
    report_if_news();
    const Monotonic next_turn = ports_.clock.monotonic() + turn_time();
    co_await wake_.wait();
    const Duration early = next_turn - ports_.clock.monotonic();
    if (early > Duration() && !stopping_) {
      co_await ports_.clock.sleep_for(early);
    }
  }
}

// A turn looks at every node, so news of many gather for a moment: else a lost zone costs more in
// reports than in failovers.
Duration Agent::turn_time() const {
  return nodes_.size() < kFewNodes ? Duration() : kTurnOfNode * std::int64_t(nodes_.size());
}

Awaitable<void> Agent::find_nodes() {
  using namespace boost::asio::experimental::awaitable_operators;
  while (!stopping_) {
    auto found = co_await ports_.runner.find_all();
    if (found) {
      for (FoundNode& node : *found) {
        found_.insert_or_assign(node.node, std::move(node));
      }
      co_return;
    }
    ports_.log.error(fmt::format("host {}: cannot look for running engines: {}", host_.str(),
                                 found.error().message));
    auto retry = ports_.clock.sleep_for(kFindRetry);
    auto woken = wake_.wait();
    co_await (std::move(retry) || std::move(woken));
  }
}

// Gives every node its part of the newest assignment. A node that ended is made anew if it is
// wanted again.
void Agent::take_up() {
  std::erase_if(nodes_, [](const auto& item) { return item.second.ended; });
  ++turn_;
  // Clients wait for those that change roles, and for nobody else.
  std::partition(newest_.nodes.begin(), newest_.nodes.end(), [this](const auto& wanted) {
    const auto known = nodes_.find(wanted->node);
    return known != nodes_.end() && known->second.wanted &&
           is_to_change_roles(**known->second.wanted, *wanted);
  });
  const auto surveyed = std::count_if(newest_.nodes.begin(), newest_.nodes.end(),
                                      [](const auto& wanted) { return wanted->survey; });
  pace_.survey = std::clamp<Duration>(kSurveyShare * surveyed, kQuickestSurvey, kSlowestSurvey);
  for (const Shared<core::NodeAssignment>& wanted : newest_.nodes) {
    const auto known = nodes_.find(wanted->node);
    Entry& entry = known == nodes_.end() ? add_node(wanted->node) : known->second;
    entry.turn = turn_;
    if (!entry.wanted || !entry.wanted->is_same(wanted)) {
      entry.wanted = wanted;
      entry.node->assign(*wanted);
    }
  }
  while (!found_.empty()) {
    add_node(found_.begin()->first);
  }
  for (auto& [key, entry] : nodes_) {
    if (entry.turn != turn_) {
      entry.wanted.reset();
      entry.node->assign(std::nullopt);
    }
    if (!entry.started) {
      run_node(key, entry);
    }
  }
  give_up_addresses();
  taker_.assign(newest_);
  courier_.assign(newest_);
  sources_.assign(newest_);
  news_ = true;
}

// What no node listens on, nor is to.
void Agent::give_up_addresses() {
  if (ports_.addresses == nullptr) {
    return;
  }
  std::set<Ipv4> wanted;
  for (const auto& [key, entry] : nodes_) {
    if (!entry.ended && entry.node->address()) {
      wanted.insert(*entry.node->address());
    }
  }
  ports_.addresses->keep_only(std::move(wanted));
}

Agent::Entry& Agent::add_node(core::NodeKey key) {
  std::optional<FoundNode> found;
  if (auto taken = found_.extract(key)) {
    found = std::move(taken.mapped());
  }
  Entry& entry = nodes_[key];
  entry.node = std::make_unique<AgentNode>(executor_, ports_, pace_, std::move(key), found,
                                           [this] { tell_news(); });
  return entry;
}

void Agent::run_node(const core::NodeKey& key, Entry& entry) {
  entry.started = true;
  ++coroutines_;
  boost::asio::co_spawn(executor_, entry.node->run(), [this, key](std::exception_ptr thrown) {
    HIKAE_CHECK(thrown == nullptr);
    node_ended(key);
  });
}

void Agent::node_ended(const core::NodeKey& key) {
  nodes_.at(key).ended = true;
  --coroutines_;
  news_ = take_up_ = true;
  wake_.raise();
  finished_.raise();
}

void Agent::tell_news() {
  news_ = true;
  wake_.raise();
}

// Deaths come together: when a host or a zone of it goes down, hundreds of processes are killed in
// a moment, and the last of them get a processor to die on a second later.
void Agent::look_around() {
  const auto is_down = [](const auto& item) { return item.second.node->is_down(); };
  const auto down = std::count_if(nodes_.begin(), nodes_.end(), is_down);
  if (down > std::exchange(down_, down)) {
    for (auto& [key, entry] : nodes_) {
      entry.node->glance(AgentNode::Glance::kWhole);
    }
  }
}

void Agent::report_if_news() {
  for (const auto& [key, entry] : nodes_) {
    // Right after a start adopted engines look like dead ones until they are asked.
    if (!entry.node->looked()) {
      return;
    }
  }
  if (!assigned_ || !std::exchange(news_, false)) {
    return;
  }
  core::HostReport report;
  report.host = host_;
  report.assignment_revision = newest_.revision;
  report.ticket = newest_.ticket;
  for (const auto& [key, entry] : nodes_) {
    if (!entry.ended) {
      report.nodes.push_back(observation_of(key, entry));
    }
  }
  reports_.report(std::move(report));
}

Shared<core::NodeObservation> Agent::observation_of(const core::NodeKey& key,
                                                    const Entry& entry) const {
  core::SnapshotProgress progress = taker_.progress(key);
  std::string log_problem = courier_.problem(key);
  core::SourceAnswer answer = sources_.answer(key);
  if (progress.stage == core::SnapshotProgress::Stage::kNone && log_problem.empty() &&
      answer.deadline == Instant()) {
    return entry.node->observation();
  }
  core::NodeObservation with_more = *entry.node->observation();
  with_more.snapshot = std::move(progress);
  with_more.log_problem = std::move(log_problem);
  with_more.source = std::move(answer);
  return with_more;
}

}  // namespace hikae::control
