#pragma once

namespace hikae::adapters {

// Lets the threads that this process has now run before all ordinary work of the machine whenever
// they have something to do (SCHED_RR, of the real-time priorities the lowest but one; the kernel
// keeps a twentieth of the time for others). Processes and threads that they start do not inherit
// it. False: not permitted (CAP_SYS_NICE or RLIMIT_RTPRIO), and nothing has changed. A thread that
// already runs so keeps its place.
bool prefer_this_process();

// Lets the calling thread run before those too. For one whose every piece of work is small.
bool prefer_this_thread();

// Whether that would be permitted.
bool may_prefer_this_process();

}  // namespace hikae::adapters
