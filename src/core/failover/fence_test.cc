#include "core/failover/fence.h"

#include <gtest/gtest.h>

#include "core/failover/failover.h"
#include "core/failover/lease.h"
#include "core/placement/moving.h"
#include "core/testing/hosts.h"
#include "core/testing/world.h"

namespace hikae::core {
namespace {

// A group `foo` of three on hosts whose engines can be fenced; a lease is granted to all of them.
class Fence : public ::testing::Test {
 protected:
  Fence() {
    world.make_group("foo", 3);
    Transition hosts;
    for (const auto& [id, host] : world.state.all<Host>()) {
      Host able = host;
      able.fences = true;
      hosts.put(std::move(able));
    }
    world.apply(hosts);
    world.observed.grants_leases = true;
    for (const char* id : {"foo-001", "foo-002", "foo-003"}) {
      seen(id).has_fence = true;
    }
    seen("foo-001").fenced = true;
    seen("foo-002").counted_epoch = seen("foo-003").counted_epoch = Epoch(1);
    world.settle_group("foo");
  }

  NodeObservation& seen(const std::string& cluster) {
    return world.observed.nodes.at(NodeKey{CacheClusterId(cluster), NodeId("0001")});
  }
  const NodeGroup& shard() { return world.group("foo").node_groups[0]; }
  const Node& node(const std::string& cluster) { return world.cluster(cluster).nodes[0]; }
  FailoverDecision decide() {
    return decide_failover(world.state, world.observed, world.group("foo"), shard(), world.now);
  }
  NodeAssignment assignment(const std::string& cluster) {
    const CacheCluster& found = world.cluster(cluster);
    return *node_assignment(world.state, world.observed, found, found.nodes[0]);
  }
  // No lease of the primary's host lasts any more, and its replicas were asked since.
  void fall_silent() {
    world.observed.silent[node("foo-001").host] = Monotonic(0);
    world.observed.now = Monotonic(0) + kSurveyBound;
    for (const char* id : {"foo-002", "foo-003"}) {
      seen(id).surveyed = seen(id).offset_settled = true;
    }
  }

