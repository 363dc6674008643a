#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <poll.h>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "base/testing/temporary_directory.h"
#include "control/ports.h"

namespace hikae::adapters {

// Between two looks at a condition that another process is to fulfil.
inline void pause_briefly() {
  ::poll(nullptr, 0, 1);
}

// Runs until the coroutine is over, or gives up after 30 seconds.
template <class T>
std::optional<T> run(boost::asio::io_context& io, control::Awaitable<T> work) {
  std::optional<T> out;
  boost::asio::co_spawn(io, std::move(work), [&](std::exception_ptr thrown, T value) {
    if (!thrown) {
      out.emplace(std::move(value));
    }
    io.stop();
  });
  io.restart();
  io.run_for(std::chrono::seconds(30));
  return out;
}

inline bool run(boost::asio::io_context& io, control::Awaitable<void> work) {
  bool done = false;
  boost::asio::co_spawn(io, std::move(work), [&](std::exception_ptr thrown) {
    done = !thrown;
    io.stop();
  });
  io.restart();
  io.run_for(std::chrono::seconds(30));
  return done;
}

}  // namespace hikae::adapters
