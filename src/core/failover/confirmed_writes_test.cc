#include "core/failover/confirmed_writes.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/admission/cache_cluster.h"
#include "core/admission/replica_count.h"
#include "core/failover/failover.h"
#include "core/testing/world.h"

namespace hikae::core {
namespace {

using Process = NodeObservation::Process;

NodeKey key_of(const std::string& cluster) {
  return NodeKey{CacheClusterId(cluster), NodeId("0001")};
}

// A group `foo` whose parameter group has writes confirmed by `confirmations` replicas.
class ConfirmedWrites : public ::testing::Test {
 protected:
  void make(int members, int confirmations) {
    world.make_group("foo", members);
    promise(confirmations);
    for (auto& [key, seen] : world.observed.nodes) {
      seen.stream = "one";
    }
  }
  void promise(int confirmations) {
    Transition change;
    ParameterGroup parameters;
    parameters.name = ParameterGroupName("safe");
    parameters.overrides["min-replicas-to-write"] = std::to_string(confirmations);
    change.put(parameters);
    for (const CacheClusterId& id : shard().members) {
      CacheCluster member = *world.state.find<CacheCluster>(id);
      member.settings.parameter_group = parameters.name;
      change.put(member);
    }
    world.apply(change);
  }
  NodeObservation& seen(const std::string& cluster) {
    return world.observed.nodes.at(key_of(cluster));
  }
  void die(const std::string& cluster) { seen(cluster).process = Process::kStopped; }
  void answer(const std::string& cluster, std::uint64_t offset) {
    seen(cluster).surveyed = seen(cluster).offset_settled = true;
    seen(cluster).replication_offset = offset;
  }
  void wait(Duration time) {
    world.observed.dead_since[key_of("foo-001")] = Monotonic(0);
    world.observed.now = Monotonic(0) + time;
  }
  const NodeGroup& shard() { return world.group("foo").node_groups[0]; }
  FailoverDecision decide() {
    return decide_failover(world.state, world.observed, world.group("foo"), shard(), world.now);
  }
  NodeAssignment assignment(const std::string& cluster) {
    const CacheCluster& found = world.cluster(cluster);
    return *node_assignment(world.state, world.observed, found, found.nodes[0]);
  }

