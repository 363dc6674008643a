#include "control/agent.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "control/agent_test_fixture.h"

namespace hikae::control {
namespace {

TEST_F(AgentTest, StartsAPrimaryAndReportsItAsSoonAsItAnswers) {
  host_.silent_inspections = 5;
  launch();
  EXPECT_TRUE(reports_.all.empty());
  assign({primary()});
  const Monotonic begin = clock_.monotonic();
  ASSERT_TRUE(run_until_ready(kPrimary));
  EXPECT_LT(clock_.monotonic() - begin, milliseconds(15));
  const auto* seen = reports_.newest(kPrimary);
  EXPECT_EQ(seen->process, NodeObservation::Process::kRunning);
  EXPECT_EQ(seen->generation, 1U);
  EXPECT_EQ(seen->running_version, "8.0.1");
  EXPECT_EQ(reports_.all.back().assignment_revision, core::Revision(1));
  EXPECT_EQ(host_.calls, std::vector<std::string>{"start"});
}

TEST_F(AgentTest, ReplicaFollowsOnlyWhenItsTurnHasCome) {
  launch();
  assign({replica(false)});
  pass(seconds(5));
  EXPECT_EQ(host_.calls, (std::vector<std::string>{"start", "park", "drop_clients"}));
  assign({replica(true)});
  ASSERT_TRUE(run_until_ready(kReplica));
  EXPECT_EQ(host_.engines[kReplica].status.following, "foo.internal");
  EXPECT_EQ(host_.calls, (std::vector<std::string>{"start", "park", "drop_clients", "follow"}));
}

TEST_F(AgentTest, AReplicaThatGotOnlyItsCopyConnectsAnewOnceAndIsInServiceThen) {
  launch();
  assign({replica(true)});
  ASSERT_TRUE(run_until_ready(kReplica));
  host_.calls.clear();
  host_.engines[kReplica].status = with_copy_only(70);
  pass(seconds(2));
  EXPECT_EQ(host_.calls, std::vector<std::string>{"follow"});
  EXPECT_TRUE(reports_.newest(kReplica)->link_up);
  // Another full synchronisation, at another offset.
  host_.engines[kReplica].status = with_copy_only(90);
  pass(seconds(2));
  EXPECT_EQ(host_.count("follow"), 2);
}

TEST_F(AgentTest, SettledNodesCauseNeitherActionsNorReports) {
  launch();
  assign({primary(), replica(true)});
  ASSERT_TRUE(run_until_ready(kReplica));
  pass(seconds(2));
  const auto calls = host_.calls.size();
  const auto reports = reports_.all.size();
  host_.engines[kPrimary].status.replication_offset = 12345;
  pass(seconds(30));
  EXPECT_EQ(host_.calls.size(), calls);
  EXPECT_EQ(reports_.all.size(), reports);
}

TEST_F(AgentTest, NewAgentAdoptsWhatRunsAndDoesNothingToIt) {
  launch();
  assign({primary(), replica(true)});
  ASSERT_TRUE(run_until_ready(kReplica));
  stop();
  const auto pid = host_.engines[kReplica].pid;
  host_.calls.clear();
  reports_.all.clear();
  launch();
  pass(seconds(5));
  EXPECT_TRUE(host_.calls.empty());
  EXPECT_TRUE(reports_.all.empty());  // nothing is known to be wanted yet
  assign({primary(), replica(true)});
  settle();
  // The very first report already tells the truth: no blink of "not ready".
  ASSERT_FALSE(reports_.all.empty());
  for (const NodeObservation& seen : reports_.all.front().nodes) {
    EXPECT_TRUE(seen.ready) << seen.node.str();
  }
  EXPECT_EQ(reports_.newest(kReplica)->pid, pid);
  EXPECT_TRUE(host_.calls.empty());
}

TEST_F(AgentTest, ChangesMadeWhileNoAgentRanAreCarriedOut) {
  launch();
  assign({primary()});
  ASSERT_TRUE(run_until_ready(kPrimary));
  stop();
  host_.calls.clear();
  launch();
  NodeAssignment changed = primary();
  changed.directives.set("maxmemory", "200");
  assign({changed});
  ASSERT_TRUE(run_until_ready(kPrimary));
  pass(seconds(3));
  EXPECT_EQ(host_.calls, std::vector<std::string>{"set maxmemory 200"});
}

TEST_F(AgentTest, RestartsAProcessOfALowerGeneration) {
  launch();
  assign({primary()});
  ASSERT_TRUE(run_until_ready(kPrimary));
  const auto pid = host_.engines[kPrimary].pid;
  NodeAssignment rebooted = primary();
  rebooted.generation = 2;
  assign({rebooted});
  ASSERT_TRUE(run_until([&] {
    const auto* seen = reports_.newest(kPrimary);
    return seen->ready && seen->generation == 2;
  }));
  EXPECT_NE(host_.engines[kPrimary].pid, pid);
  EXPECT_EQ(host_.calls, (std::vector<std::string>{"start", "SIGKILL", "start"}));
}

TEST_F(AgentTest, ReportsACrashAtOnceAndRestartsInPlace) {
  launch();
  assign({primary()});
  ASSERT_TRUE(run_until_ready(kPrimary));
  const auto reports = reports_.all.size();
  host_.start_error = Error{ErrorCode::kExhausted, "no space left"};
  host_.end(host_.engines[kPrimary]);
  settle();  // no time passes
  ASSERT_GT(reports_.all.size(), reports);
  EXPECT_EQ(reports_.newest(kPrimary)->process, NodeObservation::Process::kStopped);
  EXPECT_FALSE(reports_.newest(kPrimary)->problem.empty());
  host_.start_error.reset();
  ASSERT_TRUE(run_until_ready(kPrimary));
  EXPECT_TRUE(reports_.newest(kPrimary)->problem.empty());
}

TEST_F(AgentTest, ProblemQuotesTheLastWordsOfTheProcessThatEnded) {
  launch();
  assign({primary()});
  ASSERT_TRUE(run_until_ready(kPrimary));
  auto& engine = host_.engines[kPrimary];
  engine.files["engine.log"] = "7:M 23 Nov 2026 08:20:11.634 # an older process\n" +
                               std::to_string(engine.pid) +
                               ":M 23 Nov 2026 08:20:12.000 # bind: Address already in use\n";
  host_.start_error = Error{ErrorCode::kExhausted, "no space left"};
  const auto reports = reports_.all.size();
  host_.end(engine);
  settle();
  ASSERT_GT(reports_.all.size(), reports);
  EXPECT_NE(reports_.all[reports].nodes.front()->problem.find("bind: Address already in use"),
            std::string::npos)
      << reports_.all[reports].nodes.front()->problem;
}

TEST_F(AgentTest, AProcessThatNeverAnsweredIsNotStartedSoonerForEachNewAssignment) {
  launch();
  host_.mute = true;
  assign({primary()});
  const Monotonic begin = clock_.monotonic();
  int deaths = 0;
  run_until([&] {
    auto& engine = host_.engines[kPrimary];
    if (engine.pid != 0) {
      engine.files["engine.out"] = "old\nFatal error, cannot open the config file\n";
      host_.end(engine);
      NodeAssignment again = primary();
      again.replaceable = ++deaths % 2 == 1;
      assign({again});
    }
    return clock_.monotonic() - begin > seconds(60);
  });
  EXPECT_GE(host_.count("start"), 5);
  EXPECT_LE(host_.count("start"), 15);
  EXPECT_NE(reports_.newest(kPrimary)->problem.find("cannot open the config file"),
            std::string::npos)
      << reports_.newest(kPrimary)->problem;
}

TEST_F(AgentTest, ProblemNamesWhoHasThePortOfAProcessThatCouldNotStart) {
  launch();
  host_.mute = true;
  assign({primary()});
  ASSERT_TRUE(run_until([&] { return host_.engines[kPrimary].pid != 0; }));
  port_holder_ = "nginx (pid 12)";
  host_.start_error = Error{ErrorCode::kExhausted, "no space left"};
  const auto reports = reports_.all.size();
  host_.end(host_.engines[kPrimary]);
  settle();
  ASSERT_GT(reports_.all.size(), reports);
  const std::string problem = reports_.all[reports].nodes.front()->problem;
  EXPECT_NE(problem.find("nginx (pid 12) has its port " + primary().address.str() + ":6379"),
            std::string::npos)
      << problem;
}

TEST_F(AgentTest, WhoWaitsForThePortOfAProcessThatAnsweredIsNotAsked) {
  launch();
  assign({primary()});
  ASSERT_TRUE(run_until_ready(kPrimary));
  port_holder_ = "nginx (pid 12)";
  const auto reports = reports_.all.size();
  host_.end(host_.engines[kPrimary]);
  settle();
  ASSERT_GT(reports_.all.size(), reports);
  const std::string problem = reports_.all[reports].nodes.front()->problem;
  EXPECT_EQ(problem.find("nginx"), std::string::npos) << problem;
}

TEST_F(AgentTest, ProcessThatKeepsDyingIsRestartedMoreAndMoreSlowly) {
  launch();
  assign({primary()});
  const Monotonic begin = clock_.monotonic();
  run_until([&] {
    auto& engine = host_.engines[kPrimary];
    if (engine.pid != 0) {
      host_.end(engine);
    }
    return clock_.monotonic() - begin >= seconds(60);
  });
  EXPECT_GE(host_.count("start"), 5);
  EXPECT_LE(host_.count("start"), 15);
}

TEST_F(AgentTest, FailedStartIsToldAndTriedAgain) {
  launch();
  host_.start_error = Error{ErrorCode::kExhausted, "no space left"};
  assign({primary()});
  ASSERT_TRUE(run_until([&] {
    const auto* seen = reports_.newest(kPrimary);
    return seen && seen->problem == "no space left";
  }));
  host_.start_error.reset();
  ASSERT_TRUE(run_until_ready(kPrimary));
  EXPECT_TRUE(reports_.newest(kPrimary)->problem.empty());
}

TEST_F(AgentTest, RetiresWhatIsNoLongerAssigned) {
  launch();
  assign({primary(), replica(true)});
  ASSERT_TRUE(run_until_ready(kReplica));
  host_.calls.clear();
  host_.ignores_sigterm = true;
  assign({primary()});
  ASSERT_TRUE(run_until([&] { return reports_.newest(kReplica) == nullptr; }));
  EXPECT_EQ(host_.calls, (std::vector<std::string>{"SIGTERM", "SIGKILL", "remove"}));
  EXPECT_FALSE(host_.engines.contains(kReplica));
  EXPECT_TRUE(host_.engines.contains(kPrimary));
}

TEST_F(AgentTest, NodeThatIsWantedAgainIsMadeAnew) {
  launch();
  assign({primary()});
  ASSERT_TRUE(run_until_ready(kPrimary));
  assign({});
  ASSERT_TRUE(run_until([&] { return reports_.newest(kPrimary) == nullptr; }));
  assign({primary()});
  EXPECT_TRUE(run_until_ready(kPrimary));
}

TEST_F(AgentTest, RefusedDirectiveIsToldOnceAndNotRetried) {
  launch();
  assign({primary()});
  ASSERT_TRUE(run_until_ready(kPrimary));
  host_.directive_error = Error{ErrorCode::kInvalid, "refused"};
  NodeAssignment changed = primary();
  changed.directives.set("maxmemory", "1");
  assign({changed});
  pass(seconds(10));
  EXPECT_EQ(host_.count("set maxmemory 1"), 1);
  EXPECT_EQ(reports_.newest(kPrimary)->problem, "refused");
}

class FaultTest : public AgentTest {
 protected:
  // A primary that a replica could replace, asked a question that it leaves open.
  void make_primary_mute() {
    launch();
    watched_ = primary();
    watched_.directives.set("appendonly", "yes");
    assign({watched_});
    ASSERT_TRUE(run_until_ready(kPrimary));
    watched_.replaceable = watched_.hold = true;
    assign({watched_});
    settle();
    host_.mute = true;
    ASSERT_TRUE(run_until([&] { return host_.count("asked in vain") > 0; }));
  }
  // Both work, and the primary is to stay dead when it dies.
  NodeAssignment launch_held_primary_and_replica() {
    launch();
    NodeAssignment held = primary();
    assign({held, replica(true)});
    EXPECT_TRUE(run_until_ready(kPrimary));
    EXPECT_TRUE(run_until_ready(kReplica));
    held.hold = true;
    assign({held, replica(true)});
    settle();
    return held;
  }
  ProcessProbe& process() { return host_.engines[kPrimary].probe; }
  NodeObservation::Process seen() { return reports_.newest(kPrimary)->process; }
  // Until the kill, from now.
  std::optional<Duration> time_to_kill(Duration longest) {
    const Monotonic begin = clock_.monotonic();
    const bool killed = run_until([&] { return host_.count("SIGKILL") > 0; }, longest);
    return killed ? std::optional(clock_.monotonic() - begin) : std::nullopt;
  }

