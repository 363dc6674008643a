#include "control/source_watch.h"

#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include "base/check.h"

namespace hikae::control {
namespace {

using Use = core::MigrationSource::Use;

// Somewhat longer than the cut-over may take. What is left of it gives the source's clients time to
// go elsewhere.
constexpr Duration kSourcePause = std::chrono::seconds(10);
// Between two looks while clients of the source wait.
constexpr Duration kPulse = std::chrono::milliseconds(20);
// And between two tries to reach it.
constexpr Duration kRetry = std::chrono::milliseconds(500);

bool asks(const core::MigrationSource& source) {
  return source.use == Use::kCheck || source.use == Use::kCutOver;
}

}  // namespace

SourceWatch::SourceWatch(boost::asio::any_io_executor executor, Ports ports,
                         std::function<void()> changed)
    : executor_(std::move(executor)),
      ports_(ports),
      changed_(std::move(changed)),
      finished_(executor_) {}

SourceWatch::~SourceWatch() {
  HIKAE_CHECK(coroutines_ == 0);
}

void SourceWatch::assign(const core::Assignment& assignment) {
  std::map<core::NodeKey, const core::NodeAssignment*> nodes;
  for (const core::NodeAssignment& node : assignment.nodes) {
    if (node.source.use != Use::kNone) {
      nodes.emplace(node.node, &node);
    }
  }
  std::erase_if(jobs_, [&](const auto& item) {
    const auto now = nodes.find(item.first);
    const core::NodeAssignment* node = now == nodes.end() ? nullptr : now->second;
    const bool goes_on = node != nullptr && node->source == item.second->assignment.source;
    if (!goes_on) {
      end(*item.second, node);
    }
    return !goes_on;
  });
  for (const auto& [key, node] : nodes) {
    if (asks(node->source) && !jobs_.contains(key)) {
      begin(*node);
    }
  }
}

void SourceWatch::begin(const core::NodeAssignment& assignment) {
  const auto job = std::make_shared<Job>();
  job->assignment = assignment;
  jobs_[assignment.node] = job;
  ++coroutines_;
  boost::asio::co_spawn(executor_, run(job), [this](std::exception_ptr thrown) {
    HIKAE_CHECK(thrown == nullptr);
    --coroutines_;
    finished_.raise();
  });
}

void SourceWatch::end(Job& job, const core::NodeAssignment* now) {
  job.wanted = false;
  job.to_resume = now != nullptr && now->source.use == Use::kFollow;
}

core::SourceAnswer SourceWatch::answer(const core::NodeKey& node) const {
  const auto it = jobs_.find(node);
  return it == jobs_.end() ? core::SourceAnswer() : it->second->answer;
}

Awaitable<void> SourceWatch::stop() {
  stopping_ = true;
  while (coroutines_ > 0) {
    co_await finished_.wait();
  }
}

Awaitable<void> SourceWatch::run(std::shared_ptr<Job> job) {
  if (ports_.sources == nullptr) {
    core::SourceAnswer none;
    none.problem = "the agent of its host cannot reach servers outside of the region";
    take(*job, std::move(none));
  } else if (job->assignment.source.use == Use::kCheck) {
    co_await check(std::move(job));
  } else {
    co_await hold_writes(std::move(job));
  }
}

Awaitable<void> SourceWatch::check(std::shared_ptr<Job> job) {
  core::NodeAssignment assignment = job->assignment;
  auto answer = co_await ports_.sources->check(std::move(assignment));
  take(*job, std::move(answer));
}

// Until the control plane has decided: what its replica has meanwhile is no news by itself.
Awaitable<void> SourceWatch::hold_writes(std::shared_ptr<Job> job) {
  bool answered = false;
  while (goes_on(*job)) {
    if (!answered) {
      core::NodeAssignment assignment = job->assignment;
      auto answer = co_await ports_.sources->pause_writes(std::move(assignment), kSourcePause);
      answered = answer.problem.empty();
      take(*job, std::move(answer));
    }
    changed_();
    const Duration time = answered ? kPulse : kRetry;
    co_await ports_.clock.sleep_for(time);
  }
  if (answered && job->to_resume) {
    core::NodeAssignment assignment = job->assignment;
    co_await ports_.sources->resume_writes(std::move(assignment));
  }
}

void SourceWatch::take(Job& job, core::SourceAnswer answer) {
  const core::NodeAssignment& assignment = job.assignment;
  answer.deadline = assignment.source.deadline;
  const std::string words = answer.problem.empty() ? "answers" : answer.problem;
  ports_.log.info(fmt::format("node {}: its source {} ({}): {}", assignment.node.str(),
                              assignment.source.str(), answer.version, words));
  job.answer = std::move(answer);
  changed_();
}

}  // namespace hikae::control