  World world;
};

TEST_F(ConfirmedWrites, ALoneAnswerIsNotEnoughHoweverLongItIsWaitedFor) {
  make(3, 1);
  die("foo-001");
  answer("foo-002", 100);
  world.observed.unheard.insert(key_of("foo-003"));
  wait(kSurveyBound);
  EXPECT_EQ(decide().stage, FailoverStage::kChoosing);
  EXPECT_FALSE(decide().awaits_confirmed) << "it may still answer in time";
  wait(std::chrono::hours(1));
  EXPECT_EQ(decide().stage, FailoverStage::kChoosing);
  EXPECT_TRUE(decide().awaits_confirmed);
  EXPECT_TRUE(assignment("foo-001").hold) << "its place is kept";
  world.observed.unheard.clear();
  answer("foo-003", 200);
  EXPECT_EQ(decide().new_primary.str(), "foo-003");
}

TEST_F(ConfirmedWrites, OneMayBeMissingWhereTwoHaveToConfirm) {
  make(3, 2);
  die("foo-001");
  answer("foo-002", 100);
  die("foo-003");
  wait(kSurveyBound);
  EXPECT_EQ(decide().new_primary.str(), "foo-002");
}

TEST_F(ConfirmedWrites, OneThatCameBackEmptyIsNoWitness) {
  make(3, 1);
  die("foo-001");
  answer("foo-002", 100);
  answer("foo-003", 0);
  seen("foo-003").synced = false;
  wait(std::chrono::minutes(1));
  EXPECT_TRUE(decide().awaits_confirmed);
}

TEST_F(ConfirmedWrites, OneThatWasChosenAndIsStartedAgainDoesNotLeadBeforeItSaysWhatItHolds) {
  make(3, 1);
  die("foo-001");
  answer("foo-002", 100);
  answer("foo-003", 90);
  wait(kNewsBound);
  world.settle_group("foo");
  ASSERT_EQ(shard().primary.str(), "foo-002");
  EXPECT_TRUE(assignment("foo-002").may_promote);
  seen("foo-002").ready = seen("foo-002").synced = false;
  EXPECT_FALSE(assignment("foo-002").may_promote) << "another one may hold what was confirmed";
  promise(0);
  EXPECT_FALSE(assignment("foo-002").may_promote) << "another one holds a copy";
  die("foo-003");
  EXPECT_TRUE(assignment("foo-002").may_promote) << "nobody does";
}

TEST_F(ConfirmedWrites, NewsFromBeforeTheQuestionAreNoWitness) {
  make(3, 1);
  die("foo-001");
  answer("foo-002", 100);
  answer("foo-003", 200);
  world.observed.unheard.insert(key_of("foo-003"));
  wait(std::chrono::minutes(1));
  EXPECT_EQ(decide().stage, FailoverStage::kChoosing);
  world.observed.unheard.clear();
  EXPECT_TRUE(assignment("foo-003").anew) << "a survey from before would not count";
  EXPECT_EQ(decide().new_primary.str(), "foo-003");
}

TEST_F(ConfirmedWrites, OffsetsOfDifferentStreamsAreNotCompared) {
  make(3, 1);
  die("foo-001");
  answer("foo-002", 100);
  answer("foo-003", 200);
  seen("foo-003").stream = "another";
  wait(std::chrono::minutes(1));
  EXPECT_TRUE(decide().awaits_confirmed);
}

TEST_F(ConfirmedWrites, WhoIsAtTheStreamBeforeHasAnsweredAndDoesNotLead) {
  make(3, 1);
  die("foo-001");
  answer("foo-002", 100);
  answer("foo-003", 200);  // what it has more of its stream, nobody confirmed
  seen("foo-002").previous_stream = "one";
  seen("foo-002").stream = "two";
  EXPECT_EQ(decide().new_primary.str(), "foo-002");
  seen("foo-002").previous_stream = "";
  wait(std::chrono::minutes(1));
  EXPECT_TRUE(decide().awaits_confirmed) << "a full synchronisation went on from none";
}

TEST_F(ConfirmedWrites, GivenUpTheyAreNoLongerWaitedFor) {
  make(3, 1);
  die("foo-001");
  answer("foo-002", 100);
  world.observed.unheard.insert(key_of("foo-003"));
  wait(std::chrono::minutes(1));
  ASSERT_TRUE(decide().awaits_confirmed);
  promise(0);
  EXPECT_EQ(decide().new_primary.str(), "foo-002");
}

TEST_F(ConfirmedWrites, WhereNobodyHasACopyThereIsNothingToWaitFor) {
  make(3, 1);
  die("foo-001");
  die("foo-002");
  die("foo-003");
  wait(std::chrono::minutes(1));
  EXPECT_EQ(decide().stage, FailoverStage::kHealthy);
}

TEST_F(ConfirmedWrites, TheOwnerIsToldOnceThatItWaits) {
  make(3, 1);
  die("foo-001");
  answer("foo-002", 100);
  world.observed.unheard.insert(key_of("foo-003"));
  wait(std::chrono::minutes(1));
  const auto plan = [&] {
    return plan_replication_group(world.state, world.observed, ReplicationGroupId("foo"),
                                  world.context());
  };
  const Plan told = plan();
  EXPECT_NE(told.alarm.find("min-replicas-to-write to 0"), std::string::npos) << told.alarm;
  world.apply(told.transition);
  EXPECT_TRUE(plan().alarm.empty());
  EXPECT_FALSE(plan().reason.empty());
}

TEST_F(ConfirmedWrites, ReplicasThatHaveToConfirmAreNotRemoved) {
  make(3, 2);
  EXPECT_EQ(world.admit_code(DecreaseReplicaCount{"foo", 1, {}, {}, true}),
            "InvalidParameterCombination");
  EXPECT_EQ(world.admit_code(DeleteCacheCluster{"foo-003"}), "InvalidParameterCombination");
}

TEST_F(ConfirmedWrites, AMemberThatEndedIsReleasedOnceTheOthersHaveWhatItHad) {
  make(4, 1);
  ASSERT_EQ(world.admit_code(DeleteCacheCluster{"foo-004"}), "");
  world.agents_work();  // it has ended
  for (auto& [key, seen] : world.observed.nodes) {
    seen.surveyed = false;
  }
  const auto may = [&] {
    return may_release(world.state, world.observed, world.group("foo"), shard());
  };
  EXPECT_FALSE(may()) << "nobody was asked";
  EXPECT_TRUE(assignment("foo-001").survey);
  EXPECT_FALSE(assignment("foo-002").survey) << "the primary is asked first";
  answer("foo-001", 500);
  seen("foo-001").offset_settled = false;
  EXPECT_TRUE(assignment("foo-002").survey);
  answer("foo-002", 499);
  EXPECT_FALSE(may());
  EXPECT_FALSE(assignment("foo-002").survey) << "it is asked anew";
  answer("foo-002", 500);
  EXPECT_TRUE(may());
}

TEST_F(ConfirmedWrites, AMemberThatEndedKeepsNobodyFromLeading) {
  make(3, 1);
  ASSERT_EQ(world.admit_code(DeleteCacheCluster{"foo-003"}), "");
  world.agents_work();
  ASSERT_EQ(world.observed.find(key_of("foo-003")), nullptr) << "its host has let it go";
  die("foo-001");  // before it could be asked how far it is, so the member stays one of the group's
  seen("foo-001").surveyed = false;
  ASSERT_FALSE(may_release(world.state, world.observed, world.group("foo"), shard()));
  EXPECT_TRUE(assignment("foo-001").may_promote);
}

// Whatever members answer in whatever order: who is chosen has all that was confirmed. Written is
// one stream; each member has applied some of it, and some lost their copy since.
RC_GTEST_PROP(ConfirmedWritesOfAnyGroup, AreHeldByWhoIsChosen, ()) {
  const int members = *rc::gen::inRange(2, 6);
  const int confirmations = *rc::gen::inRange(1, members);
  World world;
  world.make_group("foo", members);
  Transition change;
  ParameterGroup parameters;
  parameters.name = ParameterGroupName("safe");
  parameters.overrides["min-replicas-to-write"] = std::to_string(confirmations);
  change.put(parameters);
  for (const auto& [id, cluster] : world.state.all<CacheCluster>()) {
    CacheCluster member = cluster;
    member.settings.parameter_group = parameters.name;
    change.put(member);
  }
  world.apply(change);
  std::vector<std::uint64_t> held;
  for (auto& [key, seen] : world.observed.nodes) {
    seen.stream = "one";
    if (key.cluster.str() == "foo-001") {
      seen.process = Process::kStopped;
      continue;
    }
    seen.replication_offset = *rc::gen::inRange<std::uint64_t>(0, 6);
    held.push_back(seen.replication_offset);
    switch (*rc::gen::inRange(0, 4)) {
      case 0:
        seen.synced = false;  // lost
        break;
      case 1:
        world.observed.unheard.insert(key);
        break;
      default:
        seen.surveyed = seen.offset_settled = true;
    }
  }
  std::sort(held.rbegin(), held.rend());
  const std::uint64_t confirmed = held[std::size_t(confirmations) - 1];
  world.observed.dead_since[key_of("foo-001")] = Monotonic(0);
  world.observed.now = Monotonic(0) + std::chrono::minutes(1);
  const auto& group = world.group("foo");
  const auto decision =
      decide_failover(world.state, world.observed, group, group.node_groups[0], world.now);
  if (decision.stage == FailoverStage::kDecided) {
    const auto& chosen = world.observed.nodes.at(key_of(decision.new_primary.str()));
    RC_ASSERT(chosen.replication_offset >= confirmed);
  }
}

}  // namespace
}  // namespace hikae::core
