#pragma once

#include <chrono>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <optional>
#include <poll.h>
#include <string>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "control/ports.h"

namespace hikae::adapters {

// A directory that is removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "hikae-test-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

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
