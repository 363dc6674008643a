#pragma once

#include <boost/asio/any_io_executor.hpp>

#include "control/background_task.h"
#include "control/frontend.h"
#include "control/ports.h"

namespace hikae::control {

// Keeps the frontend's state that of the store, where other servers commit too: takes over commit
// by commit, or the whole state when some were missed. While the store does not answer the state
// stays as it is, and says so once in the log.
class StateFollower {
 public:
  StateFollower(boost::asio::any_io_executor executor, Frontend& frontend, StateWatch& watch,
                Clock& clock, Log& log);

  // Call once, when the frontend has its state.
  void start();
  // Returns when nothing of it runs any more. Fine without start().
  Awaitable<void> stop();

 private:
  Awaitable<void> run();
  // False: the store does not answer.
  Awaitable<bool> step();
  void tell(const Status& status);

  Frontend& frontend_;
  StateWatch& watch_;
  Clock& clock_;
  Log& log_;
  bool stopping_ = false;
  bool cut_off_ = false;
  BackgroundTask task_;
};

}  // namespace hikae::control