  World world;
};

TEST_F(Fence, APrimaryHasALeaseAndKnowsWhomItCountsOn) {
  EXPECT_TRUE(node("foo-001").fenced);
  EXPECT_FALSE(node("foo-002").fenced);
  const NodeAssignment primary = assignment("foo-001");
  EXPECT_TRUE(primary.lease);
  EXPECT_EQ(primary.peers, (std::vector<Ipv4>{node("foo-002").address, node("foo-003").address}));
  EXPECT_FALSE(assignment("foo-002").lease);
}

TEST_F(Fence, WithoutAFenceEverywhereNobodyHasALease) {
  seen("foo-003").has_fence = false;
  EXPECT_TRUE(assignment("foo-001").lease) << "first the state has to forget that it is fenced";
  world.settle_group("foo");
  EXPECT_FALSE(node("foo-001").fenced);
  EXPECT_FALSE(assignment("foo-001").lease);
  seen("foo-003").ready = false;  // it is being restarted, and nobody knows
  world.settle_group("foo");
  EXPECT_TRUE(node("foo-001").fenced);
}

TEST_F(Fence, ALeaderThatGrantsNoneTakesTheLeasesBack) {
  world.observed.grants_leases = false;
  world.settle_group("foo");
  EXPECT_FALSE(node("foo-001").fenced);
  EXPECT_FALSE(assignment("foo-001").lease);
}

TEST_F(Fence, ASilentHostsPrimaryIsReplacedWhenItsLeaseIsOver) {
  EXPECT_EQ(decide().stage, FailoverStage::kHealthy);
  world.observed.silent[node("foo-001").host] = Monotonic(0);
  EXPECT_EQ(decide().stage, FailoverStage::kChoosing) << "no replica was heard since";
  EXPECT_TRUE(assignment("foo-002").survey);
  fall_silent();
  seen("foo-001").replication_offset = 140;
  seen("foo-002").replication_offset = 90;
  EXPECT_EQ(decide().stage, FailoverStage::kDecided);
  EXPECT_EQ(decide().new_primary.str(), "foo-003");
  EXPECT_EQ(decide().bytes_at_risk, 40U);
  world.settle_group("foo");
  EXPECT_EQ(shard().primary.str(), "foo-003");
  EXPECT_TRUE(assignment("foo-003").may_promote) << "the old one takes no writes";
  EXPECT_TRUE(node("foo-001").fenced) << "nobody has heard of it since";
}

TEST_F(Fence, APrimaryThatIsNotKnownToBeFencedIsWaitedFor) {
  seen("foo-001").fenced = false;
  world.settle_group("foo");
  fall_silent();
  EXPECT_EQ(decide().stage, FailoverStage::kHealthy);
}

TEST_F(Fence, ALeaderThatNeverHeardOfThePrimaryReplacesItAsWell) {
  fall_silent();
  world.observed.nodes.erase(NodeKey{CacheClusterId("foo-001"), NodeId("0001")});
  EXPECT_EQ(decide().stage, FailoverStage::kDecided);
  world.settle_group("foo");
  EXPECT_EQ(shard().primary.str(), "foo-002");
  EXPECT_TRUE(assignment("foo-002").may_promote);
}

TEST_F(Fence, ItGoesOnWhileAllReplicasHavePromised) {
  fall_silent();
  seen("foo-002").promised = seen("foo-003").promised = true;
  EXPECT_EQ(decide().stage, FailoverStage::kChoosing);
  seen("foo-003").promised = false;
  EXPECT_EQ(decide().stage, FailoverStage::kDecided);
}

TEST_F(Fence, WhoGoesOnForLongIsWatchedCalmly) {
  fall_silent();
  seen("foo-002").promised = seen("foo-003").promised = true;
  EXPECT_TRUE(assignment("foo-002").survey);
  world.observed.now = Monotonic(0) + kNewsBound;
  EXPECT_FALSE(assignment("foo-002").survey) << "it is asked as any other";
  seen("foo-002").surveyed = seen("foo-003").surveyed = false;
  EXPECT_EQ(decide().stage, FailoverStage::kChoosing);
  seen("foo-003").promised = false;
  EXPECT_TRUE(assignment("foo-002").survey);
  EXPECT_EQ(decide().stage, FailoverStage::kChoosing) << "how far they are is to be known";
  seen("foo-002").surveyed = seen("foo-003").surveyed = true;
  EXPECT_EQ(decide().stage, FailoverStage::kDecided);
}

TEST_F(Fence, AReplicaThatAnswersLateIsWaitedForABit) {
  fall_silent();
  seen("foo-002").promised = true;
  seen("foo-003").surveyed = false;
  EXPECT_EQ(decide().stage, FailoverStage::kChoosing) << "it may have promised as well";
  world.observed.now = Monotonic(0) + std::chrono::milliseconds(100);
  EXPECT_EQ(decide().new_primary.str(), "foo-002") << "the primary needs the promise of both";
}

TEST_F(Fence, AReplicaThatItDoesNotCountOnNeverLeadsInItsPlace) {
  fall_silent();
  seen("foo-002").counted_epoch = Epoch(0);
  EXPECT_EQ(decide().new_primary.str(), "foo-003");
  seen("foo-003").counted_epoch = Epoch(0);
  EXPECT_EQ(decide().stage, FailoverStage::kChoosing);
}

TEST_F(Fence, AHostThatIsBackIsAskedAgain) {
  fall_silent();
  world.settle_group("foo");
  ASSERT_EQ(shard().primary.str(), "foo-002");
  world.observed.silent.clear();
  EXPECT_FALSE(assignment("foo-002").may_promote) << "it has a lease, or may get one";
  seen("foo-001").role = Role::kReplica;
  EXPECT_TRUE(assignment("foo-002").may_promote);
  seen("foo-002").role = Role::kPrimary;
  world.settle_group("foo");
  EXPECT_FALSE(node("foo-001").fenced);
}

TEST_F(Fence, OneThatIsBeingMadeIsNotCountedOn) {
  Transition change;
  CacheCluster fresh = world.cluster("foo-003");
  fresh.status = "creating";
  change.put(fresh);
  world.apply(change);
  EXPECT_EQ(assignment("foo-001").peers, std::vector<Ipv4>{node("foo-002").address});
}

TEST_F(Fence, ASwitchoverInSilenceBecomesAFailover) {
  Transition change;
  ReplicationGroup group = world.group("foo");
  group.node_groups[0].switchover_target = CacheClusterId("foo-002");
  group.node_groups[0].switchover_deadline = world.now + std::chrono::hours(1);
  change.put(group);
  world.apply(change);
  fall_silent();
  EXPECT_EQ(decide().stage, FailoverStage::kDecided);
  EXPECT_FALSE(decide().planned);
}

NodeKey key_of(const char* cluster) {
  return {CacheClusterId(cluster), NodeId("0001")};
}

// The same group, of engines with keepers: nobody is counted on before the primary's agent is known
// to have heard of it.
class Kept : public Fence {
 protected:
  Kept() {
    for (const char* id : {"foo-001", "foo-002", "foo-003"}) {
      seen(id).kept = true;
      seen(id).counted_epoch = Epoch(0);
    }
    world.settle_group("foo");
  }

