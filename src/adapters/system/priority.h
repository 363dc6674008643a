#pragma once

namespace hikae::adapters {

// Lets the threads that this process has now run before all ordinary work of the machine whenever
// they have something to do (SCHED_RR, of the real-time priorities the lowest but two; the kernel
// keeps a twentieth of the time for others). Processes and threads that they start do not inherit
// it. False: not permitted (CAP_SYS_NICE or RLIMIT_RTPRIO), and nothing has changed. A thread that
// already runs so keeps its place.
bool prefer_this_process();

enum class ThreadWork {
  kSmall,    // every piece of its work takes microseconds: it runs before the others
  kCommits,  // it writes to the disk what was decided: it has a processor that the next leaves it
  kCarriesOut,  // it has much to do, which the others decide: it runs after them
};

// The same for the calling thread alone, with another place among those of this process. The kernel
// issues the end of a write from an ordinary thread of the processor from which the write came, so
// on one that has other real-time work a commit takes as long as that does. Processes and threads
// that it starts do inherit which processors they may use.
bool prefer_this_thread(ThreadWork work);

// Whether that would be permitted.
bool may_prefer_this_process();

}  // namespace hikae::adapters
