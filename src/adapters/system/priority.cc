#include "adapters/system/priority.h"

#include <dirent.h>
#include <optional>
#include <sched.h>
#include <sys/types.h>

#include "base/strings.h"

namespace hikae::adapters {
namespace {

// Steps above the lowest, which engines in a failover have.
constexpr int kControl = 1;
constexpr int kSmallWork = 2;

bool prefer(pid_t thread, int steps) {
  const sched_param priority{.sched_priority = ::sched_get_priority_min(SCHED_RR) + steps};
  return ::sched_setscheduler(thread, SCHED_RR | SCHED_RESET_ON_FORK, &priority) == 0;
}

bool is_preferred(pid_t thread) {
  return (::sched_getscheduler(thread) & ~SCHED_RESET_ON_FORK) == SCHED_RR;
}

}  // namespace

bool prefer_this_process() {
  if (!prefer(0, kControl)) {
    return false;
  }
  DIR* const threads = ::opendir("/proc/self/task");
  while (const dirent* entry = threads ? ::readdir(threads) : nullptr) {
    const auto thread = parse_integer(entry->d_name);
    if (thread && !is_preferred(pid_t(*thread))) {
      prefer(pid_t(*thread), kControl);
    }
  }
  if (threads) {
    ::closedir(threads);
  }
  return true;
}

bool prefer_this_thread() {
  return prefer(0, kSmallWork);
}

bool may_prefer_this_process() {
  sched_param before{};
  const int policy = ::sched_getscheduler(0);
  if (policy < 0 || ::sched_getparam(0, &before) != 0 || !prefer(0, kControl)) {
    return false;
  }
  ::sched_setscheduler(0, policy, &before);
  return true;
}

}  // namespace hikae::adapters
