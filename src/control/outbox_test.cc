#include "control/outbox.h"

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "control/agent_fakes.h"

namespace hikae::control {
namespace {

class Place final : public MessageSink {
 public:
  std::vector<std::string> got;
  int failures = 0;  // so many deliveries fail from now on
  int tries = 0;

  Awaitable<Status> deliver(std::string message) override {
    ++tries;
    if (failures > 0) {
      --failures;
      co_return fail(ErrorCode::kUnavailable, "nobody is there");
    }
    got.push_back(std::move(message));
    co_return Status();
  }
  std::string place() const override { return "a place"; }
};

class Lines final : public Log {
 public:
  std::vector<std::string> all;
  void info(std::string_view line) override { all.emplace_back(line); }
  void warn(std::string_view line) override { all.emplace_back(line); }
  void error(std::string_view line) override { all.emplace_back(line); }
};

class OutboxTest : public ::testing::Test {
 protected:
  OutboxTest() { outbox_.start(); }
  ~OutboxTest() override {
    bool stopped = false;
    boost::asio::co_spawn(io_, outbox_.stop(), [&](std::exception_ptr) { stopped = true; });
    settle();
    EXPECT_TRUE(stopped);
  }
  void settle() {
    io_.restart();
    while (io_.poll() > 0) {
    }
  }
  void pass_all_time() {
    settle();
    while (clock_.advance_to_next()) {
      settle();
    }
  }

  boost::asio::io_context io_;
  FakeClock clock_;
  Lines log_;
  Place place_;
  Outbox outbox_{io_.get_executor(), place_, clock_, log_};
};

TEST_F(OutboxTest, DeliversInOrder) {
  outbox_.put("a");
  outbox_.put("b");
  settle();
  EXPECT_EQ(place_.got, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(log_.all.empty());
}

TEST_F(OutboxTest, TriesAgainAfterAPause) {
  place_.failures = Outbox::kMostTries - 1;
  outbox_.put("a");
  settle();
  EXPECT_EQ(place_.tries, 1);
  const Monotonic begun = clock_.monotonic();
  pass_all_time();
  EXPECT_EQ(place_.got, std::vector<std::string>{"a"});
  EXPECT_EQ(clock_.monotonic() - begun, Duration(std::chrono::seconds(1 + 2 + 4 + 8)));
  EXPECT_EQ(outbox_.lost(), 0u);
}

TEST_F(OutboxTest, GivesUpAndTellsOnceUntilItWorksAgain) {
  place_.failures = 2 * Outbox::kMostTries;
  for (const char* text : {"a", "b", "c"}) {
    outbox_.put(text);
  }
  pass_all_time();
  EXPECT_EQ(place_.got, std::vector<std::string>{"c"});
  EXPECT_EQ(outbox_.lost(), 2u);
  EXPECT_EQ(log_.all,
            (std::vector<std::string>{"messages to a place are lost from now on: nobody is there",
                                      "messages to a place arrive again; 2 were lost"}));
}

TEST_F(OutboxTest, HoldsOnlySoMany) {
  place_.failures = 1;
  for (std::size_t i = 0; i < Outbox::kMostWaiting + 10; ++i) {
    outbox_.put(std::to_string(i));
  }
  EXPECT_EQ(outbox_.lost(), 10u);
  EXPECT_EQ(log_.all.size(), 1u);
  pass_all_time();
  ASSERT_EQ(place_.got.size(), Outbox::kMostWaiting);
  EXPECT_EQ(place_.got.back(), std::to_string(Outbox::kMostWaiting - 1)) << "the newest are lost";
}

}  // namespace
}  // namespace hikae::control
