#include "adapters/system/priority.h"

#include <dirent.h>
#include <optional>
#include <sched.h>
#include <sys/types.h>

#include "base/strings.h"

namespace hikae::adapters {
namespace {

// Steps above the lowest, which engines in a failover have.
constexpr int kCarryingOut = 1;
constexpr int kControl = 2;
constexpr int kSmallWork = 3;

bool prefer(pid_t thread, int steps) {
  const sched_param priority{.sched_priority = ::sched_get_priority_min(SCHED_RR) + steps};
  return ::sched_setscheduler(thread, SCHED_RR | SCHED_RESET_ON_FORK, &priority) == 0;
}

bool is_preferred(pid_t thread) {
  return (::sched_getscheduler(thread) & ~SCHED_RESET_ON_FORK) == SCHED_RR;
}

struct Processors {
  cpu_set_t commits{};
  cpu_set_t others{};
};

// Commits have the last one that the calling thread may use; nullopt when that is the only one.
std::optional<Processors> share_processors() {
  Processors out;
  if (::sched_getaffinity(0, sizeof out.others, &out.others) != 0 || CPU_COUNT(&out.others) < 2) {
    return std::nullopt;
  }
  int last = CPU_SETSIZE - 1;
  while (!CPU_ISSET(last, &out.others)) {
    --last;
  }
  CPU_CLR(last, &out.others);
  CPU_SET(last, &out.commits);
  return out;
}

void stay_on(const cpu_set_t& processors) {
  ::sched_setaffinity(0, sizeof processors, &processors);
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

bool prefer_this_thread(ThreadWork work) {
  const auto shared = share_processors();
  // With one processor who carries out would wait for as long as the others had anything to do.
  const bool after_others = work == ThreadWork::kCarriesOut && shared;
  const int steps = work == ThreadWork::kSmall ? kSmallWork
                    : after_others             ? kCarryingOut
                                               : kControl;
  if (!prefer(0, steps)) {
    return false;
  }
  if (shared && work != ThreadWork::kSmall) {
    stay_on(work == ThreadWork::kCommits ? shared->commits : shared->others);
  }
  return true;
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
