#pragma once

#include <functional>
#include <map>
#include <memory>

#include <boost/asio/any_io_executor.hpp>

#include "control/migration_ports.h"
#include "control/wake_signal.h"
#include "core/reconcile/assignment.h"
#include "core/reconcile/observed.h"

namespace hikae::control {

// The agent's part in migrations beside following: asks the servers that assignments name as
// sources what they are to be asked, one coroutine for each question. Nothing is remembered: the
// next agent asks again.
class SourceWatch {
 public:
  struct Ports {
    MigrationSources* sources;  // nullptr: none can be reached
    Clock& clock;
    Log& log;
  };
  // `changed` is called whenever there is news of answer() or, while a source holds back its
  // writes, of the node that follows it.
  SourceWatch(boost::asio::any_io_executor executor, Ports ports, std::function<void()> changed);
  ~SourceWatch();  // stop() must have returned

  void assign(const core::Assignment& assignment);
  // Empty: nothing was answered to what the newest assignment asks.
  core::SourceAnswer answer(const core::NodeKey& node) const;
  // Returns when no coroutine is left. A source that holds back its writes goes on by itself.
  Awaitable<void> stop();

 private:
  struct Job {
    core::NodeAssignment assignment;
    core::SourceAnswer answer;
    bool wanted = true;
    bool to_resume = false;  // no longer wanted, and the source is followed on
  };

  void begin(const core::NodeAssignment& assignment);
  void end(Job& job, const core::NodeAssignment* now);
  Awaitable<void> run(std::shared_ptr<Job> job);
  Awaitable<void> check(std::shared_ptr<Job> job);
  Awaitable<void> hold_writes(std::shared_ptr<Job> job);
  void take(Job& job, core::SourceAnswer answer);
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
