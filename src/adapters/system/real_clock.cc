#include "adapters/system/real_clock.h"

#include <chrono>
#include <cstdint>
#include <ctime>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace hikae::adapters {
namespace {

using std::chrono::duration_cast;
using std::chrono::steady_clock;
using std::chrono::system_clock;

}  // namespace

Instant RealClock::now() const {
  return Instant(duration_cast<Duration>(system_clock::now().time_since_epoch()).count());
}

Monotonic RealClock::monotonic() const {
  return Monotonic(duration_cast<Duration>(steady_clock::now().time_since_epoch()).count());
}

Monotonic RealClock::unsuspended() const {
  timespec now = {};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return Monotonic(std::int64_t(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000);
}

control::Awaitable<void> RealClock::sleep_until(Monotonic t) {
  const auto executor = co_await boost::asio::this_coro::executor;
  const Duration since_start(t.microseconds());
  boost::asio::steady_timer timer(executor, steady_clock::time_point(since_start));
  constexpr auto token = boost::asio::as_tuple(boost::asio::use_awaitable);
  co_await timer.async_wait(token);
}

}  // namespace hikae::adapters
