#include "control/leader_loop.h"

#include <utility>

#include <fmt/format.h>

namespace hikae::control {
namespace {

constexpr Duration kPause = std::chrono::milliseconds(500);
// Another server should have the chance to do what this one could not.
constexpr Duration kPauseAfterFailedDuty = std::chrono::seconds(3);

}  // namespace

LeaderLoop::LeaderLoop(boost::asio::any_io_executor executor, Leadership& leadership,
                       LeaderDuty& duty, Clock& clock, Log& log)
    : leadership_(leadership), duty_(duty), clock_(clock), log_(log), task_(std::move(executor)) {}

void LeaderLoop::start() {
  task_.start(run(), [this](std::exception_ptr failed) {
    if (failed) {
      log_.error("campaigning for the lead ended by an exception; please report it");
    }
  });
}

Awaitable<void> LeaderLoop::stop() {
  stopping_ = true;
  leadership_.stop();
  co_await task_.over();
}

Awaitable<void> LeaderLoop::run() {
  while (!stopping_) {
    const auto term = co_await leadership_.campaign();
    if (stopping_) {
      if (term) {
        co_await leadership_.resign();
      }
      co_return;
    }
    if (term) {
      co_await lead(*term);
    } else {
      tell("this server cannot campaign for the lead: " + term.error().message);
      co_await clock_.sleep_for(kPause);
    }
  }
}

Awaitable<void> LeaderLoop::lead(LeaderTerm term) {
  const Status begun = duty_.begin(term);
  if (!begun) {
    tell("this server cannot lead: " + begun.error().message);
    co_await leadership_.resign();
    co_await pause();
    co_return;
  }
  problem_.clear();
  log_.info(fmt::format("this server leads now (term {})", term.value()));
  leads_ = true;
  co_await leadership_.hold();
  leads_ = false;
  if (!stopping_) {
    log_.warn(fmt::format("this server leads no more (term {})", term.value()));
  }
  co_await duty_.end();
  co_await leadership_.resign();
}

void LeaderLoop::tell(std::string problem) {
  if (problem != problem_) {
    problem_ = std::move(problem);
    log_.error(problem_ + "; trying again");
  }
}

Awaitable<void> LeaderLoop::pause() {
  const Monotonic until = clock_.monotonic() + kPauseAfterFailedDuty;
  while (!stopping_ && clock_.monotonic() < until) {
    co_await clock_.sleep_for(kPause);
  }
}

}  // namespace hikae::control
