#include "control/snapshot_taker.h"

#include <algorithm>
#include <exception>
#include <set>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include "base/check.h"

namespace hikae::control {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A small database is saved within milliseconds, a large one takes minutes.
constexpr Duration kFirstLook = milliseconds(5);
constexpr Duration kLongestLook = seconds(1);
// Between two tries to begin: the engine does something else, or does not answer.
constexpr Duration kRetry = milliseconds(200);
// stop() never waits for longer than this.
constexpr Duration kSlice = milliseconds(100);

}  // namespace

SnapshotTaker::SnapshotTaker(boost::asio::any_io_executor executor, Ports ports,
                             std::function<void()> changed)
    : executor_(std::move(executor)),
      ports_(ports),
      changed_(std::move(changed)),
      finished_(executor_) {}

SnapshotTaker::~SnapshotTaker() {
  HIKAE_CHECK(coroutines_ == 0);
}

void SnapshotTaker::assign(const core::Assignment& assignment) {
  std::set<core::NodeKey> wanted;
  for (const core::NodeAssignment& node : assignment.nodes) {
    if (node.snapshot_file.empty()) {
      continue;
    }
    wanted.insert(node.node);
    const auto known = jobs_.find(node.node);
    if (known != jobs_.end() && known->second->progress.file == node.snapshot_file) {
      known->second->assignment = node;
    } else {
      begin(node);
    }
  }
  std::erase_if(jobs_, [&](const auto& item) {
    const bool over = !wanted.contains(item.first);
    item.second->wanted = !over;
    return over;
  });
}

void SnapshotTaker::begin(const core::NodeAssignment& assignment) {
  std::shared_ptr<Job>& slot = jobs_[assignment.node];
  if (slot) {
    slot->wanted = false;
  }
  slot = std::make_shared<Job>();
  slot->assignment = assignment;
  slot->progress.file = assignment.snapshot_file;
  slot->progress.stage = Stage::kSaving;
  ++coroutines_;
  boost::asio::co_spawn(executor_, run(slot), [this](std::exception_ptr thrown) {
    HIKAE_CHECK(thrown == nullptr);
    --coroutines_;
    finished_.raise();
  });
}

core::SnapshotProgress SnapshotTaker::progress(const core::NodeKey& node) const {
  const auto it = jobs_.find(node);
  return it == jobs_.end() ? core::SnapshotProgress() : it->second->progress;
}

Awaitable<void> SnapshotTaker::stop() {
  stopping_ = true;
  while (coroutines_ > 0) {
    co_await finished_.wait();
  }
}

Awaitable<void> SnapshotTaker::run(std::shared_ptr<Job> job) {
  if (ports_.saver == nullptr || ports_.files == nullptr) {
    fail_with(*job, kNoSnapshots);
    co_return;
  }
  // An agent before this one may have come as far as that.
  std::string file = job->progress.file;
  const auto there = co_await ports_.files->check(std::move(file));
  if (there) {
    finish(*job, *there);
    co_return;
  }
  const bool saved = co_await save(job);
  if (saved && goes_on(*job)) {
    co_await store(std::move(job));
  }
}

// Until the engine has saved its data since it was asked to. One that ends meanwhile is no failure:
// the control plane sees it and asks another one.
Awaitable<bool> SnapshotTaker::save(std::shared_ptr<Job> job) {
  bool begun = false;
  Duration look = kFirstLook;
  while (goes_on(*job)) {
    core::NodeAssignment assignment = job->assignment;
    if (!begun) {
      const Status asked = co_await ports_.saver->begin(std::move(assignment));
      if (!asked && asked.error().code == ErrorCode::kInvalid) {
        fail_with(*job, asked.error().message);
        co_return false;
      }
      begun = asked.has_value();
      const Duration time = begun ? kFirstLook : kRetry;
      co_await pause(time);
      continue;
    }
    const auto state = co_await ports_.saver->look(std::move(assignment));
    if (state && *state == DataSaver::State::kSaved) {
      co_return true;
    }
    if (state && *state == DataSaver::State::kFailed) {
      fail_with(*job, fmt::format("node {} could not write its data: the disk may be full; see its "
                                  "engine.log",
                                  job->assignment.node.str()));
      co_return false;
    }
    begun = state.has_value() || state.error().code != ErrorCode::kConflict;
    co_await pause(look);
    look = std::min(look + look / 2, kLongestLook);
  }
  co_return false;
}

Awaitable<void> SnapshotTaker::store(std::shared_ptr<Job> job) {
  job->progress.stage = Stage::kStoring;
  changed_();
  std::string path = ports_.saver->saved_file(job->assignment);
  std::string file = job->progress.file;
  const auto stored = co_await ports_.files->take_over(std::move(path), std::move(file));
  if (stored) {
    finish(*job, *stored);
  } else if (!stopping_) {
    fail_with(*job, stored.error().message);
  }
}

Awaitable<void> SnapshotTaker::pause(Duration time) {
  const Monotonic end = ports_.clock.monotonic() + time;
  while (!stopping_ && ports_.clock.monotonic() < end) {
    const Duration slice = std::min(kSlice, end - ports_.clock.monotonic());
    co_await ports_.clock.sleep_for(slice);
  }
}

void SnapshotTaker::finish(Job& job, const SnapshotFile& file) {
  job.progress.stage = Stage::kDone;
  job.progress.bytes = file.bytes;
  job.progress.used_memory = file.used_memory;
  job.progress.format = file.format;
  job.progress.checksum = file.checksum;
  changed_();
}

void SnapshotTaker::fail_with(Job& job, const std::string& problem) {
  ports_.log.error(fmt::format("node {}: no snapshot: {}", job.assignment.node.str(), problem));
  job.progress.stage = Stage::kFailed;
  job.progress.problem = problem;
  changed_();
}

}  // namespace hikae::control
