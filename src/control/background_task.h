#pragma once

#include <exception>
#include <functional>
#include <utility>

#include <boost/asio/co_spawn.hpp>

#include "control/wake_signal.h"

namespace hikae::control {

// One coroutine that goes on beside its owner. The owner tells it to end, and awaits that before it
// ends itself.
class BackgroundTask {
 public:
  explicit BackgroundTask(boost::asio::any_io_executor executor)
      : executor_(executor), over_(std::move(executor)) {}

  // `ended` is called when the work is over, with what it has thrown. Once, or again after that.
  void start(Awaitable<void> work, std::function<void(std::exception_ptr)> ended) {
    running_ = true;
    boost::asio::co_spawn(executor_, std::move(work),
                          [this, ended = std::move(ended)](std::exception_ptr failed) {
                            running_ = false;
                            ended(failed);
                            over_.raise();
                          });
  }

  bool is_running() const { return running_; }
  // Returns when the work is over; at once when there is none.
  Awaitable<void> over() {
    while (running_) {
      co_await over_.wait();
    }
  }

 private:
  boost::asio::any_io_executor executor_;
  bool running_ = false;
  WakeSignal over_;
};

}  // namespace hikae::control
