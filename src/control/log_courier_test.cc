#include "control/log_courier.h"

#include <optional>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "control/agent_fakes.h"

namespace hikae::control {
namespace {

const NodeKey kNode{core::CacheClusterId("foo-001"), core::NodeId("0001")};

class Logs final : public LogSource, public LogSink {
 public:
  std::vector<std::string> file;  // lines of the engine's log
  std::vector<SlowEntry> slow;
  std::vector<LogBatch> delivered;
  std::optional<Error> full;
  bool there = true;  // the engine's log is

  Awaitable<Result<LogChunk>> read_lines(std::string, LogPlace place) override {
    if (!there) {
      co_return fail(ErrorCode::kNotFound, "no file");
    }
    LogChunk out;
    out.place = {7, file.size()};
    if (place.file != 0) {
      out.lines.assign(file.begin() + std::ptrdiff_t(place.offset), file.end());
    }
    co_return out;
  }
  Awaitable<Result<std::vector<SlowEntry>>> read_slow_log(core::NodeAssignment,
                                                          std::int64_t after) override {
    std::vector<SlowEntry> out = slow;
    std::erase_if(out, [after](const SlowEntry& entry) { return entry.id <= after; });
    co_return out;
  }
  Awaitable<Status> deliver(LogBatch batch) override {
    if (full) {
      co_return tl::unexpected(*full);
    }
    delivered.push_back(std::move(batch));
    co_return Status();
  }
};

class LogCourierTest : public ::testing::Test {
 protected:
  LogCourierTest() { launch(); }
  ~LogCourierTest() override { stop(); }

  void launch() {
    courier_.emplace(io_.get_executor(), LogCourier::Ports{&logs_, &logs_, host_, clock_, log_},
                     [this] { ++changes_; });
    courier_->start();
  }
  void stop() {
    bool stopped = false;
    boost::asio::co_spawn(io_, courier_->stop(), [&](std::exception_ptr) { stopped = true; });
    settle();
    EXPECT_TRUE(stopped);
    courier_.reset();
  }
  void assign(const std::vector<std::string>& types) {
    core::NodeAssignment node;
    node.node = kNode;
    node.engine = "valkey";
    for (const std::string& type : types) {
      node.logs.push_back({type, "cloudwatch-logs", "group", "text", "", ""});
    }
    core::Assignment assignment;
    assignment.nodes.emplace_back(std::move(node));
    courier_->assign(assignment);
    host_.engines[kNode];  // its directory
  }
  void settle() {
    io_.restart();
    while (io_.poll() > 0) {
    }
  }
  void round() {
    settle();
    clock_.advance_to_next();
    settle();
  }
  std::vector<std::string> lines() const {
    std::vector<std::string> out;
    for (const LogBatch& batch : logs_.delivered) {
      out.insert(out.end(), batch.lines.begin(), batch.lines.end());
    }
    return out;
  }

  boost::asio::io_context io_;
  FakeClock clock_;
  NoLog log_;
  FakeHost host_;
  Logs logs_;
  int changes_ = 0;
  std::optional<LogCourier> courier_;
};

TEST_F(LogCourierTest, DeliversWhatComesFromNowOn) {
  logs_.file = {"old"};
  assign({"engine-log"});
  settle();
  EXPECT_TRUE(logs_.delivered.empty());
  logs_.file.insert(logs_.file.end(), {"a", "", "b"});
  round();
  ASSERT_EQ(logs_.delivered.size(), 1u);
  EXPECT_EQ(logs_.delivered[0].stream, "elasticache/valkey/foo-001/0001/engine-log");
  EXPECT_EQ(logs_.delivered[0].node, kNode);
  EXPECT_EQ(lines(), (std::vector<std::string>{"a", "b"}));
  round();
  EXPECT_EQ(logs_.delivered.size(), 1u) << "each line once";
}

TEST_F(LogCourierTest, WhatANewEngineWritesFirstIsDelivered) {
  logs_.there = false;
  assign({"engine-log"});
  settle();
  logs_.there = true;
  logs_.file = {"started"};
  round();
  EXPECT_EQ(lines(), std::vector<std::string>{"started"});
}

TEST_F(LogCourierTest, SlowEntriesFromBeforeStayWhereTheyAre) {
  const std::int64_t now = clock_.now().seconds();
  logs_.slow = {{1, now - 5, 20'000, "GET", 1, "", ""}};
  assign({"slow-log"});
  settle();
  logs_.slow.push_back({2, now + 1, 30'000, "SET", 2, "", ""});
  round();
  ASSERT_EQ(logs_.delivered.size(), 1u);
  ASSERT_EQ(logs_.delivered[0].slow.size(), 1u);
  EXPECT_EQ(logs_.delivered[0].slow[0].id, 2);
}

TEST_F(LogCourierTest, TheNextAgentGoesOnWhereThisOneEnded) {
  assign({"engine-log"});
  settle();
  logs_.file = {"a"};
  round();
  stop();
  logs_.file.push_back("between");
  launch();
  assign({"engine-log"});
  settle();
  EXPECT_EQ(lines(), (std::vector<std::string>{"a", "between"}));
}

TEST_F(LogCourierTest, WhatCannotBeDeliveredIsToldAndComesAgain) {
  assign({"engine-log"});
  settle();
  logs_.full = Error{ErrorCode::kExhausted, "the disk is full"};
  logs_.file = {"a"};
  round();
  EXPECT_EQ(courier_->problem(kNode), "the disk is full");
  EXPECT_EQ(changes_, 1);
  logs_.full.reset();
  logs_.file.push_back("b");
  round();
  EXPECT_EQ(courier_->problem(kNode), "");
  EXPECT_EQ(changes_, 2);
  EXPECT_EQ(lines(), (std::vector<std::string>{"a", "b"}));
}

TEST_F(LogCourierTest, WhatCameWhileItWasTurnedOffIsNotDelivered) {
  assign({"engine-log"});
  settle();
  logs_.file = {"a"};
  round();
  assign({});
  round();
  logs_.file.push_back("meanwhile");
  assign({"engine-log"});
  settle();
  logs_.file.push_back("b");
  round();
  EXPECT_EQ(lines(), (std::vector<std::string>{"a", "b"}));
}

TEST_F(LogCourierTest, NobodyIsAskedOnceNoLogIsWanted) {
  assign({"engine-log"});
  settle();
  logs_.file = {"a"};
  assign({});
  round();
  round();
  EXPECT_TRUE(logs_.delivered.empty());
}

}  // namespace
}  // namespace hikae::control
