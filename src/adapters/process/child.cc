#include "adapters/process/child.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <fmt/format.h>

#include "adapters/process/posix.h"

namespace hikae::adapters {
namespace {

// Enough for 65,000 clients and the engine's own files.
constexpr rlim_t kOpenFiles = 66'000;
constexpr int kExecFailed = 127;
constexpr int kTold = 3;              // the descriptor by which a keeper tells
constexpr unsigned kCloseOnExec = 4;  // CLOSE_RANGE_CLOEXEC; the header of glibc 2.36 is C only

// What the child tells through a pipe that closes itself on a successful exec.
struct Failure {
  char step[32];
  int error_number;
};

// All the child needs, made before the fork: between fork and exec only async-signal-safe calls are
// allowed, because other threads may have held any lock. And nothing of ours may be changed,
// because the child works in our memory until then.
struct Plan {
  const ChildSpec* spec;
  std::vector<char*> argv;
  std::vector<char*> envp;
  std::string user_map;
  std::string group_map;
  int null_device = -1;
  int output = -1;
  int told = -1;
  int report = -1;
};

[[noreturn]] void give_up(int report, const char* step) {
  Failure failure{};
  failure.error_number = errno;
  std::strncpy(failure.step, step, sizeof failure.step - 1);
  [[maybe_unused]] const ssize_t written = ::write(report, &failure, sizeof failure);
  ::_exit(kExecFailed);
}

bool write_proc_file(const char* path, const char* text, std::size_t size) {
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  const bool done = fd >= 0 && ::write(fd, text, size) == ssize_t(size);
  if (fd >= 0) {
    ::close(fd);
  }
  return done;
}

const char* enter_namespaces(const Plan& plan) {
  const bool user = plan.spec->namespaces == Namespaces::kUser;
  if (::unshare(CLONE_NEWNS | (user ? CLONE_NEWUSER : 0)) != 0) {
    return "new namespaces";
  }
  if (user) {
    if (!write_proc_file("/proc/self/setgroups", "deny", 4) ||
        !write_proc_file("/proc/self/uid_map", plan.user_map.data(), plan.user_map.size()) ||
        !write_proc_file("/proc/self/gid_map", plan.group_map.data(), plan.group_map.size())) {
      return "user map";
    }
  }
  // Else the mount would show in the whole machine.
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return "private mounts";
  }
  return nullptr;
}

const char* drop_privileges(const ChildSpec& spec) {
  if (spec.run_as) {
    const Account& account = *spec.run_as;
    // By the kernel's own calls: the C library's would reach for the threads of our process, whose
    // memory this one still uses.
    if (::syscall(SYS_setgroups, 0, nullptr) != 0 ||
        ::syscall(SYS_setresgid, account.gid, account.gid, account.gid) != 0 ||
        ::syscall(SYS_setresuid, account.uid, account.uid, account.uid) != 0) {
      return "change of user";
    }
  }
  // Those that a unit of systemd gives us are not for engines. A kernel without them has none.
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? nullptr : "no new privileges";
}

void raise_limits() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  const rlimit wish{kOpenFiles, files.rlim_max > kOpenFiles ? files.rlim_max : kOpenFiles};
  if (::setrlimit(RLIMIT_NOFILE, &wish) != 0) {
    // Not permitted: the engine lowers maxclients to what there is, and says so in its log.
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  const rlimit no_core{0, 0};  // a core file would hold the customer's data
  ::setrlimit(RLIMIT_CORE, &no_core);
}

void reset_signals() {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  for (int signal_number = 1; signal_number < NSIG; ++signal_number) {
    ::sigaction(signal_number, &action, nullptr);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// A keeper has to be on time on a machine that is busy, also beside an engine that the runner
// prefers; where that is not permitted, at least before ordinary work.
void run_before_ordinary_work() {
  const int lowest = ::sched_get_priority_min(SCHED_FIFO);
  for (const int wish : {lowest + 1, lowest}) {
    const sched_param priority{.sched_priority = wish};
    if (::sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &priority) == 0) {
      return;
    }
  }
}

bool place_descriptors(const Plan& plan) {
  const bool tells = plan.told >= 0;
  return ::dup2(plan.null_device, 0) >= 0 && ::dup2(plan.output, 1) >= 0 &&
         ::dup2(plan.output, 2) >= 0 && (!tells || ::dup2(plan.told, kTold) >= 0) &&
         ::syscall(SYS_close_range, tells ? kTold + 1U : kTold, ~0U, kCloseOnExec) == 0;
}

[[noreturn]] void run_child(const Plan& plan) {
  const ChildSpec& spec = *plan.spec;
  // Before the privileges go: the user of the engines may not reach the directory from above.
  if (::setsid() < 0 || ::fchdir(spec.directory) != 0) {
    give_up(plan.report, "working directory");
  }
  if (plan.told >= 0) {
    run_before_ordinary_work();  // no user namespace of its own may do that
  }
  if (spec.namespaces != Namespaces::kNone && spec.private_hosts) {
    if (const char* failed = enter_namespaces(plan)) {
      give_up(plan.report, failed);
    }
    if (::mount("hosts", "/etc/hosts", nullptr, MS_BIND, nullptr) != 0) {
      give_up(plan.report, "mount of /etc/hosts");
    }
  }
  if (!place_descriptors(plan)) {
    give_up(plan.report, "descriptors");
  }
  raise_limits();
  ::umask(077);
  if (const char* failed = drop_privileges(spec)) {
    give_up(plan.report, failed);
  }
  reset_signals();
  ::execve(spec.program.c_str(), plan.argv.data(), plan.envp.data());
  give_up(plan.report, "execution");
}

// The calling thread stands still until the child has executed its program or ended: our memory is
// not copied for it. To copy it would make all our threads pay for every page that they write to
// next, some milliseconds for each start. Not permitted for a user namespace of its own.
pid_t start_child(const Plan& plan) {
  const bool user = plan.spec->namespaces == Namespaces::kUser && plan.spec->private_hosts;
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // no handler of ours may run in it
  const pid_t pid = user ? ::fork() : ::vfork();
  if (pid == 0) {
    run_child(plan);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return pid;
}

// Descriptors that the child moves to 0, 1, 2 and 3 must not lie there themselves.
Descriptor above_placed(int fd) {
  return Descriptor(::fcntl(fd, F_DUPFD_CLOEXEC, kTold + 1));
}

int wait_for_exit(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

bool try_namespaces(Namespaces kind) {
  ChildSpec spec;
  spec.namespaces = kind;
  const Plan plan{
      &spec, {}, {}, fmt::format("{0} {0} 1", ::geteuid()), fmt::format("{0} {0} 1", ::getegid())};
  const pid_t pid = ::fork();
  if (pid == 0) {
    const bool works = !enter_namespaces(plan) &&
                       ::mount("/etc/hosts", "/etc/hosts", nullptr, MS_BIND, nullptr) == 0;
    ::_exit(works ? 0 : 1);
  }
  return pid > 0 && wait_for_exit(pid) == 0;
}

}  // namespace

Result<pid_t> spawn_child(const ChildSpec& spec) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return posix_failure(errno, "cannot start a process");
  }
  Descriptor read_end(ends[0]);
  Descriptor pipe_end(ends[1]);
  Descriptor write_end = above_placed(pipe_end.get());
  pipe_end.reset();
  const Descriptor null_device(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Descriptor null_above = above_placed(null_device.get());
  const Descriptor output_above = above_placed(spec.output);
  const Descriptor told_above = above_placed(spec.told);

  std::vector<std::string> words = {spec.program};
  words.insert(words.end(), spec.arguments.begin(), spec.arguments.end());
  std::string path = "PATH=/usr/local/bin:/usr/bin:/bin";
  Plan plan{&spec,
            {},
            {path.data(), nullptr},
            fmt::format("{0} {0} 1", ::geteuid()),
            fmt::format("{0} {0} 1", ::getegid()),
            null_above.get(),
            output_above.get(),
            told_above.get(),
            write_end.get()};
  for (std::string& word : words) {
    plan.argv.push_back(word.data());
  }
  plan.argv.push_back(nullptr);

  const pid_t pid = start_child(plan);
  if (pid < 0) {
    return posix_failure(errno, "cannot start a process");
  }
  write_end.reset();
  Failure failure{};
  ssize_t size = 0;
  while ((size = ::read(read_end.get(), &failure, sizeof failure)) < 0 && errno == EINTR) {
  }
  if (size == 0) {
    return pid;
  }
  wait_for_exit(pid);
  return posix_failure(failure.error_number,
                       fmt::format("cannot start {} ({})", spec.program, failure.step));
}

Namespaces probe_namespaces() {
  if (::geteuid() == 0 && try_namespaces(Namespaces::kMount)) {
    return Namespaces::kMount;
  }
  if (::geteuid() != 0 && try_namespaces(Namespaces::kUser)) {
    return Namespaces::kUser;
  }
  return Namespaces::kNone;
}

}  // namespace hikae::adapters
