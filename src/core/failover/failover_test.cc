#include "core/failover/failover.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/admission/group_changes.h"
#include "core/testing/world.h"

namespace hikae::core {
namespace {

using Process = NodeObservation::Process;

// A group `foo` of three, available, whose observations a test changes by hand.
class Failover : public ::testing::Test {
 protected:
  Failover() { world.make_group("foo", 3); }

  NodeObservation& seen(const std::string& cluster) {
    return world.observed.nodes.at(NodeKey{CacheClusterId(cluster), NodeId("0001")});
  }
  void die(const std::string& cluster) { seen(cluster).process = Process::kStopped; }
  const NodeGroup& shard() { return world.group("foo").node_groups[0]; }
  FailoverDecision decide() {
    return decide_failover(world.state, world.observed, world.group("foo"), shard(), world.now);
  }
  NodeAssignment assignment(const std::string& cluster) {
    const CacheCluster& found = world.cluster(cluster);
    return *node_assignment(world.state, world.observed, found, found.nodes[0]);
  }
  void settle_offsets() {
    for (const char* id : {"foo-002", "foo-003"}) {
      seen(id).surveyed = seen(id).offset_settled = true;
    }
  }

  World world;
};

TEST_F(Failover, NothingHappensWhileThePrimaryServes) {
  EXPECT_EQ(decide().stage, FailoverStage::kHealthy);
  EXPECT_TRUE(world.settle_group("foo").settled);
}

TEST_F(Failover, ReplicasFirstTakeInWhatTheDeadPrimaryHadSent) {
  die("foo-001");
  EXPECT_EQ(decide().stage, FailoverStage::kChoosing);
  EXPECT_GT(decide().recheck_after, Duration());
  EXPECT_TRUE(assignment("foo-002").survey);
  settle_offsets();
  EXPECT_EQ(decide().stage, FailoverStage::kDecided);
}

TEST_F(Failover, TheLostNodeIsStartedOnceTheNewPrimaryTakesWrites) {
  die("foo-001");
  settle_offsets();
  world.settle_group("foo");
  ASSERT_EQ(shard().primary.str(), "foo-002");
  EXPECT_TRUE(assignment("foo-001").hold);
  seen("foo-002").role = Role::kPrimary;
  EXPECT_FALSE(assignment("foo-001").hold);
  seen("foo-002").role = Role::kReplica;
  die("foo-002");
  EXPECT_FALSE(assignment("foo-001").hold) << "nobody is about to lead";
}

TEST_F(Failover, AReplicaThatNeverSettlesIsNotWaitedForLongerThanTheBound) {
  die("foo-001");
  const NodeKey key{CacheClusterId("foo-001"), NodeId("0001")};
  world.observed.dead_since[key] = Monotonic(0);
  world.observed.now = Monotonic(0) + kSurveyBound;
  EXPECT_EQ(decide().stage, FailoverStage::kChoosing) << "nobody has answered at all";
  seen("foo-003").surveyed = true;
  EXPECT_EQ(decide().new_primary.str(), "foo-003") << "foo-002 may be dead as well";
}

TEST_F(Failover, OldNewsOfAReplicaNeverMakeItLead) {
  const auto node = [](const char* id) { return NodeKey{CacheClusterId(id), NodeId("0001")}; };
  die("foo-001");
  world.observed.dead_since[node("foo-001")] = Monotonic(0);
  world.observed.now = Monotonic(0) + kSilenceBound * 10;
  EXPECT_EQ(decide().stage, FailoverStage::kChoosing) << "who does not answer cannot be promoted";
  seen("foo-002").surveyed = seen("foo-003").surveyed = true;
  world.observed.unheard = {node("foo-002"), node("foo-003")};
  EXPECT_EQ(decide().stage, FailoverStage::kChoosing) << "that was the answer to another question";
  world.observed.unheard.erase(node("foo-003"));
  EXPECT_EQ(decide().new_primary.str(), "foo-003");
}

TEST_F(Failover, AReplicaOfWhichNothingIsHeardMayHoldTheOnlyCopy) {
  const auto node = [](const char* id) { return NodeKey{CacheClusterId(id), NodeId("0001")}; };
  die("foo-001");
  seen("foo-002").synced = seen("foo-003").synced = false;
  seen("foo-002").surveyed = seen("foo-003").surveyed = true;
  world.observed.unheard = {node("foo-003")};
  world.observed.dead_since[node("foo-001")] = Monotonic(0);
  world.observed.now = Monotonic(0) + kNewsBound * 2;
  EXPECT_TRUE(assignment("foo-001").hold);
  EXPECT_GT(decide().recheck_after, Duration());
  world.observed.now = Monotonic(0) + kSilenceBound;
  EXPECT_EQ(decide().stage, FailoverStage::kHealthy) << "it is lost for good";
}

TEST_F(Failover, TheGreatestOffsetLeadsAndTheGapIsReported) {
  die("foo-001");
  settle_offsets();
  seen("foo-001").replication_offset = 150;
  seen("foo-002").replication_offset = 120;
  seen("foo-003").replication_offset = 130;
  EXPECT_EQ(decide().new_primary.str(), "foo-003");
  seen("foo-001").offset_read = Monotonic(7);
  EXPECT_EQ(decide().bytes_at_risk, 20u);
  EXPECT_EQ(decide().offset_read, Monotonic(7));
  seen("foo-001").stream = "another";
  seen("foo-003").stream = "one";
  EXPECT_EQ(decide().offset_read, Monotonic()) << "it was another process that told its offset";
  seen("foo-003").previous_stream = "another";
  EXPECT_EQ(decide().bytes_at_risk, 20u);
}

TEST_F(Failover, AReplicaWithoutACopyNeverLeads) {
  die("foo-001");
  settle_offsets();
  seen("foo-003").replication_offset = 500;
  seen("foo-003").synced = false;
  EXPECT_EQ(decide().new_primary.str(), "foo-002");
}

TEST_F(Failover, TheCommitMovesEpochPrimaryAndEventsTogether) {
  die("foo-001");
  settle_offsets();
  const Plan plan = plan_replication_group(world.state, world.observed, ReplicationGroupId("foo"),
                                           world.context());
  ASSERT_TRUE(plan.failover);
  world.apply(plan.transition);
  EXPECT_EQ(shard().primary.str(), "foo-002");
  EXPECT_EQ(shard().epoch, Epoch(2));
  EXPECT_EQ(world.group("foo").status, "available");
  EXPECT_TRUE(world.cluster("foo-001").nodes[0].recovering);
  EXPECT_EQ(shard().members.front().str(), "foo-001");  // the order never changes
  EXPECT_EQ(assignment("foo-002").role, Role::kPrimary);
  EXPECT_TRUE(assignment("foo-002").may_promote);
  EXPECT_EQ(assignment("foo-001").role, Role::kReplica);
}

TEST_F(Failover, NoPromotionWhileTheOldPrimaryMayTakeWrites) {
  die("foo-001");
  settle_offsets();
  world.apply(plan_replication_group(world.state, world.observed, ReplicationGroupId("foo"),
                                     world.context())
                  .transition);
  seen("foo-001").process = Process::kRunning;  // as a primary, whoever started it
  EXPECT_FALSE(assignment("foo-002").may_promote);
  seen("foo-001").role = Role::kReplica;
  EXPECT_TRUE(assignment("foo-002").may_promote);
}

TEST_F(Failover, AHungPrimaryIsKilledBeforeAnythingIsDecided) {
  seen("foo-001").hung = true;
  EXPECT_EQ(decide().stage, FailoverStage::kSuspect);
  EXPECT_TRUE(assignment("foo-001").hold);
}

TEST_F(Failover, ADeadPrimaryStaysDeadUntilItIsCertainThatNobodyCanLead) {
  die("foo-001");
  world.observed.nodes.erase(NodeKey{CacheClusterId("foo-002"), NodeId("0001")});
  die("foo-003");
  EXPECT_TRUE(assignment("foo-001").hold);  // foo-002 may turn up with a copy
  EXPECT_NE(decide().stage, FailoverStage::kDecided);
}

TEST_F(Failover, AReplicaThatIsSilentForAMomentStillCounts) {
  die("foo-001");
  die("foo-003");
  seen("foo-002").ready = false;
  EXPECT_TRUE(assignment("foo-001").hold);
  EXPECT_EQ(decide().stage, FailoverStage::kChoosing);
}

TEST_F(Failover, WhenAllAreGoneThePrimaryComesBackInPlace) {
  for (const char* id : {"foo-001", "foo-002", "foo-003"}) {
    die(id);
  }
  EXPECT_EQ(decide().stage, FailoverStage::kHealthy);
  world.settle_group("foo");
  EXPECT_FALSE(assignment("foo-001").hold);
  EXPECT_EQ(shard().primary.str(), "foo-001");
  EXPECT_EQ(shard().epoch, Epoch(1));
}

TEST_F(Failover, ARebootIsNoFailover) {
  ASSERT_EQ(world.admit_code(RebootCacheCluster{"foo-001", {"0001"}}), "");
  die("foo-001");
  settle_offsets();
  EXPECT_EQ(decide().stage, FailoverStage::kHealthy);
}

TEST_F(Failover, AReplicaThatIsToRestartLeadsOnlyIfNobodyElseCan) {
  ASSERT_EQ(world.admit_code(RebootCacheCluster{"foo-002", {"0001"}}), "");
  EXPECT_FALSE(assignment("foo-002").keep_running);
  seen("foo-002").replication_offset = 200;
  die("foo-001");
  settle_offsets();
  EXPECT_EQ(decide().new_primary.str(), "foo-003");
  EXPECT_TRUE(assignment("foo-002").keep_running);
  die("foo-003");
  EXPECT_EQ(decide().new_primary.str(), "foo-002");
}

TEST_F(Failover, AReplicaThatIsToRestartIsWaitedForUntilItsAgentHasHeardThatItMayNot) {
  const NodeKey replica{CacheClusterId("foo-002"), NodeId("0001")};
  ASSERT_EQ(world.admit_code(RebootCacheCluster{"foo-002", {"0001"}}), "");
  die("foo-001");
  die("foo-003");
  seen("foo-003").surveyed = seen("foo-002").surveyed = true;
  world.observed.unheard = {replica};
  EXPECT_EQ(decide().stage, FailoverStage::kChoosing);
  EXPECT_TRUE(assignment("foo-001").hold) << "what comes back empty would take the copy";
  seen("foo-001").process = Process::kRunning;
  seen("foo-001").role = Role::kReplica;
  seen("foo-001").synced = false;
  EXPECT_TRUE(assignment("foo-002").survey);
  EXPECT_EQ(decide().stage, FailoverStage::kChoosing) << "the primary came back empty";
  EXPECT_FALSE(assignment("foo-001").may_promote);
  world.observed.unheard.clear();
  EXPECT_EQ(decide().new_primary.str(), "foo-002");
}

TEST_F(Failover, TheRestartOfANewPrimaryIsCalledOffAndAsksForMoreThanThatTheNextTime) {
  ASSERT_EQ(world.admit_code(RebootCacheCluster{"foo-002", {"0001"}}), "");
  die("foo-001");
  die("foo-003");
  settle_offsets();
  world.settle_group("foo");
  ASSERT_EQ(shard().primary.str(), "foo-002");
  EXPECT_EQ(assignment("foo-002").generation, 1U);
  seen("foo-002").role = Role::kPrimary;
  world.settle_group("foo");
  EXPECT_EQ(world.cluster("foo-002").status, "available");
  world.agents_work();
  world.settle_group("foo");
  ASSERT_EQ(world.admit_code(RebootCacheCluster{"foo-002", {"0001"}}), "");
  EXPECT_EQ(assignment("foo-002").generation, 3U) << "its agent may have made the second";
}

TEST_F(Failover, AfterARebootAnAgentThatHearsNothingMoreLeavesThePrimaryDead) {
  ASSERT_EQ(world.admit_code(RebootCacheCluster{"foo-001", {"0001"}}), "");
  seen("foo-001").starts = 2;  // it has just come back
  EXPECT_FALSE(assignment("foo-001").hold);
  EXPECT_EQ(assignment("foo-001").start_limit, 2U);
  die("foo-001");
  EXPECT_EQ(assignment("foo-001").start_limit, 3U) << "of this end it was said";
}

TEST_F(Failover, OneThatIsStartedAgainBeforeItLedIsEndedWhileAnotherMayHoldACopy) {
  const auto node = [](const char* id) { return NodeKey{CacheClusterId(id), NodeId("0001")}; };
  die("foo-001");
  settle_offsets();
  world.settle_group("foo");
  ASSERT_EQ(shard().primary.str(), "foo-002");
  seen("foo-003").synced = false;  // when it was last heard of
  world.observed.unheard = {node("foo-003")};
  EXPECT_TRUE(assignment("foo-002").may_promote);
  seen("foo-002").ready = seen("foo-002").synced = false;
  EXPECT_FALSE(assignment("foo-002").may_promote);
  EXPECT_TRUE(assignment("foo-002").kill);
  world.observed.may_be_promoted = {node("foo-002")};
  EXPECT_FALSE(assignment("foo-002").kill) << "its agent may be making it the primary";
  world.observed.may_be_promoted.clear();
  die("foo-002");
  world.observed.dead_since[node("foo-002")] = Monotonic(0);
  world.observed.now = Monotonic(0) + kNewsBound * 2;
  EXPECT_TRUE(assignment("foo-002").hold);
  world.observed.unheard.clear();
  seen("foo-003").surveyed = true;
  world.settle_group("foo");
  EXPECT_FALSE(assignment("foo-002").hold) << "nobody has a copy";
  EXPECT_FALSE(assignment("foo-002").kill);
}

TEST_F(Failover, ALostReplicaLeavesTheReaderNameAndComesBack) {
  die("foo-003");
  world.settle_group("foo");
  EXPECT_TRUE(world.cluster("foo-003").nodes[0].recovering);
  EXPECT_EQ(shard().epoch, Epoch(1));
  world.agents_work();
  EXPECT_TRUE(world.settle_group("foo").settled);
  EXPECT_FALSE(world.cluster("foo-003").nodes[0].recovering);
}

TEST_F(Failover, TheLostPrimaryReturnsAsAReplica) {
  die("foo-001");
  settle_offsets();
  world.settle_group("foo");
  world.agents_work();
  EXPECT_TRUE(world.settle_group("foo").settled);
  EXPECT_EQ(shard().primary.str(), "foo-002");
  EXPECT_FALSE(world.cluster("foo-001").nodes[0].recovering);
}

TEST_F(Failover, OneThatIsOvertakenByTheNextIsStillToBeReported) {
  for (const char* primary : {"foo-001", "foo-002"}) {
    ASSERT_EQ(shard().primary.str(), primary);
    for (const char* id : {"foo-001", "foo-002", "foo-003"}) {
      seen(id).surveyed = seen(id).offset_settled = true;
    }
    die(primary);
    world.settle_group("foo");
    world.agents_work();
    world.settle_group("foo");
  }
  const auto& notes = shard().unreported;
  ASSERT_EQ(notes.size(), 2u);
  EXPECT_EQ(notes[0].epoch, Epoch(2));
  EXPECT_EQ(notes[0].from.str(), "foo-001");
  EXPECT_EQ(notes[0].to.str(), "foo-002");
  EXPECT_EQ(notes[1].epoch, shard().epoch);
  EXPECT_EQ(notes[1].from.str(), "foo-002");
  EXPECT_EQ(notes[1].to, shard().primary);
}

TEST_F(Failover, ATestKillsThePrimaryOfItsEpochOnly) {
  EXPECT_EQ(world.admit_code(TestFailover{"foo", "0002"}), "NodeGroupNotFoundFault");
  ASSERT_EQ(world.admit_code(TestFailover{"foo", "0001"}), "");
  EXPECT_TRUE(assignment("foo-001").kill);
  die("foo-001");
  settle_offsets();
  world.settle_group("foo");
  EXPECT_EQ(shard().primary.str(), "foo-002");
  EXPECT_FALSE(assignment("foo-002").kill);
}

TEST_F(Failover, ATestThatNobodyCanTakeOverFromIsForgotten) {
  ASSERT_EQ(world.admit_code(TestFailover{"foo", "0001"}), "");
  for (const char* id : {"foo-001", "foo-002", "foo-003"}) {
    die(id);
  }
  world.settle_group("foo");
  EXPECT_FALSE(assignment("foo-001").kill);
}

TEST_F(Failover, ASwitchoverCommitsOnlyOnceWritesArePausedAndTheTargetHasThemAll) {
  ModifyReplicationGroup command;
  command.id = "foo";
  command.primary_cluster = "foo-003";
  ASSERT_EQ(world.admit_code(command), "");
  EXPECT_EQ(world.group("foo").status, "modifying");
  EXPECT_TRUE(assignment("foo-001").pause_writes);
  EXPECT_EQ(decide().stage, FailoverStage::kSwitching);
  seen("foo-001").writes_paused = true;
  seen("foo-001").replication_offset = 101;
  EXPECT_EQ(decide().stage, FailoverStage::kSwitching);
  seen("foo-003").replication_offset = 101;
  EXPECT_EQ(decide().stage, FailoverStage::kSwitching) << "that may be from before it was asked";
  seen("foo-003").surveyed = true;
  seen("foo-003").stream = "that of a primary before";
  EXPECT_EQ(decide().stage, FailoverStage::kSwitching);
  seen("foo-003").stream = seen("foo-001").stream;
  EXPECT_TRUE(decide().planned);
  const Plan plan = plan_replication_group(world.state, world.observed, ReplicationGroupId("foo"),
                                           world.context());
  world.apply(plan.transition);
  EXPECT_EQ(shard().primary.str(), "foo-003");
  EXPECT_FALSE(world.cluster("foo-001").nodes[0].recovering);
  // The old primary is only paused: it must be a replica before the new one takes writes.
  EXPECT_FALSE(assignment("foo-003").may_promote);
  world.agents_work();
  world.settle_group("foo");
  EXPECT_EQ(world.group("foo").status, "available");
}

class Switchover : public Failover, public ::testing::WithParamInterface<const char*> {
 protected:
  Switchover() {
    Transition change;
    ReplicationGroup group = world.group("foo");
    group.automatic_failover = GetParam();
    change.put(group);
    world.apply(change);
  }
  void hand_over() {
    ModifyReplicationGroup command;
    command.id = "foo";
    command.primary_cluster = "foo-003";
    ASSERT_EQ(world.admit_code(command), "");
    seen("foo-001").writes_paused = true;
    seen("foo-003").surveyed = true;
    world.settle_group("foo");
    ASSERT_EQ(shard().primary.str(), "foo-003");
  }
};
INSTANTIATE_TEST_SUITE_P(AutomaticFailover, Switchover, ::testing::Values("enabled", "disabled"));

TEST_P(Switchover, ATargetThatDiesBeforeItLeadsIsReplacedByTheOldPrimary) {
  die("foo-002");
  hand_over();
  die("foo-003");
  world.observed.dead_since[NodeKey{CacheClusterId("foo-003"), NodeId("0001")}] = Monotonic(0);
  world.observed.now = Monotonic(0) + kNewsBound;
  seen("foo-001").surveyed = true;  // as the primary it still is
  EXPECT_TRUE(assignment("foo-003").hold);
  EXPECT_EQ(decide().stage, FailoverStage::kChoosing);
  seen("foo-001").role = Role::kReplica;
  seen("foo-001").offset_settled = true;
  EXPECT_EQ(decide().new_primary.str(), "foo-001");
}

TEST_P(Switchover, ATargetThatDiesOnceItHasLedIsReplacedOnlyByAutomaticFailover) {
  hand_over();
  world.agents_work();
  world.settle_group("foo");
  EXPECT_FALSE(shard().taking_over);
  die("foo-003");
  EXPECT_EQ(decide().stage, GetParam() == std::string("enabled") ? FailoverStage::kChoosing
                                                                 : FailoverStage::kHealthy);
}

TEST_F(Failover, ASwitchoverIsGivenUpAfterItsBound) {
  ModifyReplicationGroup command;
  command.id = "foo";
  command.primary_cluster = "foo-003";
  ASSERT_EQ(world.admit_code(command), "");
  world.now = world.now + kSwitchoverBound;
  EXPECT_EQ(decide().stage, FailoverStage::kGivenUp);
  world.settle_group("foo");
  EXPECT_FALSE(assignment("foo-001").pause_writes);
  EXPECT_EQ(world.group("foo").status, "available");
  EXPECT_EQ(shard().primary.str(), "foo-001");
}

// Every member dies in the same moment, and what came of that is known.
class EverythingLost : public Failover {
 protected:
  EverythingLost() {
    for (const char* cluster : {"foo-001", "foo-002", "foo-003"}) {
      die(cluster);
    }
    world.observed.dead_since[NodeKey{CacheClusterId("foo-001"), NodeId("0001")}] = Monotonic(0);
    world.observed.now = Monotonic(0) + kNewsBound;
  }
  std::vector<std::string> group_events() {
    std::vector<std::string> out;
    for (const auto& [id, event] : world.state.all<Event>()) {
      if (event.source == "foo") {
        out.push_back(event.message);
      }
    }
    return out;
  }
};

TEST_F(EverythingLost, WithoutDiskItComesBackEmptyAndSaysSo) {
  EXPECT_EQ(decide().stage, FailoverStage::kHealthy);
  EXPECT_TRUE(assignment("foo-001").hold) << "first its loss is noted";
  const Plan plan = plan_replication_group(world.state, world.observed, ReplicationGroupId("foo"),
                                           world.context());
  const std::string text =
      "All data was lost: primary node foo-001 ended, no replica holds a copy, and it comes back "
      "empty";
  EXPECT_EQ(plan.alarm, text);
  world.settle_group("foo");
  EXPECT_EQ(group_events().back(), text);
  EXPECT_FALSE(assignment("foo-001").hold);
  world.agents_work();
  world.settle_group("foo");
  EXPECT_EQ(group_events().back(), text) << "once";
  EXPECT_EQ(shard().epoch, Epoch(1));
}

TEST_F(EverythingLost, APrimaryWithDataOnDiskComesBackWithIt) {
  seen("foo-001").data_on_disk = 2'000;
  // Not written anew for longer: more bytes, no more data.
  seen("foo-002").data_on_disk = 9'000'000;
  EXPECT_EQ(decide().stage, FailoverStage::kHealthy);
  world.settle_group("foo");
  EXPECT_FALSE(assignment("foo-001").hold);
  EXPECT_EQ(group_events().back().find("All data was lost"), std::string::npos);
}

TEST_F(EverythingLost, NothingIsDecidedBeforeItIsKnownWhatThePrimaryLeftOnDisk) {
  seen("foo-001").process = Process::kDying;
  seen("foo-003").data_on_disk = 7'000;
  world.settle_group("foo");
  EXPECT_EQ(shard().primary.str(), "foo-001");
  seen("foo-001").process = Process::kStopped;
  seen("foo-001").data_on_disk = 9'000;
  world.settle_group("foo");
  EXPECT_EQ(shard().primary.str(), "foo-001");
  EXPECT_EQ(group_events().back().find("All data was lost"), std::string::npos);
}

TEST_F(EverythingLost, ElseTheReplicaWithTheMostOnDiskLeads) {
  seen("foo-001").data_on_disk = 180;  // an engine that had nothing to store
  seen("foo-002").data_on_disk = 5'000;
  seen("foo-003").data_on_disk = 7'000;
  EXPECT_TRUE(assignment("foo-001").hold) << "it must not come back empty meanwhile";
  EXPECT_EQ(decide().new_primary.str(), "foo-003");
  world.settle_group("foo");
  EXPECT_EQ(shard().primary.str(), "foo-003");
  EXPECT_EQ(shard().epoch, Epoch(2));
  EXPECT_FALSE(assignment("foo-003").hold);
  EXPECT_TRUE(assignment("foo-003").may_promote);
}

TEST_F(EverythingLost, AReplicaThatHoldsACopyAfterAllComesFirst) {
  seen("foo-003").data_on_disk = 7'000;
  seen("foo-002").process = Process::kRunning;
  settle_offsets();
  EXPECT_EQ(decide().new_primary.str(), "foo-002");
}

TEST_F(Failover, ClientsOfADyingPrimaryAreReleasedOnceTheNewOneTakesWrites) {
  seen("foo-001").process = Process::kDying;
  settle_offsets();
  EXPECT_FALSE(assignment("foo-001").release_clients);
  world.settle_group("foo");
  EXPECT_EQ(shard().primary.str(), "foo-002");
  EXPECT_FALSE(assignment("foo-001").release_clients);
  seen("foo-002").role = Role::kPrimary;
  EXPECT_TRUE(assignment("foo-001").release_clients);
  EXPECT_EQ(assignment("foo-001").members,
            (std::vector<Ipv4>{world.cluster("foo-002").nodes[0].address,
                               world.cluster("foo-003").nodes[0].address}));
  die("foo-001");
  EXPECT_FALSE(assignment("foo-001").release_clients) << "its sockets are gone";
}

TEST_F(Failover, ADyingReplicaReleasesItsReadersOnceItLeftTheReaderName) {
  seen("foo-003").process = Process::kDying;
  EXPECT_FALSE(assignment("foo-003").release_clients);
  world.settle_group("foo");
  EXPECT_TRUE(world.cluster("foo-003").nodes[0].recovering);
  EXPECT_TRUE(assignment("foo-003").release_clients);
}

TEST(FailoverOff, ThePrimaryIsRestartedInPlace) {
  World world;
  CreateReplicationGroup command;
  command.id = "foo";
  command.num_cache_clusters = 2;
  command.settings.node_type = "cache.m3.medium";
  ASSERT_EQ(world.admit_code(command), "");
  world.settle_group("foo");
  world.agents_work();
  world.settle_group("foo");
  world.observed.nodes.at(NodeKey{CacheClusterId("foo-001"), NodeId("0001")}).process =
      Process::kStopped;
  const CacheCluster& primary = world.cluster("foo-001");
  EXPECT_FALSE(node_assignment(world.state, world.observed, primary, primary.nodes[0])->hold);
  const Plan plan = plan_replication_group(world.state, world.observed, ReplicationGroupId("foo"),
                                           world.context());
  EXPECT_NE(plan.alarm.find("automatic failover is off"), std::string::npos);
  world.settle_group("foo");
  EXPECT_EQ(world.group("foo").node_groups[0].epoch, Epoch(1));
}

// Whatever was observed: nothing is committed while the primary may take writes (it is dead, or
// came back empty and is nobody's primary yet), and who is chosen holds a copy and has the greatest
// offset of those that do.
RC_GTEST_PROP(FailoverDecisions, AreSafeForEveryObservation, ()) {
  static const World kMade = [] {
    World world;
    world.make_group("foo", 4);
    return world;
  }();
  World world = kMade;
  for (auto& [key, seen] : world.observed.nodes) {
    seen.process = *rc::gen::element(Process::kStopped, Process::kDying, Process::kRunning);
    seen.ready = *rc::gen::arbitrary<bool>();
    seen.role = *rc::gen::element(Role::kPrimary, Role::kReplica);
    seen.synced = *rc::gen::arbitrary<bool>();
    seen.hung = *rc::gen::weightedElement<bool>({{4, false}, {1, true}});
    seen.offset_settled = *rc::gen::arbitrary<bool>();
    seen.replication_offset = *rc::gen::inRange<std::uint64_t>(0, 5);
  }
  const ReplicationGroup& group = world.group("foo");
  const NodeGroup& shard = group.node_groups[0];
  const auto decision = decide_failover(world.state, world.observed, group, shard, world.now);
  if (decision.stage != FailoverStage::kDecided) {
    return;
  }
  const auto seen = [&](const CacheClusterId& id) {
    return world.observed.nodes.at(NodeKey{id, NodeId("0001")});
  };
  const auto primary = seen(shard.primary);
  RC_ASSERT(primary.dead() || (primary.ready && primary.role == Role::kReplica && !primary.synced));
  const auto chosen = seen(decision.new_primary);
  RC_ASSERT(chosen.synced && !chosen.dead() && !chosen.hung && chosen.ready);
  for (const CacheClusterId& id : shard.members) {
    const auto other = seen(id);
    const bool could_lead = id != shard.primary && other.synced && !other.dead() && !other.hung &&
                            other.ready && other.role == Role::kReplica;
    RC_ASSERT(!could_lead || other.replication_offset <= chosen.replication_offset);
  }
}

}  // namespace
}  // namespace hikae::core
