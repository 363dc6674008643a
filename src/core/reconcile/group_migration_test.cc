#include <gtest/gtest.h>

#include "core/admission/group_changes.h"
#include "core/admission/migration.h"
#include "core/reconcile/node_action.h"
#include "core/testing/world.h"

// A migration from a server outside, from the request to the day on which the group leads again.

namespace hikae::core {
namespace {

using Use = MigrationSource::Use;
using std::chrono::seconds;

class GroupMigrationTest : public ::testing::Test {
 protected:
  GroupMigrationTest() { make_group("foo", 3, true); }

  void make_group(const std::string& id, int members, bool multi_az) {
    CreateReplicationGroup command;
    command.id = id;
    command.description = "test";
    command.num_cache_clusters = members;
    command.automatic_failover = members > 1;
    command.multi_az = multi_az;
    command.settings.node_type = "cache.t3.micro";
    ASSERT_EQ(world_.admit_code(command), "");
    settle();
    work();
    settle();
    ASSERT_EQ(world_.group(id).status, "available");
  }
  std::string start(const std::string& address = "10.1.2.3", bool test = false) {
    return world_.admit_code(StartMigration{"FOO", {{address, 6379}}, test});
  }
  std::string complete(bool force = false) {
    return world_.admit_code(CompleteMigration{"foo", force});
  }
  Plan settle() { return world_.settle_group("foo"); }
  Plan plan() {
    return plan_replication_group(world_.state, world_.observed, ReplicationGroupId("foo"),
                                  world_.context());
  }
  void work() { world_.agents_work(); }
  NodeKey key(const std::string& cluster) const {
    return {CacheClusterId(cluster), NodeId("0001")};
  }
  NodeObservation& seen(const std::string& cluster) {
    return world_.observed.nodes.at(key(cluster));
  }
  void answer(const std::string& problem = "", bool paused = true, std::uint64_t offset = 100) {
    SourceAnswer& out = seen("foo-001").source;
    out.deadline = migration().deadline;
    out.problem = problem;
    out.writes_paused = paused;
    out.offset = offset;
  }
  NodeAssignment assignment(const std::string& cluster) {
    return *node_assignment(world_.state, world_.observed, world_.cluster(cluster),
                            world_.cluster(cluster).nodes[0]);
  }
  const Migration& migration() { return world_.group("foo").migration; }
  // The source was found good, and every member has its data.
  void follow() {
    ASSERT_EQ(start(), "");
    work();
    answer();
    settle();
    work();
    settle();
    ASSERT_TRUE(migration().in_sync);
  }
  std::string last_event() { return world_.state.all<Event>().rbegin()->second.message; }

