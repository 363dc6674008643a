#include "control/snapshot_taker.h"

#include <gtest/gtest.h>

#include "control/agent_test_fixture.h"

namespace hikae::control {
namespace {

using Stage = core::SnapshotProgress::Stage;

// An engine that saves, and a directory, both in memory.
class FakeSaver final : public DataSaver {
 public:
  int refusals = 0;  // so many times it is busy
  std::optional<Error> error;
  State state = State::kSaving;
  bool lost = false;  // another process answers than the one that was asked
  int begun = 0;

  Awaitable<Status> begin(NodeAssignment) override {
    if (error) {
      co_return tl::unexpected(*error);
    }
    if (refusals-- > 0) {
      co_return fail(ErrorCode::kConflict, "it saves already");
    }
    ++begun;
    lost = false;
    co_return Status();
  }
  Awaitable<Result<State>> look(NodeAssignment) override {
    if (lost) {
      co_return fail(ErrorCode::kConflict, "gone");
    }
    co_return state;
  }
  std::string saved_file(const NodeAssignment& assignment) const override {
    return assignment.node.str() + "/dump.rdb";
  }
};

class FakeFiles final : public SnapshotFiles {
 public:
  std::map<std::string, std::string> files;  // by name: where each came from
  std::optional<Error> error;

  Awaitable<Result<SnapshotFile>> take_over(std::string from, std::string file) override {
    if (error) {
      co_return tl::unexpected(*error);
    }
    files[file] = std::move(from);
    co_return SnapshotFile{100, 1000, 11, "0123456789abcdef"};
  }
  Awaitable<Result<SnapshotFile>> check(std::string file) override {
    if (!files.contains(file)) {
      co_return fail(ErrorCode::kNotFound, "no such file");
    }
    co_return SnapshotFile{100, 1000, 11, "0123456789abcdef"};
  }
  Awaitable<Result<SnapshotFile>> copy(std::string, std::string) override { co_return none(); }
  Awaitable<Result<SnapshotFile>> fetch(BucketObject, std::string) override { co_return none(); }
  Awaitable<Status> put(std::string, BucketObject) override { co_return Status(); }
  Awaitable<Status> may_put(BucketObject) override { co_return Status(); }
  Awaitable<Status> remove(std::string) override { co_return Status(); }
  Awaitable<Status> sweep(std::set<std::string>, Duration) override { co_return Status(); }
  std::string path(const std::string& file) const override { return "snapshots/" + file; }

 private:
  static Result<SnapshotFile> none() { return fail(ErrorCode::kInternal, "not used here"); }
};

class SnapshotTakerTest : public AgentTest {
 protected:
  void SetUp() override { launch_with_snapshots(); }
  void launch_with_snapshots() {
    agent_ = std::make_unique<Agent>(
        io_.get_executor(), core::HostId("h"),
        AgentPorts{host_, host_, clock_, log_, gate_, {}, nullptr, &saver_, &files_}, reports_);
    agent_->start();
    settle();
  }
  NodeAssignment wanted(const std::string& file) {
    NodeAssignment node = primary();
    node.snapshot_file = file;
    return node;
  }
  core::SnapshotProgress progress() {
    const auto* seen = reports_.newest(kPrimary);
    return seen == nullptr ? core::SnapshotProgress() : seen->snapshot;
  }
  bool run_until_stage(Stage stage) {
    return run_until([&] { return progress().stage == stage; });
  }

