#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "control/ports.h"

// For tests of stores and of what stands on one.

namespace hikae::control {

template <class T>
Awaitable<void> keep_result(Awaitable<T> operation, std::optional<T>& result) {
  result.emplace(co_await std::move(operation));
}

// Runs one operation to its end on `context`.
template <class T>
T run_to_end(boost::asio::io_context& context, Awaitable<T> operation) {
  std::optional<T> result;
  boost::asio::co_spawn(context, keep_result(std::move(operation), result),
                        [](std::exception_ptr error) {
                          if (error) {
                            std::rethrow_exception(error);
                          }
                        });
  context.restart();
  context.run();
  return std::move(*result);
}

inline core::Transition put_host(const std::string& id, const std::string& zone = "") {
  core::Host host;
  host.id = core::HostId(id);
  host.zone = core::ZoneName(zone);
  core::Transition transition;
  transition.put(host);
  return transition;
}

inline core::Transition put_events(std::uint64_t count, std::size_t bytes, char letter = 'x') {
  core::Transition transition;
  for (std::uint64_t number = 1; number <= count; ++number) {
    core::Event event;
    event.id = core::Event::Key(number);
    event.message = std::string(bytes, letter);
    transition.put(event);
  }
  return transition;
}

}  // namespace hikae::control
