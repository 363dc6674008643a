#include "control/snapshot_keeper.h"

#include <exception>
#include <utility>
#include <vector>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>

#include "base/check.h"
#include "core/reconcile/snapshot_schedule.h"
#include "core/reconcile/snapshot_work.h"

namespace hikae::control {
namespace {

// Windows open and retentions end without an event.
constexpr Duration kLook = std::chrono::seconds(20);
// After a change of the state; all groups and snapshots are gone through each time.
constexpr Duration kShortestLook = std::chrono::seconds(1);
constexpr Duration kSweepPeriod = std::chrono::minutes(30);
// A file that is written right now has no place in the state yet.
constexpr Duration kSweepAge = std::chrono::hours(1);

}  // namespace

Awaitable<void> remove_unused_snapshot_files(const Frontend& frontend, SnapshotFiles& files,
                                             Log& log) {
  auto used = core::snapshot_files_in_use(frontend.state());
  const Status swept = co_await files.sweep(std::move(used), Duration());
  if (!swept) {
    log.warn(swept.error().message);
  }
}

SnapshotKeeper::SnapshotKeeper(boost::asio::any_io_executor executor, Frontend& frontend,
                               SnapshotFiles& files, Clock& clock, Log& log,
                               std::optional<LeaderTerm> term)
    : frontend_(frontend),
      files_(files),
      clock_(clock),
      log_(log),
      term_(term),
      wake_(executor),
      task_(std::move(executor)) {}

SnapshotKeeper::~SnapshotKeeper() {
  HIKAE_CHECK(!task_.is_running());
  frontend_.forget(observer_);
}

void SnapshotKeeper::start() {
  swept_ = clock_.monotonic();
  scheduled_ = swept_ + -kLook;  // at once
  observer_ = frontend_.observe([this](const core::State&, const core::Transition&) {
    changed_ = true;
    wake_.raise();
  });
  task_.start(run(), [](std::exception_ptr thrown) { HIKAE_CHECK(thrown == nullptr); });
}

Awaitable<void> SnapshotKeeper::stop() {
  stopping_ = true;
  wake_.raise();
  co_await task_.over();
}

Awaitable<void> SnapshotKeeper::run() {
  using namespace boost::asio::experimental::awaitable_operators;
  while (!stopping_) {
    const Monotonic now = clock_.monotonic();
    bool done = false;
    if (now - scheduled_ >= (changed_ ? kShortestLook : kLook)) {
      scheduled_ = now;
      changed_ = false;
      later_.clear();
      done = co_await schedule();
      co_await sweep_now_and_then();
    }
    if (!done) {
      done = co_await work();
    }
    if (!done) {
      auto woken = wake_.wait();
      auto time = clock_.sleep_until(scheduled_ + (changed_ ? kShortestLook : kLook));
      co_await (std::move(woken) || std::move(time));
    }
  }
}

Awaitable<bool> SnapshotKeeper::schedule() {
  bool due = false;
  Frontend::Decision decision = [&due](const core::State& state, core::AdmissionContext context) {
    core::Transition transition = core::due_snapshots(state, context);
    due = !transition.empty();
    return core::Admitted<core::Transition>(std::move(transition));
  };
  const auto committed = co_await frontend_.submit(std::move(decision), term_);
  const bool done = due && committed.has_value();
  co_return done;
}

Awaitable<bool> SnapshotKeeper::work() {
  const auto next = core::next_snapshot_work(frontend_.state(), later_);
  if (!next) {
    co_return false;
  }
  core::Snapshot snapshot = *frontend_.state().find<core::Snapshot>(next->snapshot);
  switch (next->kind) {
    case core::SnapshotWork::Kind::kCopy:
      co_return co_await copy(std::move(snapshot));
    case core::SnapshotWork::Kind::kExport:
      co_return co_await put(std::move(snapshot));
    case core::SnapshotWork::Kind::kRemove:
      co_return co_await remove(std::move(snapshot));
  }
  co_return false;
}

// The copy's files are named after it, so that a copy which a crash cut short is written over.
Awaitable<bool> SnapshotKeeper::copy(core::Snapshot copy) {
  const auto* source = frontend_.state().find<core::Snapshot>(copy.copy_of);
  std::string problem = source == nullptr ? "its source is gone" : "";
  std::vector<std::string> from;
  for (std::size_t i = 0; source != nullptr && i < source->nodes.size(); ++i) {
    from.push_back(source->nodes[i].file);
  }
  std::vector<std::string> files;
  for (std::size_t i = 0; i < from.size() && problem.empty(); ++i) {
    files.push_back(fmt::format("copy-{}-{}.rdb", copy.created_at.microseconds(), i));
    std::string to = files.back();
    const auto copied = co_await files_.copy(std::move(from[i]), std::move(to));
    problem = copied ? "" : copied.error().message;
  }
  if (stopping_) {
    co_return false;  // the next one does it again
  }
  const core::SnapshotName name = copy.name;
  Frontend::Decision decision = [&](const core::State& state, core::AdmissionContext context) {
    return core::Admitted<core::Transition>(
        problem.empty() ? core::snapshot_copied(state, name, files, context)
                        : core::snapshot_copy_failed(state, name, problem, context));
  };
  co_await commit(std::move(decision));
  co_return true;
}

Awaitable<bool> SnapshotKeeper::put(core::Snapshot snapshot) {
  std::string problem;
  for (std::size_t i = 0; i < snapshot.nodes.size() && problem.empty(); ++i) {
    std::string file = snapshot.nodes[i].file;
    BucketObject object;
    object.bucket = snapshot.bucket;
    object.key = core::export_key(snapshot, snapshot.nodes[i]);
    const Status done = co_await files_.put(std::move(file), std::move(object));
    problem = done ? "" : done.error().message;
  }
  if (stopping_) {
    co_return false;
  }
  const core::SnapshotName name = snapshot.name;
  Frontend::Decision decision = [&](const core::State& state, core::AdmissionContext context) {
    return core::Admitted<core::Transition>(core::snapshot_exported(state, name, problem, context));
  };
  co_await commit(std::move(decision));
  co_return true;
}

Awaitable<bool> SnapshotKeeper::remove(core::Snapshot snapshot) {
  for (const core::NodeSnapshot& node : snapshot.nodes) {
    if (node.file.empty()) {
      continue;
    }
    std::string file = node.file;
    const Status removed = co_await files_.remove(std::move(file));
    if (!removed) {
      log_.warn(fmt::format("snapshot {}: {}", snapshot.name.str(), removed.error().message));
      later_.insert(snapshot.name);
      co_return false;
    }
  }
  const core::SnapshotName name = snapshot.name;
  Frontend::Decision decision = [&](const core::State& state, core::AdmissionContext) {
    return core::Admitted<core::Transition>(core::snapshot_removed(state, name));
  };
  co_await commit(std::move(decision));
  co_return true;
}

Awaitable<void> SnapshotKeeper::commit(Frontend::Decision decision) {
  const auto committed = co_await frontend_.submit(std::move(decision), term_);
  if (!committed) {
    log_.warn(fmt::format("snapshots: {}", committed.error().message));
    const Duration pause = std::chrono::seconds(1);
    co_await clock_.sleep_for(pause);
  }
}

Awaitable<void> SnapshotKeeper::sweep_now_and_then() {
  if (clock_.monotonic() - swept_ < kSweepPeriod) {
    co_return;
  }
  swept_ = clock_.monotonic();
  auto used = core::snapshot_files_in_use(frontend_.state());
  const Duration age = kSweepAge;
  const Status swept = co_await files_.sweep(std::move(used), age);
  if (!swept) {
    log_.warn(swept.error().message);
  }
}

}  // namespace hikae::control