  FakeSaver saver_;
  FakeFiles files_;
};

TEST_F(SnapshotTakerTest, TheDataIsSavedStoredAndReported) {
  assign({primary()});
  ASSERT_TRUE(run_until_ready(kPrimary));
  assign({wanted("a.rdb")});
  pass(seconds(3));
  EXPECT_EQ(saver_.begun, 1);
  EXPECT_TRUE(files_.files.empty());
  saver_.state = DataSaver::State::kSaved;
  ASSERT_TRUE(run_until_stage(Stage::kDone));
  EXPECT_EQ(progress().file, "a.rdb");
  EXPECT_EQ(progress().bytes, 100u);
  EXPECT_EQ(progress().checksum, "0123456789abcdef");
  EXPECT_EQ(files_.files.at("a.rdb"), kPrimary.str() + "/dump.rdb");
  assign({primary()});
  ASSERT_TRUE(run_until_stage(Stage::kNone));
}

TEST_F(SnapshotTakerTest, ABusyEngineIsAskedAgain) {
  saver_.refusals = 3;
  saver_.state = DataSaver::State::kSaved;
  assign({wanted("a.rdb")});
  ASSERT_TRUE(run_until_stage(Stage::kDone));
  EXPECT_EQ(saver_.begun, 1);
}

TEST_F(SnapshotTakerTest, AnotherProcessHasToBeginAnew) {
  assign({wanted("a.rdb")});
  ASSERT_TRUE(run_until([&] { return saver_.begun == 1; }));
  saver_.lost = true;
  ASSERT_TRUE(run_until([&] { return saver_.begun == 2; }));
  saver_.state = DataSaver::State::kSaved;
  ASSERT_TRUE(run_until_stage(Stage::kDone));
}

TEST_F(SnapshotTakerTest, FailuresAreReportedWithTheirReason) {
  saver_.state = DataSaver::State::kFailed;
  assign({wanted("a.rdb")});
  ASSERT_TRUE(run_until_stage(Stage::kFailed));
  EXPECT_NE(progress().problem.find("disk"), std::string::npos);
  saver_.state = DataSaver::State::kSaved;
  files_.error = Error{ErrorCode::kExhausted, "no space left"};
  assign({wanted("b.rdb")});
  ASSERT_TRUE(run_until([&] { return progress().problem == "no space left"; }));
  files_.error.reset();
  assign({wanted("c.rdb")});
  ASSERT_TRUE(run_until_stage(Stage::kDone));
}

TEST_F(SnapshotTakerTest, TheNextAgentFindsWhatWasStored) {
  files_.files["a.rdb"] = "before";
  assign({wanted("a.rdb")});
  ASSERT_TRUE(run_until_stage(Stage::kDone));
  EXPECT_EQ(saver_.begun, 0);
}

TEST_F(SnapshotTakerTest, AnAgentStopsWhileAnEngineSaves) {
  assign({wanted("a.rdb")});
  ASSERT_TRUE(run_until([&] { return saver_.begun == 1; }));
  stop();
  launch_with_snapshots();
  saver_.state = DataSaver::State::kSaved;
  assign({wanted("a.rdb")});
  ASSERT_TRUE(run_until_stage(Stage::kDone));
  EXPECT_EQ(saver_.begun, 2);
}

TEST_F(SnapshotTakerTest, ANewNodeStartsWithTheDataOfItsSnapshot) {
  NodeAssignment node = primary();
  node.restore_file = "a.rdb";
  assign({node});
  ASSERT_TRUE(run_until_ready(kPrimary));
  EXPECT_EQ(host_.last_seed, "snapshots/a.rdb");
  host_.engines.at(kPrimary).status.loading = true;
  host_.engines.at(kPrimary).status.loaded_percent = 57;
  ASSERT_TRUE(run_until([&] { return reports_.newest(kPrimary)->loaded_percent == 50; }));
}

TEST_F(SnapshotTakerTest, DataThatAnEngineCannotTakeInIsReportedAfterThreeTries) {
  NodeAssignment node = primary();
  node.restore_file = "a.rdb";
  assign({node});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(
        reports_.newest(kPrimary) == nullptr ? "" : reports_.newest(kPrimary)->restore_problem, "");
    ASSERT_TRUE(run_until([&] { return host_.count("start") == i + 1; }));
    host_.engines.at(kPrimary).status.loading = true;
    ASSERT_TRUE(run_until([&] {
      const auto* seen = reports_.newest(kPrimary);
      return seen != nullptr && seen->process == NodeObservation::Process::kRunning;
    }));
    pass(seconds(2));
    host_.end(host_.engines.at(kPrimary));
  }
  ASSERT_TRUE(run_until([&] { return !reports_.newest(kPrimary)->restore_problem.empty(); }));
}

}  // namespace
}  // namespace hikae::control