  World world_;
};

TEST_F(GroupMigrationTest, ATestAsksTheSourceAndChangesNothing) {
  ASSERT_EQ(start("source.example", true), "");
  EXPECT_EQ(world_.group("foo").status, "modifying");
  EXPECT_EQ(assignment("foo-001").source.use, Use::kCheck);
  EXPECT_EQ(assignment("foo-001").role, Role::kPrimary);
  EXPECT_EQ(assignment("foo-002").source.use, Use::kNone);
  work();
  EXPECT_FALSE(settle().settled);
  answer();
  settle();
  EXPECT_EQ(world_.group("foo").status, "available");
  EXPECT_FALSE(migration().under_way());
  EXPECT_EQ(last_event(),
            "Test migration from source.example:6379 to replication group foo succeeded");
}

TEST_F(GroupMigrationTest, ASourceThatWillNotDoLeavesTheGroupAsItWas) {
  ASSERT_EQ(start(), "");
  work();
  answer("it is no primary itself");
  settle();
  EXPECT_EQ(world_.group("foo").status, "available");
  EXPECT_EQ(assignment("foo-001").role, Role::kPrimary);
  EXPECT_EQ(last_event(),
            "Migration from 10.1.2.3:6379 to replication group foo failed: it is no primary "
            "itself");
}

TEST_F(GroupMigrationTest, AnAnswerToAnEarlierQuestionSaysNothing) {
  ASSERT_EQ(start(), "");
  work();
  seen("foo-001").source.deadline = Instant(1);
  settle();
  EXPECT_EQ(migration().stage, "starting");
  world_.now = migration().deadline;
  settle();
  EXPECT_EQ(world_.group("foo").status, "available");
  EXPECT_TRUE(last_event().ends_with("nobody could ask it in time"));
}

TEST_F(GroupMigrationTest, ThePrimaryFollowsTheSourceAndTheOthersThePrimary) {
  ASSERT_EQ(start(), "");
  work();
  answer();
  settle();
  EXPECT_EQ(migration().stage, "following");
  const NodeAssignment primary = assignment("foo-001");
  EXPECT_EQ(primary.role, Role::kReplica);
  EXPECT_TRUE(primary.attach);
  EXPECT_EQ(follow_target(primary, true), "10.1.2.3");
  EXPECT_FALSE(primary.hold);
  EXPECT_EQ(follow_target(assignment("foo-002"), false),
            world_.cluster("foo-001").nodes[0].address.str());
  work();
  // Data of the group before it is no data of the source.
  seen("foo-001").stream = seen("foo-003").stream = "source";
  seen("foo-002").stream = "old";
  settle();
  EXPECT_FALSE(migration().in_sync);
  seen("foo-002").stream = "source";
  EXPECT_TRUE(settle().settled);
  EXPECT_TRUE(migration().in_sync);
  EXPECT_EQ(world_.group("foo").status, "modifying");
  EXPECT_EQ(last_event(), "Replication group foo is in sync with 10.1.2.3:6379");
}

TEST_F(GroupMigrationTest, ASourceThatIsLostIsTold) {
  follow();
  seen("foo-001").link_up = false;
  settle();
  EXPECT_EQ(last_event(), "Replication group foo is no longer in sync with 10.1.2.3:6379");
  EXPECT_EQ(complete(), "InvalidReplicationGroupState");
}

TEST_F(GroupMigrationTest, ALeaderThatHasNotHeardOfAMemberTellsNothingOfIt) {
  follow();
  const std::string told = last_event();
  world_.observed.nodes.erase(key("foo-002"));
  settle();
  EXPECT_TRUE(migration().in_sync);
  EXPECT_EQ(last_event(), told);
}

TEST_F(GroupMigrationTest, APrimaryThatDiesFollowsAgainAndNobodyTakesItsPlace) {
  follow();
  NodeObservation& primary = seen("foo-001");
  primary.process = NodeObservation::Process::kStopped;
  primary.ready = primary.link_up = primary.synced = false;
  settle();
  EXPECT_EQ(world_.group("foo").node_groups[0].primary, CacheClusterId("foo-001"));
  EXPECT_TRUE(world_.cluster("foo-001").nodes[0].recovering);
  const NodeAssignment again = assignment("foo-001");
  EXPECT_FALSE(again.hold);
  EXPECT_EQ(again.role, Role::kReplica);
  EXPECT_FALSE(assignment("foo-002").hold);
  EXPECT_FALSE(migration().in_sync);
  work();
  settle();
  EXPECT_TRUE(migration().in_sync);
  EXPECT_FALSE(world_.cluster("foo-001").nodes[0].recovering);
}

TEST_F(GroupMigrationTest, ItIsCompletedWhenThePrimaryHasAllThatTheSourceWrote) {
  follow();
  ASSERT_EQ(complete(), "");
  EXPECT_EQ(assignment("foo-001").source.use, Use::kCutOver);
  EXPECT_TRUE(assignment("foo-001").survey);
  work();
  settle();
  EXPECT_EQ(migration().stage, "completing");
  answer("", true, 101);  // one byte more than the primary has
  settle();
  EXPECT_EQ(migration().stage, "completing");
  seen("foo-001").replication_offset = 101;
  const Plan promoting = settle();
  EXPECT_FALSE(migration().under_way());
  EXPECT_EQ(last_event(), "Migration from 10.1.2.3:6379 to replication group foo completed");
  // Not before it leads is the group available.
  EXPECT_EQ(promoting.reason, "foo-001 is being promoted");
  EXPECT_EQ(world_.group("foo").status, "modifying");
  const NodeAssignment primary = assignment("foo-001");
  EXPECT_EQ(primary.role, Role::kPrimary);
  EXPECT_TRUE(primary.may_promote);
  EXPECT_EQ(primary.source.use, Use::kNone);
  work();
  settle();
  EXPECT_EQ(world_.group("foo").status, "available");
}

TEST_F(GroupMigrationTest, ASourceThatCannotHoldBackWritesIsTold) {
  follow();
  ASSERT_EQ(complete(), "");
  work();
  answer("", false, 50);
  settle();
  EXPECT_FALSE(migration().under_way());
  EXPECT_TRUE(last_event().find("went on taking writes") != std::string::npos) << last_event();
}

TEST_F(GroupMigrationTest, ACutOverThatTakesTooLongIsGivenUp) {
  follow();
  ASSERT_EQ(complete(), "");
  work();
  answer("it does not answer");
  EXPECT_GT(settle().recheck_after, Duration());
  world_.now = migration().deadline;
  settle();
  EXPECT_EQ(migration().stage, "following");
  EXPECT_EQ(assignment("foo-001").source.use, Use::kFollow);
  EXPECT_TRUE(last_event().find("the source: it does not answer") != std::string::npos)
      << last_event();
  work();
  settle();
  EXPECT_EQ(complete(), "");
}

TEST_F(GroupMigrationTest, ForceEndsItWhateverThePrimaryHas) {
  follow();
  seen("foo-001").link_up = false;
  ASSERT_EQ(complete(true), "");
  EXPECT_EQ(assignment("foo-001").role, Role::kPrimary);
  work();
  settle();
  EXPECT_EQ(world_.group("foo").status, "available");
  EXPECT_EQ(complete(true), "ReplicationGroupNotUnderMigrationFault");
}

TEST_F(GroupMigrationTest, RefusalsOfAStart) {
  EXPECT_EQ(world_.admit_code(StartMigration{"nobody", {{"a", 1}}}),
            "ReplicationGroupNotFoundFault");
  EXPECT_EQ(world_.admit_code(StartMigration{"foo", {}}), "InvalidParameterValue");
  EXPECT_EQ(world_.admit_code(StartMigration{"foo", {{"a", 1}, {"b", 1}}}),
            "InvalidParameterValue");
  for (const char* address : {"", "a b", "::1", "-a", "a\nrequirepass x"}) {
    EXPECT_EQ(start(address), "InvalidParameterValue") << address;
  }
  EXPECT_EQ(world_.admit_code(StartMigration{"foo", {{"a", 65536}}}), "InvalidParameterValue");
  EXPECT_EQ(complete(), "ReplicationGroupNotUnderMigrationFault");
  ASSERT_EQ(start("a", true), "");
  EXPECT_EQ(start(), "ReplicationGroupAlreadyUnderMigrationFault");
  EXPECT_EQ(complete(), "ReplicationGroupNotUnderMigrationFault");
}

TEST_F(GroupMigrationTest, TheTargetNeedsMultiAzAndAnEngineThatIsNewEnough) {
  ModifyReplicationGroup off;
  off.id = "foo";
  off.multi_az = false;
  ASSERT_EQ(world_.admit_code(off), "");
  EXPECT_EQ(start(), "InvalidReplicationGroupState");
  ReplicationGroup old = world_.group("foo");
  old.multi_az = true;
  old.settings.engine_version = "2.8.6";
  Transition change;
  change.put(old);
  world_.apply(change);
  EXPECT_EQ(start(), "InvalidReplicationGroupState");
  old.settings.engine_version = "7.0";
  old.settings.access.transit_encryption = "required";
  change = {};
  change.put(old);
  world_.apply(change);
  EXPECT_EQ(start(), "InvalidReplicationGroupState");
}

TEST_F(GroupMigrationTest, NothingElseIsChangedMeanwhile) {
  follow();
  ModifyReplicationGroup change;
  change.id = "foo";
  change.description = "other";
  EXPECT_EQ(world_.admit_code(change), "InvalidReplicationGroupState");
}

}  // namespace
}  // namespace hikae::core
