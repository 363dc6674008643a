#include "adapters/process/kept_child.h"

#include <atomic>
#include <csignal>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "adapters/process/proc_files.h"
#include "adapters/process/runner_fixture.h"

namespace hikae::adapters {
namespace {

namespace fs = std::filesystem;
using control::LaunchSpec;
using control::Process;

// As module/fence.c has it.
struct Lease {
  std::atomic<std::uint64_t> epoch;
  std::atomic<std::int64_t> until;
};

constexpr std::int64_t kLong = 1'000'000'000;  // no test takes so long

std::int64_t now_us() {
  timespec t{};
  ::clock_gettime(CLOCK_BOOTTIME, &t);
  return std::int64_t(t.tv_sec) * 1'000'000 + t.tv_nsec / 1000;
}

bool wait_until(const std::function<bool()>& condition) {
  for (int tries = 0; tries < 10'000; ++tries) {
    if (condition()) {
      return true;
    }
    pause_briefly();
  }
  return false;
}

// Of a line `name: number` in /proc/<pid>/status.
std::int64_t status_of(std::int64_t pid, const std::string& name) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/status");
  std::string word;
  while (in >> word && word != name + ":") {
  }
  std::int64_t number = -1;
  in >> number;
  return number;
}

class KeptChildTest : public RunnerFixture {
 protected:
  ~KeptChildTest() override { close_lease(); }
  LaunchSpec kept(std::string script) {
    LaunchSpec spec = shell(std::move(script));
    spec.keeper = HIKAE_KEEPER;
    spec.lease = "lease";  // in the node's directory, where any engine's user can read it
    spec.files = {{"lease", std::string(sizeof(Lease), '\0')}};
    return spec;
  }
  // Starts one that goes on, and opens its lease.
  Process start_kept(const std::string& script = "exec sleep 100") {
    const Process process = start(kept(script));
    open_lease();
    return process;
  }
  void close_lease() {
    if (lease_ != nullptr) {
      ::munmap(lease_, sizeof(Lease));
      lease_ = nullptr;
    }
  }
  void open_lease() {
    close_lease();
    const Descriptor file(::open((directory_ + "/lease").c_str(), O_RDWR | O_CLOEXEC));
    void* memory =
        ::mmap(nullptr, sizeof(Lease), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    ASSERT_NE(memory, MAP_FAILED);
    lease_ = static_cast<Lease*>(memory);
  }
  void give(std::uint64_t epoch, std::int64_t length_us) {
    lease_->until = now_us() + length_us;
    lease_->epoch = epoch;
  }
  static char state(const Process& process) {
    const auto stat = read_process_stat(process.pid);
    return stat && stat->start_time == process.start_time ? stat->state : '-';
  }
  static bool is_stopped(const Process& process) { return state(process) == 'T'; }
  static std::int64_t keeper_of(const Process& process) {
    const auto stat = read_process_stat(process.pid);
    return stat ? stat->parent : -1;
  }
  // The keeper looks at the lease some more times.
  static bool wait_for_looks(const Process& process) {
    constexpr int kLooks = 4;
    const std::int64_t keeper = keeper_of(process);
    const std::int64_t before = status_of(keeper, "voluntary_ctxt_switches");
    return before >= 0 && wait_until([&] {
             return status_of(keeper, "voluntary_ctxt_switches") >= before + kLooks;
           });
  }
  static bool wait_gone(std::int64_t pid) {
    return wait_until([&] { return !fs::exists("/proc/" + std::to_string(pid)); });
  }

  Lease* lease_ = nullptr;
};

TEST_F(KeptChildTest, LeadsASessionInItsDirectoryAndGetsNothingOfTheKeepers) {
  run_script(
      kept("pwd > where; env > environment; ls /proc/$$/fd > descriptors; "
           "cut -d' ' -f6 /proc/$$/stat > session; echo $$ > pid; "
           "grep -E '^Sig(Blk|Ign)' /proc/self/status > signals"));
  run_script(kept("true"));
  EXPECT_EQ(file("where"), directory_ + "\n");
  EXPECT_EQ(file("session"), file("pid"));
  LaunchSpec plain = shell(
      "env > environment2; ls /proc/$$/fd > descriptors2; "
      "grep -E '^Sig(Blk|Ign)' /proc/self/status > signals2");
  run_script(plain);
  EXPECT_EQ(file("environment"), file("environment2"));
  EXPECT_EQ(file("descriptors"), file("descriptors2"));
  EXPECT_EQ(file("signals"), file("signals2"));
  EXPECT_NE(file("signals"), "");
  EXPECT_EQ(file("engine.out"), "");
}

TEST_F(KeptChildTest, StopsWhenTheLeaseIsOverAndGoesOnWhenItIsRenewed) {
  const Process process = start_kept();
  for (std::uint64_t epoch = 1; epoch <= 2; ++epoch) {
    give(epoch, 100'000);
    EXPECT_TRUE(wait_until([&] { return is_stopped(process); }));
    EXPECT_TRUE(wait_for_looks(process));
    EXPECT_TRUE(is_stopped(process));
    give(epoch, kLong);
    EXPECT_TRUE(wait_until([&] { return !is_stopped(process); }));
  }
  EXPECT_TRUE(wait_for_looks(process));
  EXPECT_EQ(state(process), 'S');
}

TEST_F(KeptChildTest, ANewEpochCutsALongLeaseShort) {
  const Process process = start_kept();
  give(1, kLong);
  EXPECT_TRUE(wait_for_looks(process));
  lease_->until = 0;
  lease_->epoch = 2;
  EXPECT_TRUE(wait_until([&] { return is_stopped(process); }));
  lease_->epoch = 0;
  EXPECT_TRUE(wait_until([&] { return !is_stopped(process); })) << "no lease is needed any more";
}

TEST_F(KeptChildTest, NeverStopsWithoutAnEpoch) {
  const Process process = start_kept();
  give(0, -kLong);
  EXPECT_TRUE(wait_for_looks(process));
  EXPECT_EQ(state(process), 'S');
}

TEST_F(KeptChildTest, WhatOthersStoppedUnderAGoodLeaseStaysStopped) {
  const Process process = start_kept();
  give(1, kLong);
  ASSERT_TRUE(runner_->signal(process, SIGSTOP));
  EXPECT_TRUE(wait_until([&] { return is_stopped(process); }));
  EXPECT_TRUE(wait_for_looks(process));
  EXPECT_TRUE(is_stopped(process));
  give(1, -1);  // over meanwhile, and good again
  EXPECT_TRUE(wait_for_looks(process));
  give(1, kLong);
  EXPECT_TRUE(wait_for_looks(process));
  EXPECT_TRUE(is_stopped(process));
  ASSERT_TRUE(runner_->signal(process, SIGCONT));
  EXPECT_TRUE(wait_until([&] { return !is_stopped(process); }));
}

TEST_F(KeptChildTest, WhoIsContinuedWithoutALeaseIsStoppedAgain) {
  const Process process = start_kept("while true; do :; done");
  give(1, -1);
  EXPECT_TRUE(wait_until([&] { return is_stopped(process); }));
  ASSERT_TRUE(runner_->signal(process, SIGCONT));
  EXPECT_TRUE(wait_for_looks(process));
  EXPECT_TRUE(wait_until([&] { return is_stopped(process); }));
  const auto ticks = [&] { return read_process_stat(process.pid)->cpu_ticks; };
  const std::uint64_t before = ticks();
  EXPECT_TRUE(wait_for_looks(process));
  EXPECT_EQ(ticks(), before);
}

TEST_F(KeptChildTest, DiesWithItsKeeperAlsoWhileItIsStopped) {
  for (const bool stopped : {false, true}) {
    const Process process = start_kept();
    const std::int64_t keeper = keeper_of(process);
    give(1, stopped ? -1 : kLong);
    EXPECT_TRUE(wait_until([&] { return is_stopped(process) == stopped; }));
    EXPECT_EQ(::kill(pid_t(keeper), SIGKILL), 0);
    EXPECT_TRUE(run(io_, runner_->wait_exit(process)));
    EXPECT_TRUE(wait_gone(keeper)) << "nobody reaped it";
  }
}

TEST_F(KeptChildTest, TheKeeperOfAKilledOneEndsAndIsReaped) {
  for (const bool stopped : {false, true}) {
    const Process process = start_kept();
    const std::int64_t keeper = keeper_of(process);
    give(1, stopped ? -1 : kLong);
    EXPECT_TRUE(wait_until([&] { return is_stopped(process) == stopped; }));
    ASSERT_TRUE(runner_->signal(process, SIGKILL));
    EXPECT_TRUE(run(io_, runner_->wait_exit(process)));
    EXPECT_TRUE(wait_gone(keeper)) << "nobody reaped it";
    EXPECT_TRUE(wait_gone(process.pid));
  }
}

TEST_F(KeptChildTest, AKeeperThatNobodyWaitsForIsReapedToo) {
  start(kept("echo $PPID > keeper"));
  const Process next = start_kept();
  EXPECT_TRUE(wait_until([&] { return !file("keeper").empty(); }));
  EXPECT_TRUE(wait_gone(std::stoll("0" + file("keeper"))));
  EXPECT_TRUE(fs::exists("/proc/" + std::to_string(keeper_of(next)))) << "that one goes on";
}

TEST_F(KeptChildTest, AKeeperThatIsToEndLetsItsChildEndFirst) {
  Process process = start_kept(
      "trap 'echo ended > how; exit 0' TERM; touch ready; "
      "while true; do sleep 0.01; done");
  EXPECT_TRUE(wait_until([&] { return fs::exists(directory_ + "/ready"); }));
  EXPECT_EQ(::kill(pid_t(keeper_of(process)), SIGHUP), 0) << "is nothing to it";
  EXPECT_EQ(::kill(pid_t(keeper_of(process)), SIGTERM), 0);
  EXPECT_TRUE(run(io_, runner_->wait_exit(process)));
  EXPECT_EQ(file("how"), "ended\n");
  process = start_kept("trap 'echo ran > how' TERM; touch ready2; while true; do sleep 0.01; done");
  EXPECT_TRUE(wait_until([&] { return fs::exists(directory_ + "/ready2"); }));
  give(1, -1);
  EXPECT_TRUE(wait_until([&] { return is_stopped(process); }));
  EXPECT_EQ(::kill(pid_t(keeper_of(process)), SIGINT), 0);
  EXPECT_TRUE(run(io_, runner_->wait_exit(process)));
  EXPECT_EQ(file("how"), "ended\n") << "one without a lease must not run";
}

TEST_F(KeptChildTest, NextRunnerAdoptsTheEngineAndNotItsKeeper) {
  const Process process = start_kept();
  open();
  const auto found = run(io_, runner_->find_all());
  ASSERT_TRUE(found && *found);
  ASSERT_EQ((*found)->size(), 1U);
  EXPECT_EQ((*found)->front().process, process);
  ASSERT_TRUE(runner_->signal(process, SIGKILL));
  EXPECT_TRUE(run(io_, runner_->wait_exit(process)));
}

TEST_F(KeptChildTest, OneThatEndsAtOnceWasStartedAllTheSame) {
  for (int times = 0; times < 20; ++times) {
    run_script(kept("true"));
  }
}

TEST_F(KeptChildTest, WhatCannotBeStartedIsAnErrorThatSaysWhy) {
  const auto error_of = [&](const std::function<void(LaunchSpec&)>& change) {
    LaunchSpec spec = kept("true");
    change(spec);
    const auto started = run(io_, runner_->start(std::move(spec)));
    return started && !*started ? started->error() : Error{};
  };
  Error error = error_of([](LaunchSpec& spec) { spec.program = "/nonexistent/redis-server"; });
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
  EXPECT_NE(error.message.find("hikae-keeper: /nonexistent/redis-server: No such file"),
            std::string::npos)
      << error.message;
  error = error_of([](LaunchSpec& spec) { spec.lease = "/nonexistent/lease"; });
  EXPECT_NE(error.message.find("the lease file cannot be used: No such file"), std::string::npos)
      << error.message;
  error = error_of([](LaunchSpec& spec) { spec.files["lease"] = "short"; });
  EXPECT_NE(error.message.find("the lease file cannot be used"), std::string::npos)
      << error.message;
  error = error_of([](LaunchSpec& spec) { spec.keeper = "/nonexistent/hikae-keeper"; });
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  error = error_of([](LaunchSpec& spec) { spec.keeper = "/bin/true"; });
  EXPECT_EQ(error.code, ErrorCode::kUnavailable) << "it tells no pid";
  EXPECT_EQ(error.message.find("hikae-keeper:"), std::string::npos) << "an old line";
}

TEST_F(KeptChildTest, RunsBeforeOrdinaryWorkWhereThatIsPermittedAndItsChildDoesNot) {
  const Process process = start_kept();
  EXPECT_EQ(::sched_getscheduler(pid_t(process.pid)), SCHED_OTHER);
  const sched_param lowest{.sched_priority = ::sched_get_priority_min(SCHED_FIFO)};
  const bool permitted = ::sched_setscheduler(pid_t(process.pid), SCHED_FIFO, &lowest) == 0;
  const sched_param none{};
  EXPECT_EQ(::sched_setscheduler(pid_t(process.pid), SCHED_OTHER, &none), 0);
  EXPECT_EQ(::sched_getscheduler(pid_t(keeper_of(process))),
            permitted ? SCHED_FIFO | SCHED_RESET_ON_FORK : SCHED_OTHER);
}

}  // namespace
}  // namespace hikae::adapters
