#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "control/ports.h"

namespace hikae::control {

// Wakes one waiting coroutine of the same thread. Raised while nobody waits, it is remembered: the
// next wait() returns at once. Several raises may count as one, so the woken side looks at
// everything again.
class WakeSignal {
 public:
  explicit WakeSignal(boost::asio::any_io_executor executor) : timer_(std::move(executor)) {
    timer_.expires_at(boost::asio::steady_timer::time_point::max());
  }

  void raise() {
    raised_ = true;
    timer_.cancel();
  }

  Awaitable<void> wait() {
    if (!raised_) {
      // Never expires: the cancellation is the news, so no real time is involved.
      const auto token = boost::asio::as_tuple(boost::asio::use_awaitable);
      co_await timer_.async_wait(token);
    }
    raised_ = false;
  }

 private:
  boost::asio::steady_timer timer_;
  bool raised_ = false;
};

}  // namespace hikae::control
