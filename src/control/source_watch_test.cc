#include "control/source_watch.h"

#include <gtest/gtest.h>

#include "control/agent_test_fixture.h"

namespace hikae::control {
namespace {

using Use = core::MigrationSource::Use;

// A server outside, in memory.
class FakeSource final : public MigrationSources {
 public:
  std::string problem;
  int checks = 0;
  int pauses = 0;
  int resumes = 0;

  Awaitable<core::SourceAnswer> check(NodeAssignment) override {
    ++checks;
    co_return answer();
  }
  Awaitable<core::SourceAnswer> pause_writes(NodeAssignment, Duration bound) override {
    EXPECT_GT(bound, seconds(1));
    ++pauses;
    co_return answer();
  }
  Awaitable<void> resume_writes(NodeAssignment) override {
    ++resumes;
    co_return;
  }

 private:
  core::SourceAnswer answer() const {
    core::SourceAnswer out;
    out.problem = problem;
    out.writes_paused = problem.empty();
    out.offset = 77;
    return out;
  }
};

class SourceWatchTest : public AgentTest {
 protected:
  void SetUp() override {
    AgentPorts ports{host_, host_, clock_, log_, gate_};
    ports.sources = &source_;
    agent_ = std::make_unique<Agent>(io_.get_executor(), core::HostId("h"), ports, reports_);
    agent_->start();
    settle();
  }
  NodeAssignment with_source(Use use, int question) {
    NodeAssignment node = primary();
    node.source = {"10.1.2.3", 6379, use, Instant(question)};
    if (node.source.is_followed()) {
      node.role = core::Role::kReplica;
      node.attach = true;
    }
    return node;
  }
  core::SourceAnswer answer() {
    const auto* seen = reports_.newest(kPrimary);
    return seen == nullptr ? core::SourceAnswer() : seen->source;
  }
  bool run_until_answered(int question) {
    return run_until([&] { return answer().deadline == Instant(question); });
  }

  FakeSource source_;
};

TEST_F(SourceWatchTest, AQuestionIsAskedOnceAndItsAnswerReported) {
  source_.problem = "it will not do";
  assign({with_source(Use::kCheck, 1)});
  ASSERT_TRUE(run_until_answered(1));
  EXPECT_EQ(answer().problem, "it will not do");
  pass(seconds(2));
  EXPECT_EQ(source_.checks, 1);
  source_.problem.clear();
  assign({with_source(Use::kCheck, 2)});
  ASSERT_TRUE(run_until_answered(2));
  EXPECT_EQ(answer().problem, "");
  assign({primary()});
  EXPECT_TRUE(run_until([&] { return answer().deadline == Instant(); }));
}

TEST_F(SourceWatchTest, TheEngineFollowsTheSourceByItsOwnName) {
  assign({primary()});
  ASSERT_TRUE(run_until_ready(kPrimary));
  assign({with_source(Use::kFollow, 0)});
  ASSERT_TRUE(run_until([&] { return host_.count("follow") == 1; }));
  EXPECT_EQ(host_.engines.at(kPrimary).status.following, "10.1.2.3");
  pass(seconds(2));
  EXPECT_EQ(host_.count("follow"), 1);
  EXPECT_EQ(source_.checks + source_.pauses, 0);
}

TEST_F(SourceWatchTest, ASourceHoldsBackWritesUntilTheCutOverIsGivenUp) {
  assign({with_source(Use::kCutOver, 1)});
  ASSERT_TRUE(run_until_answered(1));
  EXPECT_EQ(answer().offset, 77u);
  const std::size_t reports = reports_.all.size();
  pass(seconds(1));
  EXPECT_GT(reports_.all.size(), reports + 10);  // how far its replica is travels with them
  EXPECT_EQ(source_.pauses, 1);
  assign({with_source(Use::kFollow, 0)});
  EXPECT_TRUE(run_until([&] { return source_.resumes == 1; }));
}

TEST_F(SourceWatchTest, AfterACutOverItsClientsAreLeftWaitingForTheRestOfThePause) {
  assign({with_source(Use::kCutOver, 1)});
  ASSERT_TRUE(run_until_answered(1));
  assign({primary()});
  pass(seconds(2));
  EXPECT_EQ(source_.resumes, 0);
}

TEST_F(SourceWatchTest, ASourceThatDoesNotAnswerIsAskedAgain) {
  source_.problem = "no answer";
  assign({with_source(Use::kCutOver, 1)});
  ASSERT_TRUE(run_until_answered(1));
  EXPECT_EQ(answer().problem, "no answer");
  source_.problem.clear();
  EXPECT_TRUE(run_until([&] { return answer().writes_paused; }));
  assign({with_source(Use::kFollow, 0)});
  EXPECT_TRUE(run_until([&] { return source_.resumes == 1; }));
}

}  // namespace
}  // namespace hikae::control
