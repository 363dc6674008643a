// The fence of an engine that cannot have fence.so: a process that the engine runs under, and that
// stops it (SIGSTOP) while its lease is over. A process of its own, so that it works when the agent
// is dead, stopped or starved. When one of the two ends, so does the other.
//
//   hikae-keeper <lease file> <program> [argument...]
//
// The lease file is that of module/fence.c: an epoch, and the time on CLOCK_BOOTTIME until which
// the engine may run, in microseconds. Epoch zero: no lease is needed.
//
// The engine leads a session of its own in the directory where the keeper was started. Its pid is
// written to descriptor 3, where that is open, once the program is executed for certain. There is
// one keeper for each such engine, so it keeps little memory and prints nothing but why it failed.

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lease.h"

enum { kFailed = 1, kNotExecuted = 127, kBySignal = 128 };
enum { kTold = 3 };  // the descriptor
// In microseconds. An engine stops so long before its lease is over, because that takes a moment.
enum { kMargin = 20000 };
// Between two looks at a lease: who needs none may need one at any time, which lasts 200 ms or
// longer. One that runs is looked at when it ends; no agent makes it shorter for a process that
// runs, and one that did would be noticed.
enum { kLookWhileOpen = 100000, kLookWhileGood = 500000 };
enum { kLookWhileStopped = 10000, kLookWhileStopping = 1000 };

static const struct Lease* lease;
static pid_t child;
static volatile int not_executed;  // set by the child, which works in our memory until it executes
static int frozen;                 // by us
static int ending;                 // we were told to end

// ---- failures ----

static void complain(const char* what, const char* why) {
  const char* const words[] = {"hikae-keeper: ", what, why[0] != '\0' ? ": " : "", why, "\n"};
  enum { kWords = sizeof(words) / sizeof(words[0]) };
  struct iovec parts[kWords];
  for (int i = 0; i < kWords; ++i) {
    parts[i] = (struct iovec){(void*)words[i], strlen(words[i])};
  }
  const ssize_t written = writev(STDERR_FILENO, parts, kWords);
  (void)written;  // nobody else could be told
}

static _Noreturn void fail(const char* what, int error) {
  complain(what, error != 0 ? strerror(error) : "");
  _exit(kFailed);
}

// ---- the lease ----

// How long the engine may run from now on without another look; zero and below: not at all.
static int64_t time_left(int64_t now) {
  if (atomic_load_explicit(&lease->epoch, memory_order_acquire) == 0) {
    return kLookWhileOpen;
  }
  const int64_t left = atomic_load_explicit(&lease->until, memory_order_acquire) - kMargin - now;
  return left < kLookWhileGood ? left : kLookWhileGood;
}

// ---- the engine ----

// Between vfork and execv: nothing of ours may be changed but what is meant for the keeper.
static _Noreturn void run_program(char** words, int directory, pid_t keeper,
                                  const sigset_t* signals) {
  const char* step = "its directory";
  if (fchdir(directory) == 0 && setsid() >= 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0) {
    if (getppid() != keeper) {
      _exit(kNotExecuted);  // it died before we asked to die with it
    }
    sigprocmask(SIG_SETMASK, signals, NULL);
    execv(words[0], words);
    step = words[0];
  }
  not_executed = 1;
  complain(step, strerror(errno));
  _exit(kNotExecuted);
}

// Returns once the program is executed, or the child has ended: our memory is not copied for it.
static void start_program(char** words, const sigset_t* signals) {
  const int directory = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  // Else we would be taken for the engine, which is found by its directory.
  if (directory < 0 || chdir("/") != 0) {
    fail("cannot leave the directory", errno);
  }
  const pid_t keeper = getpid();
  child = vfork();
  if (child == 0) {
    run_program(words, directory, keeper, signals);
  }
  if (child < 0) {
    fail("cannot start a process", errno);
  }
  close(directory);
}

// Writes the child's pid and a newline.
static void tell_child(void) {
  char text[16];
  char* at = text + sizeof(text);
  *--at = '\n';
  for (pid_t rest = child; rest > 0; rest /= 10) {
    *--at = (char)('0' + rest % 10);
  }
  const ssize_t written = write(kTold, at, (size_t)(text + sizeof(text) - at));
  (void)written;  // who does not read it does not want it
  close(kTold);
}

// Stopped by anybody; the kernel is asked so that it tells the same the next time.
static int is_stopped(void) {
  siginfo_t info = {0};
  return waitid(P_PID, (id_t)child, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
}

// Ends as the child did.
static void follow_child(void) {
  siginfo_t info = {0};
  if (waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0) {
    return;
  }
  _exit(info.si_code == CLD_EXITED ? info.si_status : kBySignal + info.si_status);
}

// Does to the engine what the lease wants. Answers the time of the next look. Who was stopped by
// somebody else is neither stopped nor continued, so only what we did is undone.
static int64_t tend_child(void) {
  const int64_t now = now_us();
  const int64_t left = time_left(now);
  if (left > 0) {
    if (frozen) {
      kill(child, SIGCONT);
      frozen = 0;
    }
    return now + left;
  }
  if (ending) {
    kill(child, SIGKILL);  // it must not run, and else it would not end
  } else if (!is_stopped()) {
    kill(child, SIGSTOP);
    frozen = 1;
    return now + kLookWhileStopping;
  }
  return now + kLookWhileStopped;
}

// ---- the keeper ----

// All signals wait but SIGKILL: nothing else ends the keeper before its child.
static int hold_signals(sigset_t* before) {
  sigset_t held;
  sigfillset(&held);
  sigprocmask(SIG_SETMASK, &held, before);
  sigemptyset(&held);
  sigaddset(&held, SIGCHLD);
  sigaddset(&held, SIGTERM);
  sigaddset(&held, SIGINT);
  return signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void take_signals(int signals) {
  struct signalfd_siginfo info;
  while (read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
    if (info.ssi_signo != SIGCHLD) {
      ending = 1;
      kill(child, SIGTERM);  // and one that is frozen is killed at the next look
    }
  }
}

static void sleep_until(int64_t time, int timer, int signals) {
  const struct itimerspec at = {
      .it_value = {.tv_sec = time / 1000000, .tv_nsec = time % 1000000 * 1000}};
  timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
  struct pollfd events[] = {{timer, POLLIN, 0}, {signals, POLLIN, 0}};
  poll(events, 2, -1);
}

int main(int argc, char** argv) {
  // Before any other file can get its number.
  const int tells = fcntl(kTold, F_SETFD, FD_CLOEXEC) == 0;
  if (argc < 3) {
    fail("usage: hikae-keeper <lease file> <program> [argument...]", 0);
  }
  const int failed = open_lease(argv[1], &lease);
  if (failed != 0) {
    fail("the lease file cannot be used", failed);
  }
  sigset_t before;
  const int signals = hold_signals(&before);
  const int timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  if (signals < 0 || timer < 0) {
    fail("cannot wait", errno);
  }
  start_program(argv + 2, &before);
  if (tells && !not_executed) {
    tell_child();
  }
  // What is in use stays in memory, where that is permitted.
  mlockall(MCL_CURRENT | MCL_ONFAULT);
  for (;;) {
    follow_child();
    const int64_t next = tend_child();
    sleep_until(next, timer, signals);
    take_signals(signals);
  }
}
