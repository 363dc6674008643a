#include "app/down.h"

#include <filesystem>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "adapters/system/data_directory.h"
#include "app/runtime_facts.h"

namespace hikae::app {
namespace {

class DownTest : public testing::Test {
 protected:
  DownTest() {
    std::string name = (std::filesystem::temp_directory_path() / "hikae-down-XXXXXX").string();
    data_ = std::filesystem::canonical(::mkdtemp(name.data())).string();
    std::filesystem::create_directories(data_ + "/nodes/foo-001");
  }
  ~DownTest() override { std::filesystem::remove_all(data_); }

  // A child that has done `prepare` when this returns, and waits for a signal.
  template <class F>
  static pid_t start(F prepare) {
    int ready[2];
    EXPECT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(ready[0]);
      prepare();
      static_cast<void>(::write(ready[1], "r", 1));
      for (;;) {
        ::pause();
      }
    }
    ::close(ready[1]);
    char byte = 0;
    EXPECT_EQ(::read(ready[0], &byte, 1), 1);
    ::close(ready[0]);
    return child;
  }
  static int signal_that_ended(pid_t child) {
    int status = 0;
    return ::waitpid(child, &status, 0) == child && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }
  std::string data_;
};

TEST_F(DownTest, StopsWhatLivesBelowNodesAndNothingElse) {
  const pid_t engine = start([this] { ::chdir((data_ + "/nodes/foo-001").c_str()); });
  const pid_t bystander = start([this] { ::chdir(data_.c_str()); });
  EXPECT_EQ(engine_processes(data_ + "/nodes"), std::vector<pid_t>{engine});
  EXPECT_EQ(run_down(data_), 0);
  EXPECT_EQ(signal_that_ended(engine), SIGTERM);
  EXPECT_EQ(::kill(bystander, 0), 0);
  ::kill(bystander, SIGKILL);
  EXPECT_EQ(signal_that_ended(bystander), SIGKILL);
}

TEST_F(DownTest, StopsServeFirst) {
  const pid_t serve = start([this] {
    static auto lock = adapters::DataDirectory::open(data_);
    if (!lock) {
      ::_exit(1);
    }
  });
  EXPECT_EQ(adapters::lock_holder(data_), serve);
  EXPECT_EQ(run_down(data_), 0);
  EXPECT_EQ(signal_that_ended(serve), SIGTERM);
  EXPECT_EQ(adapters::lock_holder(data_), std::nullopt);
}

TEST_F(DownTest, ADirectoryThatIsNotThereIsAMistake) {
  EXPECT_EQ(run_down(data_ + "/nothing"), 1);
  EXPECT_FALSE(std::filesystem::exists(data_ + "/nothing"));
}

}  // namespace
}  // namespace hikae::app
