#include "adapters/process/linux_process_runner.h"

#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include "adapters/process/program_probe.h"
#include "adapters/process/runner_fixture.h"

namespace hikae::adapters {
namespace {

namespace fs = std::filesystem;
using control::LaunchSpec;
using control::Process;

class LinuxProcessRunnerTest : public RunnerFixture {};

TEST_F(LinuxProcessRunnerTest, ProcessGetsItsDirectoryItsFilesAndNothingOfOurs) {
  const int leak = ::open("/dev/null", O_RDONLY);  // not close-on-exec
  ::setenv("HIKAE_TEST_SECRET", "1", 1);
  LaunchSpec spec =
      shell("pwd > where; env > environment; ls /proc/$$/fd > descriptors; id -u > user");
  spec.files = {{"engine.conf", "port 1\n"}};
  run_script(std::move(spec));
  ::close(leak);
  EXPECT_EQ(file("where"), directory_ + "\n");
  EXPECT_EQ(file("engine.conf"), "port 1\n");
  EXPECT_EQ(file("environment").find("HIKAE_TEST_SECRET"), std::string::npos);
  EXPECT_EQ(file("descriptors").find(std::to_string(leak) + "\n"), std::string::npos);
  struct stat info{};
  ASSERT_EQ(::stat((directory_ + "/engine.conf").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  EXPECT_EQ(file("user"), std::to_string(info.st_uid) + "\n");
  if (::geteuid() == 0) {
    EXPECT_NE(info.st_uid, 0U) << "engines must not run as root";
  }
}

TEST_F(LinuxProcessRunnerTest, WorksBelowADirectoryThatTheEngineUserCannotEnter) {
  ASSERT_EQ(::chmod(temporary_.path().c_str(), 0700), 0);
  run_script(shell("echo fine > result"));
  EXPECT_EQ(file("result"), "fine\n");
}

TEST_F(LinuxProcessRunnerTest, TakesADirectoryThatWasMadeButNotYetGivenToTheEngineUser) {
  fs::create_directories(directory_);
  ASSERT_EQ(::chmod(directory_.c_str(), 0700), 0);
  run_script(shell("echo fine > result"));
  EXPECT_EQ(file("result"), "fine\n");
}

TEST_F(LinuxProcessRunnerTest, DataOfAnEarlierProcessIsFoundOnlyWhereItIsToBeKept) {
  run_script(shell("echo old > dump.rdb"));
  LaunchSpec keeps = shell("cat dump.rdb > found");
  keeps.data_file = "dump.rdb";
  keeps.keep_data = true;
  run_script(keeps);
  EXPECT_EQ(file("found"), "old\n");
  LaunchSpec anew = shell("cat dump.rdb > found");
  anew.data_file = "dump.rdb";
  run_script(anew);
  EXPECT_EQ(file("found"), "");
  run_script(anew);  // none is none
}

TEST_F(LinuxProcessRunnerTest, FailedExecutionIsAnErrorThatNamesTheProgram) {
  LaunchSpec spec = shell("");
  spec.program = "/nonexistent/valkey-server";
  const auto started = run(io_, runner_->start(spec));
  ASSERT_TRUE(started);
  ASSERT_FALSE(*started);
  EXPECT_EQ(started->error().code, ErrorCode::kNotFound);
  EXPECT_NE(started->error().message.find("/nonexistent/valkey-server"), std::string::npos);
}

TEST_F(LinuxProcessRunnerTest, PrivateHostsFileIsSeenByTheProcessAndCanBeChangedUnderIt) {
  if (!runner_->private_hosts_supported()) {
    GTEST_SKIP() << "mount namespaces are not permitted here";
  }
  LaunchSpec spec = shell("cat /etc/hosts > seen; mkfifo go; read x < go; cat /etc/hosts > seen2");
  spec.hosts_file = "127.64.0.4 foo.internal\n127.64.0.5 a-longer-name.internal\n";
  const Process process = start(spec);
  const std::string updated = "127.64.0.9 foo.internal\n";
  ASSERT_TRUE(runner_->update_hosts(kNode, updated));
  for (int tries = 0; tries < 5000 && !fs::exists(directory_ + "/go"); ++tries) {
    pause_briefly();
  }
  std::ofstream(directory_ + "/go") << "\n";
  ASSERT_TRUE(run(io_, runner_->wait_exit(process)));
  EXPECT_EQ(file("seen2"), updated);
  std::ifstream machine("/etc/hosts");
  const std::string ours(std::istreambuf_iterator<char>(machine), {});
  EXPECT_EQ(ours.find("foo.internal"), std::string::npos) << "the mount leaked out";
}

TEST_F(LinuxProcessRunnerTest, NextRunnerFindsProcessAndDirectoryAgain) {
  const Process process = start(shell("exec sleep 100"));
  const core::NodeKey empty{core::CacheClusterId("bar"), core::NodeId("0001")};
  fs::create_directories(root_ + "/bar/0001");
  open();
  const auto found = run(io_, runner_->find_all());
  ASSERT_TRUE(found && *found);
  ASSERT_EQ((*found)->size(), 2U);
  for (const auto& node : **found) {
    EXPECT_EQ(node.process, node.node == kNode ? std::optional(process) : std::nullopt);
  }
}

TEST_F(LinuxProcessRunnerTest, ChildrenOfAnEngineAreNotTakenForIt) {
  const Process process = start(shell("sleep 100 & sleep 100"));
  const auto found = run(io_, runner_->find_all());
  ASSERT_EQ((*found)->size(), 1U);
  EXPECT_EQ((*found)->front().process, process);
  ::kill(-pid_t(process.pid), SIGKILL);  // the session's process group
}

TEST_F(LinuxProcessRunnerTest, ExitOfAnAdoptedProcessIsNoticedToo) {
  run_script(shell("setsid sleep 100 & true"));  // leaves an orphan, as a dead hikae does
  open();
  std::optional<Process> orphan;
  for (int tries = 0; tries < 5000 && !orphan; ++tries) {
    pause_briefly();
    orphan = (*run(io_, runner_->find_all()))->front().process;
  }
  ASSERT_TRUE(orphan);
  const Process process = *orphan;
  ASSERT_TRUE(runner_->signal(process, SIGKILL));
  EXPECT_TRUE(run(io_, runner_->wait_exit(process)));
  EXPECT_EQ(runner_->signal(process, SIGKILL).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(run(io_, runner_->wait_exit(process)));  // gone already: at once
}

TEST_F(LinuxProcessRunnerTest, RecycledPidIsNeverSignalled) {
  const Process process = start(shell("exec sleep 100"));
  Process older = process;
  older.start_time -= 1;
  EXPECT_EQ(runner_->signal(older, SIGKILL).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(run(io_, runner_->wait_exit(older)));
  EXPECT_EQ(::kill(pid_t(process.pid), 0), 0);
}

TEST_F(LinuxProcessRunnerTest, WaitIsGivenUpWhenItIsCancelled) {
  using namespace boost::asio::experimental::awaitable_operators;
  const Process process = start(shell("exec sleep 100"));
  boost::asio::steady_timer timer(io_, std::chrono::milliseconds(1));
  const auto race = [](control::Awaitable<void> exit,
                       control::Awaitable<void> time) -> control::Awaitable<int> {
    const auto first = co_await (std::move(exit) || std::move(time));
    co_return int(first.index());
  };
  auto time = timer.async_wait(boost::asio::use_awaitable);
  EXPECT_EQ(run(io_, race(runner_->wait_exit(process), std::move(time))), 1);
}

TEST_F(LinuxProcessRunnerTest, NotesAreReplacedAndReadBack) {
  run_script(shell("true"));
  EXPECT_EQ(runner_->read_note(kNode, "node.note"), std::nullopt);
  ASSERT_TRUE(runner_->write_note(kNode, "node.note", "one"));
  ASSERT_TRUE(runner_->write_note(kNode, "node.note", "two"));
  EXPECT_EQ(runner_->read_note(kNode, "node.note"), "two");
}

TEST_F(LinuxProcessRunnerTest, RemovesTheDirectoryButFollowsNoLinkOutOfIt) {
  const std::string outside = temporary_.path() + "/outside";
  fs::create_directories(outside);
  std::ofstream(outside + "/precious") << "x";
  run_script(shell("mkdir -p a/b && touch a/b/c"));
  fs::create_symlink(outside, directory_ + "/link");
  fs::create_symlink(outside + "/precious", directory_ + "/hosts");
  EXPECT_FALSE(runner_->read_note(kNode, "hosts"));
  const auto removed = run(io_, runner_->remove(kNode));
  ASSERT_TRUE(removed && *removed) << removed->error().message;
  EXPECT_FALSE(fs::exists(root_ + "/foo-001"));
  EXPECT_TRUE(fs::exists(outside + "/precious"));
  EXPECT_TRUE(*run(io_, runner_->remove(kNode)));  // again: nothing to do
}

TEST_F(LinuxProcessRunnerTest, DirectoryOfALivingProcessIsNotRemoved) {
  start(shell("exec sleep 100"));
  const auto removed = run(io_, runner_->remove(kNode));
  EXPECT_EQ(removed->error().code, ErrorCode::kConflict);
  EXPECT_TRUE(fs::exists(directory_));
}

TEST_F(LinuxProcessRunnerTest, NamesThatLeadElsewhereAreRefused) {
  for (const char* name : {"..", "a/b", "", ".hidden", "/etc"}) {
    LaunchSpec spec = shell("true");
    spec.node.cluster = core::CacheClusterId(name);
    const auto started = run(io_, runner_->start(spec));
    EXPECT_EQ(started->error().code, ErrorCode::kInvalid) << name;
  }
}

TEST_F(LinuxProcessRunnerTest, SocketPathsStayShort) {
  EXPECT_EQ(runner_->path(kNode, "admin.sock"), directory_ + "/admin.sock");
  root_ += "/" + std::string(90, 'x');
  directory_ = root_ + "/foo-001/0001";
  open();
  run_script(shell("echo here > admin.sock"));
  const std::string path = runner_->path(kNode, "admin.sock");
  EXPECT_LT(path.size(), 108U);
  std::ifstream in(path);
  std::string word;
  in >> word;
  EXPECT_EQ(word, "here");
}

TEST_F(LinuxProcessRunnerTest, LogsAreBounded) {
  run_script(shell("head -c 500 /dev/zero > engine.log; head -c 500 /dev/zero"));
  ASSERT_EQ(file("engine.out").size(), 500U);
  runner_->bound_logs();
  EXPECT_FALSE(fs::exists(directory_ + "/engine.log"));
  EXPECT_EQ(file("engine.log.1").size(), 500U);
  EXPECT_EQ(file("engine.out").size(), 0U);
}

TEST_F(LinuxProcessRunnerTest, AGlanceShowsWhatAProcessDoes) {
  const Process process = start(shell("while true; do :; done"));
  const auto glance = [&] { return runner_->probe(process).value(); };
  const std::uint64_t before = glance().activity.cpu_ticks;
  while (glance().activity.cpu_ticks == before) {
    pause_briefly();
  }
  EXPECT_FALSE(glance().activity.sleeping);
  ASSERT_TRUE(runner_->signal(process, SIGSTOP));
  while (!glance().activity.stopped) {
    pause_briefly();
  }
  EXPECT_FALSE(glance().exiting);
  ASSERT_TRUE(runner_->signal(process, SIGKILL));
  run(io_, runner_->wait_exit(process));
  while (runner_->probe(process)) {
    pause_briefly();  // it is reaped by another thread
  }
  EXPECT_EQ(runner_->probe(process).error().code, ErrorCode::kNotFound);
}

// What a glance in between finds: a process whose end nobody has taken note of yet.
TEST_F(LinuxProcessRunnerTest, WhoHasEndedHasNoMemory) {
  const Process process = start(shell("exec sleep 60"));
  EXPECT_FALSE(runner_->has_no_memory(process));
  ASSERT_TRUE(runner_->signal(process, SIGKILL));
  while (!runner_->has_no_memory(process)) {
    pause_briefly();
  }
  EXPECT_TRUE(runner_->probe(process)->exiting);
  run(io_, runner_->wait_exit(process));
  EXPECT_TRUE(runner_->has_no_memory(process));
}

TEST_F(LinuxProcessRunnerTest, PrefersAProcessForAWhileWhereThatIsPermitted) {
  const Process process = start(shell("sleep 100"));
  const sched_param lowest{.sched_priority = ::sched_get_priority_min(SCHED_RR)};
  const bool permitted = ::sched_setscheduler(pid_t(process.pid), SCHED_RR, &lowest) == 0;
  runner_->prefer(process, false);
  EXPECT_EQ(::sched_getscheduler(pid_t(process.pid)), SCHED_OTHER);
  runner_->prefer(process, true);
  const int preferred = ::sched_getscheduler(pid_t(process.pid)) & ~SCHED_RESET_ON_FORK;
  EXPECT_EQ(preferred, permitted ? SCHED_RR : SCHED_OTHER);
  runner_->prefer(process, false);
  EXPECT_EQ(::sched_getscheduler(pid_t(process.pid)), SCHED_OTHER);
  ASSERT_TRUE(runner_->signal(process, SIGKILL));
  EXPECT_TRUE(run(io_, runner_->wait_exit(process)));
  runner_->prefer(process, true);  // gone: nothing happens
}

TEST_F(LinuxProcessRunnerTest, SocketsOfALivingProcessAreNotReset) {
  const Process process = start(shell("exec sleep 60"));
  control::SocketReset reset;
  reset.process = process;
  reset.address = *Ipv4::parse("127.0.0.1");
  reset.port = 1;
  EXPECT_EQ(run(io_, runner_->reset_sockets(reset))->error().code, ErrorCode::kConflict);
  ASSERT_TRUE(runner_->signal(process, SIGKILL));
  run(io_, runner_->wait_exit(process));
  EXPECT_TRUE(run(io_, runner_->reset_sockets(reset))->has_value());
}

TEST_F(LinuxProcessRunnerTest, CountsWhatANodeHasStored) {
  run_script(
      shell("mkdir data; head -c 300 /dev/zero > data/a; head -c 20 /dev/zero > data/b; "
            "mkdir data/deeper; head -c 7 /dev/zero > one; ln -s one link"));
  EXPECT_EQ(runner_->stored_bytes(kNode, {"data", "one"}), 327U);
  EXPECT_EQ(runner_->stored_bytes(kNode, {"link", "nothing"}), 0U);
  EXPECT_EQ(runner_->stored_bytes({core::CacheClusterId("no"), core::NodeId("0001")}, {"one"}), 0U);
}

TEST(ProcFiles, ReadsAStatLineWhateverTheProgramIsCalled) {
  const auto stat = parse_process_stat(
      "42 (a ) b (c) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 -5 1 0 987654 1 2 "
      "18446744073709551615 1 2 3 4 5 16384 0 0 0\n");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->pending, 16384U);
  EXPECT_FALSE(is_exiting(*stat));
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->parent, 1);
  EXPECT_EQ(stat->session, 42);
  EXPECT_EQ(stat->start_time, 987654U);
  for (const char* text : {"", "42 (x", "42 (x) S 1 2", "42 (x) "}) {
    EXPECT_FALSE(parse_process_stat(text)) << text;
  }
}

TEST(ProcFiles, OneThatWasKilledIsExitingAlsoWhileItWaitsForAProcessor) {
  const auto stat = parse_process_stat(
      "42 (x) R 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2 3 1 2 3 4 5 256 0 0 0\n");
  ASSERT_TRUE(stat);
  EXPECT_TRUE(is_exiting(*stat));
}

TEST(ProgramProbe, CapturesWhatAProgramPrints) {
  const auto shell = find_on_path("sh");
  ASSERT_TRUE(shell);
  EXPECT_EQ(run_and_capture(*shell, {"-c", "echo out; echo err >&2"}).value(), "out\nerr\n");
  EXPECT_FALSE(run_and_capture("/nonexistent", {}));
  EXPECT_EQ(find_on_path("no-such-program-anywhere"), std::nullopt);
}

}  // namespace
}  // namespace hikae::adapters