  NodeAssignment watched_;
  const core::LivenessLimits limits_;
};

TEST_F(FaultTest, AStoppedPrimaryIsKilledThoughAQuestionIsOpen) {
  make_primary_mute();
  process().activity.stopped = true;
  const auto after = time_to_kill(seconds(60));
  ASSERT_TRUE(after);
  EXPECT_GE(*after, limits_.hang);
  EXPECT_LE(*after, limits_.hang + milliseconds(10));
  ASSERT_TRUE(run_until([&] { return seen() == NodeObservation::Process::kStopped; }));
  EXPECT_EQ(host_.count("start"), 1) << "whether it leads is for others to decide";
}

TEST_F(FaultTest, SoIsOneThatSleepsOnAQuestion) {
  make_primary_mute();
  process().activity.sleeping = true;
  const auto after = time_to_kill(seconds(60));
  ASSERT_TRUE(after);
  EXPECT_LE(*after, limits_.hang + milliseconds(15));
}

TEST_F(FaultTest, ABusyPrimaryIsLeftAloneUntilBusyIsOver) {
  make_primary_mute();
  const auto after = time_to_kill(limits_.busy * 2);
  ASSERT_TRUE(after);
  EXPECT_GE(*after, limits_.busy - milliseconds(10));
}

TEST_F(FaultTest, WhatNobodyCanReplaceIsNotKilledForHanging) {
  launch();
  assign({primary()});
  ASSERT_TRUE(run_until_ready(kPrimary));
  process().activity.stopped = true;
  EXPECT_FALSE(time_to_kill(seconds(30)));
  EXPECT_TRUE(reports_.newest(kPrimary)->hung);
}

TEST_F(FaultTest, AKilledPrimaryIsDeadLongBeforeItsMemoryIsFreed) {
  make_primary_mute();
  host_.lingers = true;
  process().activity.stopped = true;
  ASSERT_TRUE(run_until([&] { return seen() == NodeObservation::Process::kDying; }));
  ASSERT_TRUE(run_until([&] { return host_.count("refuse clients") == 1; }));
  pass(seconds(1));
  EXPECT_EQ(host_.count("SIGKILL"), 1);
  EXPECT_EQ(host_.count("refuse clients"), 1);
  host_.end(host_.engines[kPrimary]);
  EXPECT_TRUE(run_until([&] { return seen() == NodeObservation::Process::kStopped; }));
}

TEST_F(FaultTest, OnceOneProcessDiesTheOthersAreLookedAtAtOnce) {
  launch_held_primary_and_replica();
  host_.engines[kReplica].probe.exiting = true;
  settle();
  ASSERT_EQ(reports_.newest(kReplica)->process, NodeObservation::Process::kRunning);
  host_.end(host_.engines[kPrimary]);
  settle();
  EXPECT_EQ(reports_.newest(kReplica)->process, NodeObservation::Process::kDying);
}

TEST_F(FaultTest, ReadersOfADyingReplicaWaitWhileAFailoverIsUnderWay) {
  NodeAssignment held = launch_held_primary_and_replica();
  for (auto& [node, engine] : host_.engines) {
    engine.probe.exiting = true;
  }
  const auto is_dying = [&](const NodeKey& node) {
    return reports_.newest(node)->process == NodeObservation::Process::kDying;
  };
  ASSERT_TRUE(run_until([&] { return is_dying(kPrimary) && is_dying(kReplica); }));
  NodeAssignment left = replica(true);
  left.release_clients = true;
  assign({held, left});
  pass(milliseconds(500));
  EXPECT_EQ(host_.count("reset clients"), 0);
  held.role = core::Role::kReplica;
  held.hold = false;
  assign({held, left});
  EXPECT_TRUE(run_until([&] { return host_.count("reset clients") == 1; }, milliseconds(100)));
}

TEST_F(FaultTest, ClientsOfADyingPrimaryAreSentAwayOnceOthersServe) {
  make_primary_mute();
  process().exiting = true;
  ASSERT_TRUE(run_until([&] { return host_.count("refuse clients") == 1; }));
  EXPECT_EQ(host_.last_reset.address, watched_.address);
  EXPECT_EQ(host_.last_reset.process.pid, host_.engines[kPrimary].pid);
  pass(seconds(1));
  EXPECT_EQ(host_.count("reset clients"), 0);

  NodeAssignment lost = watched_;
  lost.role = core::Role::kReplica;
  assign({lost});
  pass(seconds(1));
  EXPECT_EQ(host_.count("reset clients"), 0) << "the new primary takes no writes yet";
  lost.release_clients = true;
  lost.members = {*Ipv4::parse("127.64.0.5")};
  assign({lost});
  ASSERT_TRUE(run_until([&] { return host_.count("reset clients") == 1; }));
  EXPECT_EQ(host_.last_reset.spared, lost.members);
  pass(seconds(1));
  EXPECT_EQ(host_.count("reset clients"), 1);
}

TEST_F(FaultTest, WhatADeadProcessLeftOnDiskIsReported) {
  make_primary_mute();
  host_.stored = 5'000'000;
  host_.end(host_.engines[kPrimary]);
  ASSERT_TRUE(run_until([&] { return seen() == NodeObservation::Process::kStopped; }));
  settle();
  EXPECT_EQ(reports_.newest(kPrimary)->data_on_disk, 5'000'000U);
}

TEST_F(AgentTest, MoreNodesAreAskedLessOften) {
  launch();
  std::vector<NodeAssignment> many;
  for (int i = 0; i < 400; ++i) {
    many.push_back(primary());
    many.back().node.cluster = core::CacheClusterId(std::to_string(i));
    many.back().replaceable = i < 100;
  }
  assign(std::move(many));
  pass(seconds(1));
  const AgentLoad load = agent_->load();
  EXPECT_EQ(load.nodes, 400);
  EXPECT_EQ(load.watched, 100);
  EXPECT_GE(load.glance, milliseconds(50));
  EXPECT_GE(load.poll_watched, seconds(2));
}

TEST_F(AgentTest, AmongManyPrimariesWhoStandsStillIsFoundToo) {
  launch();
  std::vector<NodeAssignment> many;
  for (int i = 0; i < 100; ++i) {
    many.push_back(primary());
    many.back().node.cluster = core::CacheClusterId(std::to_string(i));
    many.back().replaceable = true;
  }
  const core::NodeKey last = many.back().node;
  assign(std::move(many));
  ASSERT_TRUE(run_until_ready(last));
  host_.engines[last].probe.activity.stopped = true;
  EXPECT_TRUE(run_until([&] { return host_.count("SIGKILL") == 1; }));
}

TEST_F(AgentTest, OldAssignmentDoesNotReplaceANewerOne) {
  launch();
  assign({primary()});
  ASSERT_TRUE(run_until_ready(kPrimary));
  core::Assignment old;
  old.host = core::HostId("h");
  agent_->assign(old);
  pass(seconds(5));
  EXPECT_TRUE(host_.engines.contains(kPrimary));
}

TEST_F(AgentTest, HoldsTheAddressesOfItsNodesForAsLongAsTheyRun) {
  addresses_ = &pool_;
  launch();
  assign({primary(), replica(true)});
  ASSERT_TRUE(run_until_ready(kReplica));
  EXPECT_EQ(pool_.held, (std::set<Ipv4>{primary().address, replica(true).address}));
  host_.ignores_sigterm = true;
  assign({primary()});
  settle();
  EXPECT_EQ(pool_.held.size(), 2u);  // it still runs
  ASSERT_TRUE(run_until([&] { return reports_.newest(kReplica) == nullptr; }));
  settle();
  EXPECT_EQ(pool_.held, std::set<Ipv4>{primary().address});
}

TEST_F(AgentTest, AnAddressOfAnotherMachineIsAProblemUntilItIsFree) {
  pool_.taken = {primary().address};
  addresses_ = &pool_;
  launch();
  assign({primary()});
  ASSERT_TRUE(run_until([&] {
    const auto* seen = reports_.newest(kPrimary);
    return seen && seen->problem == "127.64.0.4 belongs to another machine";
  }));
  EXPECT_EQ(host_.count("start"), 0);
  pool_.taken.clear();
  ASSERT_TRUE(run_until_ready(kPrimary));
}

TEST_F(AgentTest, ADecisionThatCameWhileItTookTheAddressCounts) {
  addresses_ = &pool_;
  NodeAssignment held = primary();
  held.hold = true;
  pool_.meanwhile = [&] { assign({held}); };
  launch();
  assign({primary()});
  pass(seconds(5));
  EXPECT_EQ(host_.count("start"), 0);
}

TEST_F(AgentTest, StopsInTheMiddleOfAnything) {
  host_.silent_inspections = 1'000'000;
  launch();
  assign({primary(), replica(true)});
  settle();
  stop();  // checks that it returns
  EXPECT_EQ(host_.engines.size(), 2U);
  EXPECT_NE(host_.engines[kPrimary].pid, 0);
}

}  // namespace
}  // namespace hikae::control
