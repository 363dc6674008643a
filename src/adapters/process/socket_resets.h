#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <boost/asio/thread_pool.hpp>

#include "control/ports.h"

namespace hikae::adapters {

// Ends sockets of processes that are dying, on a thread of its own: clients of a primary do not
// wait for a disk. Whatever is wanted while the kernel lists connections is done together
// afterwards; when hundreds of processes die at once, a list for each would take longer than their
// failovers.
class SocketResets {
 public:
  ~SocketResets();  // waits for what was begun

  // See control::ProcessRunner::reset_sockets(). Call on one thread.
  control::Awaitable<Status> reset(control::SocketReset reset);

 private:
  struct Wanted {
    control::SocketReset reset;
    std::optional<Status> outcome;  // used on the pool's thread alone
  };

  // On the pool's thread.
  void do_all_wanted();

  std::mutex mutex_;
  std::vector<std::shared_ptr<Wanted>> wanted_;  // guarded by mutex_
  boost::asio::thread_pool pool_{1};
};

}  // namespace hikae::adapters
