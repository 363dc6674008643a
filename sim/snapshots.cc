#include "sim/snapshots.h"

#include <utility>

namespace hikae::sim {
namespace {

using control::Awaitable;
using control::SnapshotFile;
using core::NodeAssignment;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr unsigned kFullDiskPercent = 5;
constexpr const char* kDumpFile = "dump.rdb";

tl::unexpected<Error> not_an_agents_work() {
  return fail(ErrorCode::kInternal, "agents do not do that");
}

}  // namespace

Awaitable<Status> SnapshotPorts::begin(NodeAssignment assignment) {
  const core::NodeKey node = assignment.node;
  const auto pid = co_await ports_.reach(node);
  if (!pid) {
    co_return tl::unexpected(pid.error());
  }
  Engine& engine = *fleet_.find(*pid);
  if (engine.role == core::Role::kReplica && !engine.has_copy) {
    co_return fail(ErrorCode::kUnavailable, "the replica has no copy of the data yet");
  }
  if (!fleet_.save(engine)) {
    co_return fail(ErrorCode::kConflict, "it saves already, or loads");
  }
  asked_[node] = *pid;
  co_return Status();
}

Awaitable<Result<control::DataSaver::State>> SnapshotPorts::look(NodeAssignment assignment) {
  const core::NodeKey node = assignment.node;
  const auto pid = co_await ports_.reach(node);
  if (!pid) {
    co_return tl::unexpected(pid.error());
  }
  const Engine& engine = *fleet_.find(*pid);
  if (engine.pid != asked_[node]) {
    co_return fail(ErrorCode::kConflict, "the process that saved is gone");
  }
  if (engine.saving) {
    co_return State::kSaving;
  }
  if (!engine.saved) {
    co_return State::kFailed;
  }
  disk_.nodes[node].dump = engine.saved;
  co_return State::kSaved;
}

std::string SnapshotPorts::saved_file(const NodeAssignment& assignment) const {
  return ports_.path(assignment.node, kDumpFile);
}

Awaitable<Result<SnapshotFile>> SnapshotPorts::take_over(std::string path, std::string file) {
  co_await ports_.pass(milliseconds(1), milliseconds(100));
  if (ports_.ended()) {
    co_return fail(ErrorCode::kUnavailable, "this incarnation of the agent has ended");
  }
  for (auto& [node, directory] : disk_.nodes) {
    if (ports_.path(node, kDumpFile) != path || !directory.dump) {
      continue;
    }
    const Shelf::File taken{node, *std::exchange(directory.dump, std::nullopt)};
    if (env_.random.percent(kFullDiskPercent)) {
      co_return fail(ErrorCode::kExhausted, "the disk is full");
    }
    shelf_.files[file] = taken;
    co_return describe(taken);
  }
  co_return fail(ErrorCode::kNotFound, path + " is gone");
}

Awaitable<Result<SnapshotFile>> SnapshotPorts::check(std::string file) {
  co_await ports_.pass(microseconds(100), milliseconds(20));
  const auto it = shelf_.files.find(file);
  if (ports_.ended() || it == shelf_.files.end()) {
    co_return fail(ErrorCode::kNotFound, "there is no such file");
  }
  co_return describe(it->second);
}

SnapshotFile SnapshotPorts::describe(const Shelf::File& file) const {
  return SnapshotFile{fleet_.history().offset(file.data), 0, 11, "0123456789abcdef"};
}

Awaitable<Result<SnapshotFile>> SnapshotPorts::copy(std::string, std::string) {
  co_return not_an_agents_work();
}
Awaitable<Result<SnapshotFile>> SnapshotPorts::fetch(control::BucketObject, std::string) {
  co_return not_an_agents_work();
}
Awaitable<Status> SnapshotPorts::put(std::string, control::BucketObject) {
  co_return not_an_agents_work();
}
Awaitable<Status> SnapshotPorts::may_put(control::BucketObject) {
  co_return not_an_agents_work();
}
Awaitable<Status> SnapshotPorts::remove(std::string) {
  co_return not_an_agents_work();
}
Awaitable<Status> SnapshotPorts::sweep(std::set<std::string>, Duration) {
  co_return not_an_agents_work();
}

}  // namespace hikae::sim
