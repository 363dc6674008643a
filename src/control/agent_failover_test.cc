#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "control/agent.h"
#include "control/agent_test_fixture.h"
#include "core/catalog/directives.h"

// What an agent does when another member of a group is to lead.

namespace hikae::control {
namespace {

NodeAssignment former_primary() {
  NodeAssignment a = primary();
  a.role = core::Role::kReplica;
  a.attach = true;
  return a;
}

// The second member is to lead in the next epoch, and the first one to follow it.
std::vector<NodeAssignment> next_epoch() {
  NodeAssignment promoted = replica(false);
  promoted.role = core::Role::kPrimary;
  promoted.primary_address = promoted.address;
  NodeAssignment follower = former_primary();
  follower.primary_address = promoted.address;
  promoted.epoch = follower.epoch = promoted.epoch.next();
  return {follower, promoted};
}

TEST_F(AgentTest, PromotionAndTheMoveOfThePrimary) {
  launch();
  assign({primary(), replica(true)});
  ASSERT_TRUE(run_until_ready(kReplica));
  host_.calls.clear();
  assign(next_epoch());
  ASSERT_TRUE(run_until([&] {
    return reports_.newest(kReplica)->role == core::Role::kPrimary &&
           reports_.newest(kPrimary)->link_up;
  }));
  EXPECT_EQ(host_.count("promote"), 1);
  EXPECT_EQ(host_.count("follow"), 1);
  EXPECT_EQ(host_.count("update_hosts"), 3) << "one of them because the name is followed";
  EXPECT_NE(host_.engines[kPrimary].files["hosts"].find("127.64.0.5 foo.internal"),
            std::string::npos);
}

TEST_F(AgentTest, WhoCanWaitDoesNotStartWhileAPrimaryWaitsForItsFailover) {
  launch();
  assign({primary(), replica(true)});
  ASSERT_TRUE(run_until_ready(kPrimary));
  ASSERT_TRUE(run_until_ready(kReplica));
  NodeAssignment held = primary();
  held.hold = true;
  assign({held, replica(true)});
  settle();
  host_.calls.clear();
  host_.end(host_.engines[kPrimary]);
  settle();
  host_.end(host_.engines[kReplica]);
  pass(seconds(1));
  EXPECT_EQ(host_.count("start"), 0);
  // Nobody takes over: that holds up nobody for ever.
  ASSERT_TRUE(run_until([&] { return host_.count("start") == 1; }, seconds(5)));
  EXPECT_NE(host_.engines[kReplica].pid, 0);
}

TEST_F(AgentTest, AFormerPrimaryLeavesTheMachineToReturningClientsFirst) {
  launch();
  assign({primary()});
  ASSERT_TRUE(run_until_ready(kPrimary));
  host_.end(host_.engines[kPrimary]);
  NodeAssignment replaced = former_primary();
  replaced.hold = true;
  assign({replaced});
  pass(seconds(1));
  host_.calls.clear();
  replaced.hold = false;
  assign({replaced});
  const Monotonic released = clock_.monotonic();
  ASSERT_TRUE(run_until([&] { return host_.count("start") == 1; }, seconds(1)));
  EXPECT_GE(clock_.monotonic() - released, milliseconds(10));
}

TEST_F(AgentTest, WhoRefusesToLeadIsNotSaidToLead) {
  launch();
  assign({primary(), replica(true)});
  ASSERT_TRUE(run_until_ready(kReplica));
  host_.promote_error = Error{ErrorCode::kDenied, "LOADING"};
  const auto before = reports_.all.size();
  assign(next_epoch());
  pass(seconds(1));
  EXPECT_GE(host_.count("promote"), 2) << "it is asked again";
  for (std::size_t i = before; i < reports_.all.size(); ++i) {
    EXPECT_EQ(reports_.all[i].nodes.back()->role, core::Role::kReplica) << "report " << i - before;
  }
  host_.promote_error.reset();
  ASSERT_TRUE(run_until([&] { return reports_.newest(kReplica)->role == core::Role::kPrimary; }));
}

TEST_F(AgentTest, WhatAPrimaryHoldsCountsAsACopyWhenAnotherIsToLead) {
  launch();
  assign({primary()});
  ASSERT_TRUE(run_until_ready(kPrimary));
  EXPECT_TRUE(reports_.newest(kPrimary)->synced);
  NodeAssignment demoted = former_primary();
  demoted.attach = false;  // the new primary does not answer
  demoted.survey = true;   // it is dead
  const auto before = reports_.all.size();
  assign({demoted});
  pass(seconds(2));
  for (std::size_t i = before; i < reports_.all.size(); ++i) {
    EXPECT_TRUE(reports_.all[i].nodes.front()->synced) << "report " << i - before;
  }
  EXPECT_EQ(reports_.newest(kPrimary)->role, core::Role::kReplica);
}

TEST_F(AgentTest, ASurveyEndsWhenTheOffsetStandsStillOrTheLinkWasReadToItsEnd) {
  launch();
  assign({primary(), replica(true)});
  ASSERT_TRUE(run_until_ready(kReplica));
  auto& status = host_.engines[kReplica].status;
  status.replication_offset = 10;
  NodeAssignment surveyed = replica(true);
  surveyed.survey = true;
  assign({primary(), surveyed});
  settle();
  ASSERT_TRUE(reports_.newest(kReplica)->surveyed);
  EXPECT_TRUE(host_.engines[kReplica].preferred);  // clients wait for it
  EXPECT_FALSE(reports_.newest(kReplica)->offset_settled) << "more may be on the way";
  status.replication_offset = 20;
  status.link_up = false;
  status.has_copy = true;
  ASSERT_TRUE(run_until([&] { return reports_.newest(kReplica)->offset_settled; }));
  EXPECT_EQ(reports_.newest(kReplica)->replication_offset, 20u);
}

TEST_F(AgentTest, AFormerPrimarySendsAwayClientsThatWantToWrite) {
  launch();
  assign({primary()});
  ASSERT_TRUE(run_until_ready(kPrimary));
  host_.engines[kPrimary].status.refused_writes = 5;  // of a time before
  pass(seconds(2));
  assign({former_primary()});
  pass(seconds(2));
  EXPECT_EQ(host_.count("drop_clients"), 1) << "when it was demoted";
  for (const std::uint64_t refused : {6U, 9U}) {
    host_.calls.clear();
    host_.engines[kPrimary].status.refused_writes = refused;
    pass(seconds(2));
    EXPECT_EQ(host_.calls, std::vector<std::string>{"drop_clients"});
  }
  host_.calls.clear();
  pass(seconds(5));
  host_.engines[kPrimary].status.refused_writes = 20;
  pass(seconds(2));
  EXPECT_TRUE(host_.calls.empty()) << "no name leads here any more, so they mean this node";
}

TEST_F(AgentTest, APrimaryThatDiedAndIsAReplicaNowSendsThemAwayToo) {
  launch();
  assign({primary(), replica(true)});
  ASSERT_TRUE(run_until_ready(kReplica));
  host_.end(host_.engines[kPrimary]);
  assign({former_primary(), replica(true)});
  ASSERT_TRUE(run_until([&] { return host_.engines[kPrimary].pid != 0; }));
  pass(seconds(1));
  host_.calls.clear();
  host_.engines[kPrimary].status.refused_writes = 1;
  host_.engines[kReplica].status.refused_writes = 1;
  pass(seconds(2));
  EXPECT_EQ(host_.calls, std::vector<std::string>{"drop_clients"}) << "of one of the two";
}

TEST_F(AgentTest, ReplicasFollowANewPrimaryBehindItsFirstClients) {
  launch();
  assign({former_primary(), replica(true)});
  ASSERT_TRUE(run_until_ready(kPrimary));
  host_.calls.clear();
  assign(next_epoch());
  const Monotonic heard = clock_.monotonic();
  settle();
  EXPECT_EQ(host_.count("promote"), 1);
  ASSERT_TRUE(run_until([&] { return host_.count("follow") == 1; }, seconds(1)));
  EXPECT_GE(clock_.monotonic() - heard, milliseconds(4));
  EXPECT_LE(clock_.monotonic() - heard, milliseconds(6)) << "what is written has no second copy";
}

TEST_F(AgentTest, ALinkToWhereTheNameLedBeforeIsNotAdopted) {
  launch();
  assign({primary(), replica(true)});
  ASSERT_TRUE(run_until_ready(kReplica));
  NodeAssignment moved = replica(true);
  moved.primary_address = *Ipv4::parse("127.64.0.9");
  moved.epoch = moved.epoch.next();
  host_.calls.clear();
  assign({primary(), moved});
  settle();
  ASSERT_EQ(host_.count("update_hosts"), 1);
  ASSERT_EQ(host_.count("follow"), 0);
  for (const int follows : {1, 0}) {
    stop();
    host_.calls.clear();
    launch();
    assign({primary(), moved});
    pass(seconds(1));
    EXPECT_EQ(host_.count("follow"), follows);
  }
}

TEST_F(AgentTest, APrimaryThatIsToFollowIsNoLongerOneAtOnce) {
  launch();
  assign({primary(), replica(true)});
  ASSERT_TRUE(run_until_ready(kReplica));
  host_.calls.clear();
  std::vector<NodeAssignment> next = next_epoch();
  next[0].attach = false;
  assign(next);
  settle();
  EXPECT_EQ(host_.count("park"), 1) << "nobody else is promoted before";
}

TEST_F(AgentTest, ThePaceOfEnginesIsNotWhatClientsWaitFor) {
  launch();
  assign({former_primary(), replica(true)});
  ASSERT_TRUE(run_until_ready(kPrimary));
  std::vector<NodeAssignment> next = next_epoch();
  next[0].brisk = next[1].brisk = true;
  assign(next);
  const Monotonic heard = clock_.monotonic();
  const std::string brisk = fmt::format("set {} {}", core::kPaceDirective, core::kBriskPace);
  ASSERT_TRUE(run_until([&] { return host_.count(brisk) > 0; }, seconds(1)));
  EXPECT_GE(clock_.monotonic() - heard, milliseconds(15));
}

TEST_F(AgentTest, WhatASurveyedNodeReachesIsNews) {
  launch();
  assign({primary(), replica(true)});
  ASSERT_TRUE(run_until_ready(kReplica));
  NodeAssignment surveyed = replica(true);
  surveyed.survey = true;
  assign({primary(), surveyed});
  settle();
  host_.engines[kReplica].status.replication_offset = 30;
  ASSERT_TRUE(run_until([&] { return reports_.newest(kReplica)->replication_offset == 30; },
                        milliseconds(2)));
  EXPECT_FALSE(reports_.newest(kReplica)->offset_settled);
}

}  // namespace
}  // namespace hikae::control
