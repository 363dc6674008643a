#pragma once

#include <set>
#include <sys/types.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "adapters/process/posix.h"

namespace hikae::adapters {

// Takes our children that ended off the kernel's table, on a thread that is never preferred: to do
// so the kernel also clears a process's directory in /proc, in a loop that waits for whoever does
// the same. After the loss of a zone a thread that runs before all ordinary work spent a fifth of
// both processors in it. All calls may be made on any thread.
class Reaper {
 public:
  ~Reaper();

  // The process of this pidfd has ended. Nothing happens for an engine that is none of our
  // children. The keepers follow it.
  void reap(Descriptor pidfd);
  // A child whose end nobody waits for: it is looked for when any process ended, and when another
  // keeper is added.
  void add_keeper(pid_t keeper);
  // Their ends may come a moment after this.
  void reap_keepers();

 private:
  void look();
  void look_for_a_while();

  boost::asio::thread_pool pool_{1};
  // Used on the pool's thread.
  boost::asio::steady_timer timer_{pool_};
  std::set<pid_t> keepers_;
  int looks_left_ = 0;
  bool closing_ = false;
};

}  // namespace hikae::adapters
