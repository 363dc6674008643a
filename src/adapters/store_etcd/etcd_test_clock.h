#pragma once

#include <chrono>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "control/ports.h"

namespace hikae::etcd {

// For tests only: the machine's clock.
class TestClock final : public control::Clock {
 public:
  Instant now() const override { return Instant(); }
  Monotonic monotonic() const override {
    const auto time = std::chrono::steady_clock::now().time_since_epoch();
    return Monotonic(std::chrono::duration_cast<Duration>(time).count());
  }
  control::Awaitable<void> sleep_until(Monotonic t) override {
    const auto executor = co_await boost::asio::this_coro::executor;
    boost::asio::steady_timer timer(executor, t - monotonic());
    constexpr auto token = boost::asio::as_tuple(boost::asio::use_awaitable);
    co_await timer.async_wait(token);
  }
};

}  // namespace hikae::etcd
