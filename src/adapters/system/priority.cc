#include "adapters/system/priority.h"

#include <dirent.h>
#include <optional>
#include <sched.h>
#include <sys/types.h>

#include "base/strings.h"

namespace hikae::adapters {
namespace {

bool prefer(pid_t thread) {
  const sched_param lowest{.sched_priority = ::sched_get_priority_min(SCHED_RR)};
  return ::sched_setscheduler(thread, SCHED_RR | SCHED_RESET_ON_FORK, &lowest) == 0;
}

}  // namespace

bool prefer_this_process() {
  if (!prefer(0)) {
    return false;
  }
  DIR* const threads = ::opendir("/proc/self/task");
  while (const dirent* entry = threads ? ::readdir(threads) : nullptr) {
    if (const auto thread = parse_integer(entry->d_name)) {
      prefer(pid_t(*thread));
    }
  }
  if (threads) {
    ::closedir(threads);
  }
  return true;
}

bool may_prefer_this_process() {
  sched_param before{};
  const int policy = ::sched_getscheduler(0);
  if (policy < 0 || ::sched_getparam(0, &before) != 0 || !prefer(0)) {
    return false;
  }
  ::sched_setscheduler(0, policy, &before);
  return true;
}

}  // namespace hikae::adapters