  void count_on(std::initializer_list<const char*> replicas) {
    for (const char* id : replicas) {
      world.observed.counted[key_of(id)] = {node(id).address, shard().epoch};
    }
    world.settle_group("foo");
  }
  // Its lease is over as far as servers know, and every replica says that it follows.
  void fall_silent_while_all_follow() {
    fall_silent();
    seen("foo-002").promised = seen("foo-003").promised = true;
  }
  bool goes_on() {
    const FailoverDecision decision = decide();
    return decision.stage == FailoverStage::kChoosing &&
           decision.reason.find("let it go on") != std::string::npos;
  }
  void die(const char* replica, Duration ago) {
    seen(replica).process = NodeObservation::Process::kStopped;
    seen(replica).ready = false;
    world.observed.dead_since[key_of(replica)] = world.observed.now + -ago;
  }
};

TEST_F(Kept, WhatWasToldOfAnotherAddressOrEpochIsNothing) {
  world.observed.counted[key_of("foo-002")] = {node("foo-003").address, shard().epoch};
  world.observed.counted[key_of("foo-003")] = {node("foo-003").address, shard().epoch.next()};
  world.settle_group("foo");
  EXPECT_EQ(node("foo-002").counted_epoch, Epoch(0));
  EXPECT_EQ(node("foo-003").counted_epoch, Epoch(0));
}

TEST_F(Kept, WhoIsBeingDeletedIsNoWitness) {
  count_on({"foo-002", "foo-003"});
  fall_silent_while_all_follow();
  seen("foo-002").promised = false;
  EXPECT_FALSE(goes_on());
  Transition transition;
  CacheCluster leaving = world.cluster("foo-002");
  leaving.status = "deleting";
  transition.put(std::move(leaving));
  world.apply(transition);
  EXPECT_TRUE(goes_on()) << "its primary's agent may know that already";
}

TEST_F(Kept, AReplicaThatHasTheModuleByNowIsNoWitness) {
  count_on({"foo-002", "foo-003"});
  fall_silent_while_all_follow();
  seen("foo-002").kept = seen("foo-002").promised = false;
  EXPECT_TRUE(goes_on());
}

TEST_F(Kept, ReplicasAreAskedAnewOnceItIsSilent) {
  EXPECT_FALSE(assignment("foo-002").anew);
  fall_silent_while_all_follow();
  EXPECT_TRUE(assignment("foo-002").anew);
}

TEST_F(Kept, ThatAPrimaryIsKeptIsKnownAndToldToItsAgent) {
  EXPECT_TRUE(node("foo-001").fenced);
  EXPECT_TRUE(node("foo-001").kept);
  EXPECT_FALSE(node("foo-002").kept) << "of a replica it means nothing";
  EXPECT_TRUE(assignment("foo-001").kept);
  EXPECT_FALSE(assignment("foo-002").kept);
}

TEST_F(Kept, WithoutALeaseNobodyIsToldThatItIsKept) {
  world.observed.grants_leases = false;
  world.settle_group("foo");
  EXPECT_FALSE(node("foo-001").kept);
  EXPECT_FALSE(assignment("foo-001").kept);
}

TEST_F(Kept, ItStaysSoWhileTheProcessDoesNotAnswer) {
  seen("foo-001").ready = seen("foo-001").kept = false;
  world.settle_group("foo");
  EXPECT_TRUE(node("foo-001").kept) << "a keeper has stopped it";
}

TEST_F(Kept, AReplicaIsCountedOnOnceTheAgentOfItsPrimaryIsKnownToCountOnIt) {
  EXPECT_EQ(node("foo-002").counted_epoch, Epoch(0));
  count_on({"foo-002"});
  EXPECT_EQ(node("foo-002").counted_epoch, Epoch(1));
  EXPECT_EQ(node("foo-003").counted_epoch, Epoch(0));
}

TEST_F(Kept, ANewLeaderThatHasHeardNothingYetStillKnowsIt) {
  count_on({"foo-002"});
  world.observed.counted.clear();
  world.settle_group("foo");
  EXPECT_EQ(node("foo-002").counted_epoch, Epoch(1));
}

TEST_F(Kept, AnotherEpochBeginsWithNobody) {
  count_on({"foo-002"});
  world.observed.counted.clear();
  Transition change;
  ReplicationGroup group = world.group("foo");
  group.node_groups[0].epoch = Epoch(2);
  change.put(group);
  world.apply(change);
  world.settle_group("foo");
  EXPECT_EQ(node("foo-002").counted_epoch, Epoch(0));
}

TEST_F(Kept, AtAnotherPlaceAReplicaIsNotCountedOn) {
  count_on({"foo-003"});
  Node moved = node("foo-003");
  moved.move.host = node("foo-002").host;
  moved.move.address = *Ipv4::parse("127.64.9.9");
  arrive(world.state, moved);
  EXPECT_EQ(moved.counted_epoch, Epoch(0));
}

TEST_F(Kept, BesideOneWithTheModuleThereIsNoLease) {
  seen("foo-003").kept = false;
  world.settle_group("foo");
  EXPECT_FALSE(node("foo-001").fenced);
  EXPECT_FALSE(assignment("foo-001").lease) << "one cannot promise as the other does";
}

TEST_F(Kept, ItGoesOnWhileAllFollow) {
  count_on({"foo-002", "foo-003"});
  fall_silent_while_all_follow();
  EXPECT_TRUE(goes_on()) << decide().reason;
}

TEST_F(Kept, ItIsReplacedOnceOneThatItCountsOnHasNotHeardOfIt) {
  count_on({"foo-002", "foo-003"});
  fall_silent_while_all_follow();
  seen("foo-003").promised = false;
  EXPECT_EQ(decide().stage, FailoverStage::kDecided) << decide().reason;
  world.settle_group("foo");
  EXPECT_NE(shard().primary.str(), "foo-001");
  EXPECT_TRUE(assignment(shard().primary.str()).may_promote) << "the old one stands still";
}

TEST_F(Kept, WhatOneOnASilentHostSaidLastIsOld) {
  count_on({"foo-002", "foo-003"});
  fall_silent_while_all_follow();
  seen("foo-003").promised = false;
  world.observed.silent[node("foo-003").host] = Monotonic(0);
  EXPECT_TRUE(goes_on()) << decide().reason;
}

TEST_F(Kept, SoIsWhatWasNotSaidInASurvey) {
  count_on({"foo-002", "foo-003"});
  fall_silent_while_all_follow();
  seen("foo-003").promised = seen("foo-003").surveyed = false;
  EXPECT_TRUE(goes_on()) << decide().reason;
  seen("foo-003").surveyed = true;
  world.observed.unheard.insert(key_of("foo-003"));
  EXPECT_TRUE(goes_on()) << "in this one";
}

TEST_F(Kept, OneThatItMayNotCountOnIsNoWitness) {
  count_on({"foo-002"});
  fall_silent_while_all_follow();
  seen("foo-003").promised = false;
  EXPECT_TRUE(goes_on()) << decide().reason;
}

TEST_F(Kept, OneThatIsDeadForLongEnoughIsAWitness) {
  count_on({"foo-002", "foo-003"});
  fall_silent_while_all_follow();
  die("foo-003", follow_bond());
  EXPECT_TRUE(goes_on()) << "it may have followed a moment before it died";
  die("foo-003", follow_bond() + std::chrono::microseconds(1));
  EXPECT_EQ(decide().stage, FailoverStage::kDecided);
  EXPECT_EQ(decide().new_primary.str(), "foo-002");
}

TEST_F(Kept, OneThatIsDeadAndWasNotCountedOnIsNone) {
  count_on({"foo-002"});
  fall_silent_while_all_follow();
  die("foo-003", std::chrono::hours(1));
  EXPECT_TRUE(goes_on()) << decide().reason;
}

TEST_F(Kept, WhatReplicasSayOfTheModulesPromisesMeansNothing) {
  fall_silent();
  seen("foo-002").counted_epoch = seen("foo-003").counted_epoch = Epoch(1);
  world.observed.now = Monotonic(0) + std::chrono::hours(1);
  EXPECT_EQ(decide().stage, FailoverStage::kChoosing) << decide().reason;
}

}  // namespace
}  // namespace hikae::core
