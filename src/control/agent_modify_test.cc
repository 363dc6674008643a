#include <gtest/gtest.h>

#include "control/agent.h"
#include "control/agent_test_fixture.h"

// What an agent makes of a modified assignment.

namespace hikae::control {
namespace {

TEST_F(AgentTest, TellsWhenAnEditionIsInEffect) {
  launch();
  assign({primary()});
  ASSERT_TRUE(run_until_ready(kPrimary));
  NodeAssignment changed = primary();
  changed.edition = 2;
  changed.directives.set("maxmemory", "200");
  assign({changed});
  ASSERT_TRUE(run_until([&] { return reports_.newest(kPrimary)->edition == 2; }));
  EXPECT_EQ(host_.count("set maxmemory 200"), 1);
  EXPECT_FALSE(reports_.newest(kPrimary)->outdated);
  changed.edition = 3;
  changed.directives.set("databases", "32");  // only a restart brings it
  assign({changed});
  ASSERT_TRUE(run_until([&] { return reports_.newest(kPrimary)->edition == 3; }));
  EXPECT_TRUE(reports_.newest(kPrimary)->outdated);
  EXPECT_EQ(host_.count("start"), 1);
}

TEST_F(AgentTest, TellsOfANewerProgramAndTakesItWhenItIsTold) {
  launch();
  assign({primary()});
  ASSERT_TRUE(run_until_ready(kPrimary));
  EXPECT_EQ(reports_.newest(kPrimary)->newer_program, "");
  host_.installed = "8.0.2";
  ++host_.programs;
  ASSERT_TRUE(
      run_until([&] { return reports_.newest(kPrimary)->newer_program == "valkey 8.0.2"; }));
  EXPECT_FALSE(reports_.newest(kPrimary)->outdated) << "nobody asked for it";
  NodeAssignment changed = primary();
  changed.edition = 2;
  changed.update = true;
  assign({changed});
  ASSERT_TRUE(run_until([&] { return reports_.newest(kPrimary)->edition == 2; }));
  EXPECT_TRUE(reports_.newest(kPrimary)->outdated);
  EXPECT_EQ(host_.count("start"), 1);
  // An agent that meets the running process knows as much.
  stop();
  launch();
  assign({changed});
  ASSERT_TRUE(run_until([&] { return reports_.newest(kPrimary)->edition == 2; }));
  EXPECT_EQ(reports_.newest(kPrimary)->newer_program, "valkey 8.0.2");
  changed.generation = 2;
  assign({changed});
  ASSERT_TRUE(run_until([&] {
    const auto* seen = reports_.newest(kPrimary);
    return seen->generation == 2 && seen->ready && seen->edition == 2;
  }));
  EXPECT_EQ(reports_.newest(kPrimary)->running_version, "8.0.2");
  EXPECT_EQ(reports_.newest(kPrimary)->newer_program, "");
  EXPECT_FALSE(reports_.newest(kPrimary)->outdated);
}

TEST_F(AgentTest, AnEditionIsInEffectWhenItsTokensAre) {
  launch();
  assign({primary()});
  ASSERT_TRUE(run_until_ready(kPrimary));
  NodeAssignment changed = primary();
  changed.edition = 2;
  changed.access = {"", {"digest"}, false};
  host_.access_error = Error{ErrorCode::kTimeout, "it is busy"};
  assign({changed});
  ASSERT_TRUE(run_until([&] { return host_.count("access 1") > 1; })) << "it is tried again";
  EXPECT_NE(reports_.newest(kPrimary)->edition, 2u);
  host_.access_error.reset();
  ASSERT_TRUE(run_until([&] { return reports_.newest(kPrimary)->edition == 2; }));
  EXPECT_FALSE(reports_.newest(kPrimary)->outdated);
  EXPECT_EQ(host_.count("start"), 1);
  // The next agent knows what the engine was told.
  const auto told = host_.count("access 1");
  stop();
  launch();
  assign({changed});
  ASSERT_TRUE(run_until([&] { return reports_.newest(kPrimary)->edition == 2; }));
  EXPECT_EQ(host_.count("access 1"), told);
}

TEST_F(AgentTest, HowClientsComeIsChangedByARestartAlone) {
  launch();
  assign({primary()});
  ASSERT_TRUE(run_until_ready(kPrimary));
  NodeAssignment changed = primary();
  changed.edition = 2;
  changed.access.transit_encryption = "preferred";
  assign({changed});
  ASSERT_TRUE(run_until([&] { return reports_.newest(kPrimary)->edition == 2; }));
  EXPECT_TRUE(reports_.newest(kPrimary)->outdated);
  EXPECT_EQ(host_.count("start"), 1);
  // The next agent knows how the process was started.
  stop();
  launch();
  assign({changed});
  ASSERT_TRUE(run_until([&] { return reports_.newest(kPrimary)->edition == 2; }));
  EXPECT_TRUE(reports_.newest(kPrimary)->outdated);
  changed.generation = 2;
  assign({changed});
  ASSERT_TRUE(run_until([&] {
    const auto* seen = reports_.newest(kPrimary);
    return seen->generation == 2 && seen->ready && seen->edition == 2;
  }));
  EXPECT_FALSE(reports_.newest(kPrimary)->outdated);
}

TEST_F(AgentTest, TellsWhenUsersAreInForce) {
  launch();
  NodeAssignment first = primary();
  first.users = {{"default", "nopass on"}};
  assign({first});
  ASSERT_TRUE(run_until_ready(kPrimary));
  EXPECT_EQ(host_.count("access default nopass on"), 0) << "it was started with them";
  NodeAssignment changed = first;
  changed.edition = 2;
  changed.users = {{"default", "off"}};
  host_.access_error = Error{ErrorCode::kUnavailable, "not now"};
  assign({changed});
  ASSERT_TRUE(run_until([&] { return host_.count("access default off") == 2; }));
  EXPECT_EQ(reports_.newest(kPrimary)->edition, 1u) << "it is tried again until it is done";
  host_.access_error.reset();
  ASSERT_TRUE(run_until([&] { return reports_.newest(kPrimary)->edition == 2; }));
  // The next agent knows what is in force.
  stop();
  const int before = host_.count("access default off");
  launch();
  assign({changed});
  ASSERT_TRUE(run_until([&] { return reports_.newest(kPrimary)->edition == 2; }));
  EXPECT_EQ(host_.count("access default off"), before);
  changed.users = {};
  changed.edition = 3;
  assign({changed});
  ASSERT_TRUE(run_until([&] { return reports_.newest(kPrimary)->edition == 3; }));
  EXPECT_EQ(host_.count("start"), 1);
}

TEST_F(AgentTest, AnotherProgramIsOutdatedAndTheSameOneIsNot) {
  launch();
  assign({primary()});
  ASSERT_TRUE(run_until_ready(kPrimary));
  NodeAssignment other = primary();
  other.edition = 2;
  other.engine_version = "8.1";
  assign({other});
  ASSERT_TRUE(run_until([&] { return reports_.newest(kPrimary)->edition == 2; }));
  EXPECT_FALSE(reports_.newest(kPrimary)->outdated) << "the same program serves it";
  other.edition = 3;
  other.engine = "redis";
  assign({other});
  ASSERT_TRUE(run_until([&] { return reports_.newest(kPrimary)->edition == 3; }));
  EXPECT_TRUE(reports_.newest(kPrimary)->outdated);
  // The next agent knows too, although it did not start the process.
  stop();
  launch();
  assign({other});
  ASSERT_TRUE(run_until([&] { return reports_.newest(kPrimary)->edition == 3; }));
  EXPECT_TRUE(reports_.newest(kPrimary)->outdated);
  other.generation = 2;
  assign({other});
  ASSERT_TRUE(run_until([&] { return reports_.newest(kPrimary)->generation == 2; }));
  ASSERT_TRUE(run_until([&] { return reports_.newest(kPrimary)->edition == 3; }));
  EXPECT_FALSE(reports_.newest(kPrimary)->outdated);
}

TEST_F(AgentTest, WhatNoEngineServesIsToldAndNothingIsStopped) {
  launch();
  assign({primary()});
  ASSERT_TRUE(run_until_ready(kPrimary));
  host_.launch_error = Error{ErrorCode::kNotFound, "Valkey 9.1 is not installed"};
  NodeAssignment newer = primary();
  newer.edition = 2;
  newer.engine_version = "9.1";
  assign({newer});
  ASSERT_TRUE(run_until([&] { return reports_.newest(kPrimary)->edition == 2; }));
  EXPECT_EQ(reports_.newest(kPrimary)->unservable, "Valkey 9.1 is not installed");
  EXPECT_TRUE(reports_.newest(kPrimary)->ready);
  newer.edition = 3;
  newer.engine_version = "";
  host_.launch_error.reset();
  assign({newer});
  ASSERT_TRUE(run_until([&] { return reports_.newest(kPrimary)->edition == 3; }));
  EXPECT_EQ(reports_.newest(kPrimary)->unservable, "");
}

TEST_F(AgentTest, ARestartThatKeepsTheDataSavesItFirst) {
  launch();
  assign({primary()});
  ASSERT_TRUE(run_until_ready(kPrimary));
  NodeAssignment renewed = primary();
  renewed.generation = 2;
  renewed.keep_data = true;
  host_.save_error = Error{ErrorCode::kInvalid, "the disk is full"};
  assign({renewed});
  ASSERT_TRUE(run_until([&] { return host_.count("save") > 1; })) << "it is tried again";
  EXPECT_NE(host_.engines[kPrimary].pid, 0) << "nothing is lost meanwhile";
  EXPECT_NE(reports_.newest(kPrimary)->problem, "");
  host_.save_error.reset();
  ASSERT_TRUE(run_until([&] { return host_.count("start with its data") == 1; }));
  ASSERT_TRUE(run_until_ready(kPrimary));
  // From now on a crash is one: nobody goes back to what was saved then.
  host_.end(host_.engines[kPrimary]);
  ASSERT_TRUE(run_until([&] { return host_.count("start") == 2; }));
  EXPECT_EQ(host_.count("start with its data"), 1);
}

TEST_F(AgentTest, WhatWasSavedIsNotForgottenByTheNextAgent) {
  launch();
  assign({primary()});
  ASSERT_TRUE(run_until_ready(kPrimary));
  NodeAssignment renewed = primary();
  renewed.generation = 2;
  renewed.keep_data = true;
  host_.start_error = Error{ErrorCode::kExhausted, "no more processes"};
  assign({renewed});
  ASSERT_TRUE(run_until([&] { return host_.count("save") == 1; }));
  stop();
  host_.start_error.reset();
  launch();
  assign({renewed});
  ASSERT_TRUE(run_until_ready(kPrimary));
  EXPECT_EQ(host_.calls.back(), "start with its data");
}

}  // namespace
}  // namespace hikae::control
