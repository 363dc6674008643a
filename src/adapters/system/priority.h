#pragma once

namespace hikae::adapters {

// Lets the threads that this process has now run before all ordinary work of the machine whenever
// they have something to do (SCHED_RR, the lowest of the real-time priorities; the kernel keeps a
// twentieth of the time for others). Processes and threads that they start do not inherit it.
// False: not permitted (CAP_SYS_NICE or RLIMIT_RTPRIO), and nothing has changed.
bool prefer_this_process();

// Whether that would be permitted.
bool may_prefer_this_process();

}  // namespace hikae::adapters
