#include "control/outbox.h"

#include <chrono>
#include <exception>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>

#include "base/check.h"

namespace hikae::control {
namespace {

constexpr Duration kFirstPause = std::chrono::seconds(1);  // doubles: 15 s in all

}  // namespace

Outbox::Outbox(boost::asio::any_io_executor executor, MessageSink& sink, Clock& clock, Log& log)
    : sink_(sink), clock_(clock), log_(log), wake_(executor), task_(std::move(executor)) {}

Outbox::~Outbox() {
  HIKAE_CHECK(!task_.is_running());
}

void Outbox::put(std::string message) {
  if (waiting_.size() >= kMostWaiting) {
    lose(fmt::format("{} are waiting already", waiting_.size()));
    return;
  }
  waiting_.push_back(std::move(message));
  wake_.raise();
}

void Outbox::start() {
  task_.start(run(), [](std::exception_ptr thrown) { HIKAE_CHECK(thrown == nullptr); });
}

Awaitable<void> Outbox::stop() {
  stopping_ = true;
  wake_.raise();
  co_await task_.over();
}

Awaitable<void> Outbox::run() {
  while (!stopping_) {
    if (waiting_.empty()) {
      co_await wake_.wait();
      continue;
    }
    std::string message = std::move(waiting_.front());
    waiting_.pop_front();
    const Status delivered = co_await try_to_deliver(std::move(message));
    if (delivered) {
      arrived();
    } else {
      lose(delivered.error().message);
    }
  }
}

Awaitable<Status> Outbox::try_to_deliver(std::string message) {
  using namespace boost::asio::experimental::awaitable_operators;
  Duration pause = kFirstPause;
  for (int tries = 1;; ++tries) {
    std::string copy = message;
    Status delivered = co_await sink_.deliver(std::move(copy));
    if (delivered || tries == kMostTries || stopping_) {
      co_return delivered;
    }
    const Monotonic until = clock_.monotonic() + pause;
    pause = pause * 2;
    while (!stopping_ && clock_.monotonic() < until) {
      auto woken = wake_.wait();  // another message, or the end
      auto time = clock_.sleep_until(until);
      co_await (std::move(woken) || std::move(time));
    }
  }
}

void Outbox::lose(const std::string& why) {
  ++lost_;
  if (lost_in_a_row_++ == 0) {
    log_.warn(fmt::format("messages to {} are lost from now on: {}", sink_.place(), why));
  }
}

void Outbox::arrived() {
  if (const auto lost = std::exchange(lost_in_a_row_, 0); lost > 0) {
    log_.info(fmt::format("messages to {} arrive again; {} were lost", sink_.place(), lost));
  }
}

}  // namespace hikae::control
