#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "control/background_task.h"
#include "control/ports.h"
#include "control/wake_signal.h"

namespace hikae::control {

// Where messages leave the region: a webhook, a file.
class MessageSink {
 public:
  // Success: it has arrived. Any failure: it has not, or nobody knows; it may be delivered again.
  virtual Awaitable<Status> deliver(std::string message) = 0;
  // For people: `http://hooks.example/cache`.
  virtual std::string place() const = 0;

 protected:
  ~MessageSink() = default;
};

// Messages on their way to one sink, in order, beside everything else: whoever puts one in waits
// for nothing. Each is tried a few times, with growing pauses, and then given up; while too many
// wait, new ones are. What is lost is counted, and told in one line when it begins and in one when
// it is over.
class Outbox {
 public:
  static constexpr std::size_t kMostWaiting = 1000;
  static constexpr int kMostTries = 5;

  Outbox(boost::asio::any_io_executor executor, MessageSink& sink, Clock& clock, Log& log);
  ~Outbox();  // stop() must have returned, or start() was never called

  void put(std::string message);
  void start();
  // Returns when its coroutine has ended: one try is finished, the rest is given up.
  Awaitable<void> stop();
  std::uint64_t lost() const { return lost_; }

 private:
  Awaitable<void> run();
  Awaitable<Status> try_to_deliver(std::string message);
  void lose(const std::string& why);
  void arrived();

  MessageSink& sink_;
  Clock& clock_;
  Log& log_;
  WakeSignal wake_;
  BackgroundTask task_;
  std::deque<std::string> waiting_;
  std::uint64_t lost_ = 0;
  std::uint64_t lost_in_a_row_ = 0;
  bool stopping_ = false;
};

}  // namespace hikae::control
