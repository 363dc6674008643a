#include "control/state_follower.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace hikae::control {
namespace {

constexpr Duration kFirstPause = std::chrono::milliseconds(100);
constexpr Duration kLongestPause = std::chrono::seconds(2);

}  // namespace

StateFollower::StateFollower(boost::asio::any_io_executor executor, Frontend& frontend,
                             StateWatch& watch, Clock& clock, Log& log)
    : frontend_(frontend), watch_(watch), clock_(clock), log_(log), task_(std::move(executor)) {}

void StateFollower::start() {
  frontend_.expect_followed(true);
  task_.start(run(), [this](std::exception_ptr failed) {
    frontend_.expect_followed(false);
    if (failed && !stopping_) {
      log_.error("following the state ended by an exception; please report it");
    }
  });
}

Awaitable<void> StateFollower::stop() {
  stopping_ = true;
  watch_.stop();
  co_await task_.over();
}

Awaitable<void> StateFollower::run() {
  Duration pause = kFirstPause;
  while (!stopping_) {
    const bool answered = co_await step();
    if (answered) {
      pause = kFirstPause;
    } else if (!stopping_) {
      co_await clock_.sleep_for(pause);
      pause = std::min(kLongestPause, pause * 2);
    }
  }
}

Awaitable<bool> StateFollower::step() {
  const core::Revision seen = frontend_.state().revision();
  auto commit = co_await watch_.next(seen);
  if (stopping_) {
    co_return false;
  }
  if (!commit) {
    tell(tl::unexpected(commit.error()));
    co_return false;
  }
  if (*commit && frontend_.follow(std::move(**commit))) {
    tell(Status());
    co_return true;
  }
  const Status refreshed = co_await frontend_.refresh();
  tell(refreshed);
  co_return refreshed.has_value();
}

void StateFollower::tell(const Status& status) {
  if (!status && !cut_off_) {
    log_.error(
        fmt::format("cut off from the shared state, what is answered may be old: {}; trying again",
                    status.error().message));
  }
  if (status && cut_off_) {
    log_.info(fmt::format("the shared state is followed again, at revision {}",
                          frontend_.state().revision().value()));
  }
  cut_off_ = !status;
}

}  // namespace hikae::control
