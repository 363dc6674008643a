#include "sim/timeline.h"

#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace hikae::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Timeline, RunsEventsByTimeAndThenInTheOrderInWhichTheyWereAdded) {
  Timeline timeline;
  std::string order;
  timeline.call(milliseconds(2), [&] { order += "c"; });
  timeline.call(milliseconds(1), [&] { order += "a"; });
  timeline.call(milliseconds(1), [&] { order += "b"; });
  while (timeline.step()) {
  }
  EXPECT_EQ(order, "abc");
}

TEST(Timeline, ADroppedRealmNeverRunsAndAFrozenOneRunsLate) {
  Timeline timeline;
  const Realm dead = timeline.new_realm();
  const Realm frozen = timeline.new_realm();
  const Monotonic begin = timeline.now();
  bool ran_dead = false;
  Monotonic ran_frozen;
  timeline.call(milliseconds(1), [&] { ran_dead = true; }, dead);
  timeline.call(milliseconds(1), [&] { ran_frozen = timeline.now(); }, frozen);
  timeline.drop(dead);
  timeline.freeze(frozen, begin + milliseconds(50));
  while (timeline.step()) {
  }
  EXPECT_FALSE(ran_dead);
  EXPECT_EQ(ran_frozen, begin + milliseconds(50));
}

class Sleepers : public ::testing::Test {
 protected:
  void run() {
    do {
      context_.restart();
      while (context_.poll() > 0) {
      }
    } while (timeline_.step());
  }
  Timeline timeline_;
  Realm realm_ = timeline_.new_realm();
  SimClock clock_{timeline_, realm_};
  boost::asio::io_context context_{1};
};

control::Awaitable<void> first_of_two(SimClock& clock, std::size_t& winner) {
  using namespace boost::asio::experimental::awaitable_operators;
  auto slow = clock.sleep_until(clock.monotonic() + seconds(10));
  auto quick = clock.sleep_until(clock.monotonic() + milliseconds(5));
  const auto woken = co_await (std::move(slow) || std::move(quick));
  winner = woken.index();
}

TEST_F(Sleepers, ACancelledSleepEndsAtOnce) {
  std::size_t winner = 7;
  Monotonic end;
  const Monotonic begin = timeline_.now();
  boost::asio::co_spawn(context_, first_of_two(clock_, winner),
                        [&](std::exception_ptr) { end = timeline_.now(); });
  run();
  EXPECT_EQ(winner, 1U);
  EXPECT_EQ(end - begin, milliseconds(5));
}

control::Awaitable<void> sleep_for_ever(SimClock& clock, bool& woke) {
  co_await clock.sleep_until(clock.monotonic() + seconds(1000));
  woke = true;
}

TEST_F(Sleepers, DropDestroysASuspendedCoroutineWithoutResumingIt) {
  bool woke = false;
  boost::asio::co_spawn(context_, sleep_for_ever(clock_, woke), boost::asio::detached);
  context_.poll();
  timeline_.drop(realm_);
  run();
  EXPECT_FALSE(woke);
}

}  // namespace
}  // namespace hikae::sim
