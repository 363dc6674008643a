#pragma once

#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "control/background_task.h"
#include "control/ports.h"

namespace hikae::control {

// What only the leader does.
class LeaderDuty {
 public:
  // This server leads. Must not wait: the term is not kept alive meanwhile. A failure gives the
  // term up.
  virtual Status begin(LeaderTerm term) = 0;
  // It leads no more. Returns when nothing of the duty runs.
  virtual Awaitable<void> end() = 0;

 protected:
  ~LeaderDuty() = default;
};

// Campaigns, does the duty for as long as the term lasts, and campaigns again.
class LeaderLoop {
 public:
  LeaderLoop(boost::asio::any_io_executor executor, Leadership& leadership, LeaderDuty& duty,
             Clock& clock, Log& log);

  void start();
  // Ends the duty and gives the term up. Returns when nothing of it runs any more. Fine without
  // start().
  Awaitable<void> stop();

  bool leads() const { return leads_; }

 private:
  Awaitable<void> run();
  Awaitable<void> lead(LeaderTerm term);
  // Tells each problem once, until there is none or another.
  void tell(std::string problem);
  Awaitable<void> pause();

  Leadership& leadership_;
  LeaderDuty& duty_;
  Clock& clock_;
  Log& log_;
  bool stopping_ = false;
  bool leads_ = false;
  std::string problem_;  // the newest that was told
  BackgroundTask task_;
};

}  // namespace hikae::control
