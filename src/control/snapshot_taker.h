#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "control/snapshot_ports.h"
#include "control/wake_signal.h"
#include "core/reconcile/assignment.h"
#include "core/reconcile/observed.h"

namespace hikae::control {

// The agent's part in snapshots: saves the data of the nodes whose assignments ask for it and puts
// it into the region's snapshot directory, one coroutine for each, beside those that keep the
// nodes. What it was about to do when the program ended is done again by the next agent.
class SnapshotTaker {
 public:
  struct Ports {
    // nullptr: the host sees no directory of snapshots, so that every one of it fails.
    DataSaver* saver;
    SnapshotFiles* files;
    Clock& clock;
    Log& log;
  };
  // `changed` is called whenever progress() of a node changed.
  SnapshotTaker(boost::asio::any_io_executor executor, Ports ports, std::function<void()> changed);
  ~SnapshotTaker();  // stop() must have returned

  void assign(const core::Assignment& assignment);
  // How far the node's newest snapshot has come.
  core::SnapshotProgress progress(const core::NodeKey& node) const;
  // Returns when no coroutine is left. Engines that save go on saving.
  Awaitable<void> stop();

 private:
  struct Job {
    core::NodeAssignment assignment;
    core::SnapshotProgress progress;
    bool wanted = true;
  };
  using Stage = core::SnapshotProgress::Stage;

  void begin(const core::NodeAssignment& assignment);
  Awaitable<void> run(std::shared_ptr<Job> job);
  Awaitable<bool> save(std::shared_ptr<Job> job);
  Awaitable<void> store(std::shared_ptr<Job> job);
  Awaitable<void> pause(Duration time);
  void finish(Job& job, const SnapshotFile& file);
  void fail_with(Job& job, const std::string& problem);
  bool goes_on(const Job& job) const { return job.wanted && !stopping_; }

  boost::asio::any_io_executor executor_;
  Ports ports_;
  std::function<void()> changed_;
  std::map<core::NodeKey, std::shared_ptr<Job>> jobs_;
  WakeSignal finished_;
  int coroutines_ = 0;
  bool stopping_ = false;
};

}  // namespace hikae::control
