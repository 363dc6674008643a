#pragma once

#include <map>
#include <set>
#include <string>

#include "control/snapshot_ports.h"
#include "sim/host_ports.h"

namespace hikae::sim {

// The region's snapshot directory, which outlives everybody: a file is there whole or not at all.
struct Shelf {
  struct File {
    core::NodeKey node;  // whose data it is
    History::Place data = History::kEmpty;
  };
  std::map<std::string, File> files;
};

// An agent's hands for snapshots: engines that save beside serving, and the shelf. Like the agent's
// other ports it does nothing more after their end().
class SnapshotPorts final : public control::DataSaver, public control::SnapshotFiles {
 public:
  SnapshotPorts(Env env, Fleet& fleet, Disk& disk, HostPorts& ports, Shelf& shelf)
      : env_(env), fleet_(fleet), disk_(disk), ports_(ports), shelf_(shelf) {}

  // DataSaver
  control::Awaitable<Status> begin(core::NodeAssignment assignment) override;
  control::Awaitable<Result<State>> look(core::NodeAssignment assignment) override;
  std::string saved_file(const core::NodeAssignment& assignment) const override;

  // SnapshotFiles: what agents need of it.
  control::Awaitable<Result<control::SnapshotFile>> take_over(std::string path,
                                                              std::string file) override;
  control::Awaitable<Result<control::SnapshotFile>> check(std::string file) override;
  control::Awaitable<Result<control::SnapshotFile>> copy(std::string from, std::string to) override;
  control::Awaitable<Result<control::SnapshotFile>> fetch(control::BucketObject object,
                                                          std::string file) override;
  control::Awaitable<Status> put(std::string file, control::BucketObject object) override;
  control::Awaitable<Status> may_put(control::BucketObject object) override;
  control::Awaitable<Status> remove(std::string file) override;
  control::Awaitable<Status> sweep(std::set<std::string> used, Duration age) override;
  std::string path(const std::string& file) const override { return "shelf/" + file; }

 private:
  control::SnapshotFile describe(const Shelf::File& file) const;

  Env env_;
  Fleet& fleet_;
  Disk& disk_;
  HostPorts& ports_;
  Shelf& shelf_;
  std::map<core::NodeKey, Pid> asked_;  // the process that was asked to save
};

}  // namespace hikae::sim
