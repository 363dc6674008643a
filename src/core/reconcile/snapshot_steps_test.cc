#include "core/reconcile/snapshot_steps.h"

#include <gtest/gtest.h>

#include "core/admission/snapshot.h"
#include "core/reconcile/snapshot_schedule.h"
#include "core/state/events.h"
#include "core/state/snapshots.h"
#include "core/testing/world.h"

namespace hikae::core {
namespace {

using Stage = SnapshotProgress::Stage;

NodeKey node(const std::string& cluster) {
  return NodeKey{CacheClusterId(cluster), NodeId("0001")};
}

class SnapshotSteps : public ::testing::Test {
 protected:
  SnapshotSteps() {
    world_.make_group("foo", 3);
    EXPECT_EQ(world_.admit_code(CreateSnapshot{"snap", {}, "foo", {}}), "");
    for (const char* id : {"foo-001", "foo-002", "foo-003"}) {
      tell_place(id, 100);
    }
  }
  // The agent answers the question how far its node is.
  void tell_place(const std::string& cluster, std::uint64_t offset) {
    seen(cluster).surveyed = true;
    seen(cluster).stream = "stream";
    seen(cluster).replication_offset = offset;
    seen(cluster).offset_read = world_.observed.now;
  }
  bool is_asked(const std::string& id) {
    const CacheCluster& cluster = world_.cluster(id);
    return node_assignment(world_.state, world_.observed, cluster, cluster.nodes[0])->survey;
  }
  const Snapshot& snap() { return *world_.state.find<Snapshot>(SnapshotName("snap")); }
  const NodeSnapshot& data() { return snap().nodes[0]; }
  NodeObservation& seen(const std::string& cluster) {
    return world_.observed.nodes.at(node(cluster));
  }
  void report(const std::string& cluster, Stage stage, const std::string& problem = "") {
    SnapshotProgress& progress = seen(cluster).snapshot;
    progress.file = data().file;
    progress.stage = stage;
    progress.bytes = 4711;
    progress.checksum = "0123456789abcdef";
    progress.problem = problem;
  }
  void settle() { world_.settle_group("foo"); }
  std::string last_event() {
    const auto& events = world_.state.all<Event>();
    return events.empty() ? "" : events.rbegin()->second.message;
  }

  World world_;
};

TEST_F(SnapshotSteps, AReplicaInSyncSavesItsDataAndNobodyElse) {
  settle();
  EXPECT_EQ(data().taker.str(), "foo-002");
  const auto file_of = [&](const std::string& id) {
    const CacheCluster& cluster = world_.cluster(id);
    return node_assignment(world_.state, world_.observed, cluster, cluster.nodes[0])->snapshot_file;
  };
  EXPECT_EQ(file_of("foo-002"), data().file);
  EXPECT_EQ(file_of("foo-001"), "");
  EXPECT_EQ(file_of("foo-003"), "");
  report("foo-002", Stage::kStoring);
  settle();
  EXPECT_EQ(snap().status, "creating");
  report("foo-002", Stage::kDone);
  settle();
  EXPECT_EQ(snap().status, "available");
  EXPECT_EQ(data().bytes, 4711u);
  EXPECT_EQ(data().checksum, "0123456789abcdef");
  EXPECT_EQ(last_event(),
            "Snapshot succeeded for snapshot with ID 'snap' of replication group with ID 'foo'");
  EXPECT_EQ(file_of("foo-002"), "");
  EXPECT_TRUE(is_free(world_.state, world_.group("foo")));
}

TEST_F(SnapshotSteps, FirstThePrimaryIsAskedHowFarItIsAndThenTheReplicas) {
  seen("foo-001").surveyed = seen("foo-002").surveyed = seen("foo-003").surveyed = false;
  settle();
  EXPECT_TRUE(is_asked("foo-001"));
  EXPECT_FALSE(is_asked("foo-002"));
  tell_place("foo-002", 9000);  // nobody asked, so it was before the primary told
  settle();
  EXPECT_TRUE(is_asked("foo-001"));
  seen("foo-002").surveyed = false;
  tell_place("foo-001", 4711);
  world_.observed.unheard.insert(node("foo-001"));  // that was an older question
  settle();
  EXPECT_TRUE(is_asked("foo-001"));
  world_.observed.unheard.clear();
  settle();
  EXPECT_FALSE(is_asked("foo-001"));
  EXPECT_TRUE(is_asked("foo-002"));
  EXPECT_TRUE(is_asked("foo-003"));
  EXPECT_TRUE(data().taker.empty());
  tell_place("foo-002", 4711);
  settle();
  EXPECT_EQ(data().taker.str(), "foo-002");
  EXPECT_FALSE(is_asked("foo-002"));
}

TEST_F(SnapshotSteps, AReplicaThatHasNotComeAsFarIsPassedOver) {
  tell_place("foo-001", 4711);
  tell_place("foo-002", 4710);
  tell_place("foo-003", 4712);
  settle();
  EXPECT_EQ(data().taker.str(), "foo-003");
}

TEST_F(SnapshotSteps, AReplicaThatCameBackEmptySavesNothing) {
  tell_place("foo-001", 4711);
  tell_place("foo-002", 4711);
  settle();
  ASSERT_EQ(data().taker.str(), "foo-002");
  seen("foo-002").synced = seen("foo-002").link_up = false;
  seen("foo-001").surveyed = seen("foo-003").surveyed = false;
  settle();
  EXPECT_TRUE(data().taker.empty());
  tell_place("foo-001", 4711);
  tell_place("foo-003", 4711);
  settle();
  EXPECT_EQ(data().taker.str(), "foo-003");
}

TEST_F(SnapshotSteps, TheOneThatIsNamedIsWaitedForThoughNotForLong) {
  seen("foo-002").surveyed = false;
  settle();
  EXPECT_TRUE(data().taker.empty());
  world_.now = world_.now + Duration(std::chrono::seconds(2));
  settle();
  EXPECT_EQ(data().taker.str(), "foo-003");
}

TEST_F(SnapshotSteps, WhileNoReplicaHasComeAsFarTheyAreAskedAgain) {
  tell_place("foo-001", 4711);
  settle();
  EXPECT_TRUE(data().taker.empty());
  EXPECT_TRUE(is_asked("foo-002"));
  world_.observed.now = world_.observed.now + Duration(std::chrono::seconds(2));
  seen("foo-001").surveyed = false;
  settle();
  EXPECT_TRUE(is_asked("foo-001"));
  tell_place("foo-001", 5000);
  seen("foo-002").surveyed = seen("foo-003").surveyed = false;
  settle();
  EXPECT_TRUE(is_asked("foo-002"));
  tell_place("foo-002", 5001);
  settle();
  EXPECT_EQ(data().taker.str(), "foo-002");
}

TEST_F(SnapshotSteps, AnotherOneIsAskedAnewWhenTheFirstIsLost) {
  settle();
  ASSERT_EQ(data().taker.str(), "foo-002");
  tell_place("foo-001", 9000);
  seen("foo-002").process = NodeObservation::Process::kStopped;
  settle();
  EXPECT_TRUE(data().taker.empty());
  tell_place("foo-003", 9000);
  settle();
  EXPECT_EQ(data().taker.str(), "foo-003");
}

TEST_F(SnapshotSteps, AnotherStreamIsNoMeasure) {
  seen("foo-002").stream = seen("foo-003").stream = "another";
  settle();
  EXPECT_TRUE(data().taker.empty());
}

TEST_F(SnapshotSteps, AReplicaThatLagsIsPassedOver) {
  seen("foo-002").link_up = false;
  settle();
  EXPECT_EQ(data().taker.str(), "foo-003");
}

TEST_F(SnapshotSteps, ThePrimarySavesOnlyWhileThereIsNoReplica) {
  seen("foo-002").link_up = false;
  seen("foo-003").synced = false;
  settle();
  EXPECT_EQ(data().taker.str(), "foo-001");
}

TEST_F(SnapshotSteps, NobodyIsChosenInPlaceOfOneWhoseHostHasYetToReport) {
  const Observed all = world_.observed;
  const auto forget = [&](const std::string& id) {
    world_.observed.nodes.erase(node(id));
    world_.observed.assignment_revision.erase(world_.cluster(id).nodes[0].host);
  };
  forget("foo-002");
  forget("foo-003");
  settle();
  EXPECT_EQ(data().taker.str(), "");
  world_.observed = all;
  settle();
  ASSERT_EQ(data().taker.str(), "foo-002");
  forget("foo-002");
  settle();
  EXPECT_EQ(data().taker.str(), "foo-002");
  world_.observed.assignment_revision = all.assignment_revision;
  settle();
  EXPECT_EQ(data().taker.str(), "foo-003");
}

TEST_F(SnapshotSteps, AnotherOneSavesWhenTheFirstIsLost) {
  settle();
  const std::string first = data().file;
  seen("foo-002").process = NodeObservation::Process::kStopped;
  settle();
  EXPECT_EQ(data().taker.str(), "foo-003");
  EXPECT_NE(data().file, first);
  EXPECT_EQ(snap().status, "creating");
}

TEST_F(SnapshotSteps, AFailureConcernsTheSnapshotAlone) {
  settle();
  report("foo-002", Stage::kFailed, "the disk is full");
  settle();
  EXPECT_EQ(snap().status, "failed");
  EXPECT_EQ(data().file, "");
  EXPECT_NE(last_event().find("the disk is full"), std::string::npos);
  EXPECT_EQ(shown_status(world_.state, world_.group("foo")), "available");
}

TEST_F(SnapshotSteps, WhatANodeSaysOfAnotherSnapshotIsNothing) {
  settle();
  report("foo-002", Stage::kDone);
  seen("foo-002").snapshot.file = "other.rdb";
  settle();
  EXPECT_EQ(snap().status, "creating");
}

TEST_F(SnapshotSteps, ItIsGivenUpWhenNobodyServesForLong) {
  for (const char* id : {"foo-001", "foo-002", "foo-003"}) {
    seen(id).ready = false;
  }
  settle();
  EXPECT_EQ(snap().status, "creating");
  world_.now = world_.now + std::chrono::minutes(31);
  settle();
  EXPECT_EQ(snap().status, "failed");
}

class FinalSnapshot : public SnapshotSteps {
 protected:
  FinalSnapshot() {
    settle();
    report("foo-002", Stage::kDone);
    settle();
    EXPECT_EQ(world_.admit_code(DeleteReplicationGroup{"foo", false, "last"}), "");
    settle();
  }
  void report_last(Stage stage) {
    const Snapshot& last = *world_.state.find<Snapshot>(SnapshotName("last"));
    seen("foo-002").snapshot.file = last.nodes[0].file;
    seen("foo-002").snapshot.stage = stage;
    settle();
  }
};

TEST_F(FinalSnapshot, ItsSuccessDeletesTheGroup) {
  EXPECT_EQ(world_.group("foo").status, "available");
  report_last(Stage::kDone);
  EXPECT_EQ(world_.group("foo").status, "deleting");
  world_.agents_work();
  settle();
  EXPECT_EQ(world_.state.find<ReplicationGroup>(ReplicationGroupId("foo")), nullptr);
  EXPECT_EQ(world_.state.find<Snapshot>(SnapshotName("last"))->status, "available");
}

TEST_F(FinalSnapshot, ItsFailureLeavesTheGroupAsItIs) {
  report_last(Stage::kFailed);
  EXPECT_EQ(shown_status(world_.state, world_.group("foo")), "available");
  EXPECT_EQ(world_.group("foo").final_snapshot.str(), "");
  EXPECT_EQ(world_.cluster("foo-001").status, "available");
}

class Loading : public SnapshotSteps {
 protected:
  Loading() {
    settle();
    report("foo-002", Stage::kDone);
    settle();
    CreateReplicationGroup command;
    command.id = "new";
    command.description = "d";
    command.num_cache_clusters = 2;
    command.restore.snapshot = "snap";
    EXPECT_EQ(world_.admit_code(command), "");
    world_.settle_group("new");
    world_.agents_work();
  }
  int events_with(const std::string& words) {
    int count = 0;
    for (const auto& [id, event] : world_.state.all<Event>()) {
      count += event.source_type == kSourceReplicationGroup &&
               event.message.find(words) != std::string::npos;
    }
    return count;
  }
};

TEST_F(Loading, EveryTenthOfTheDataIsToldOnce) {
  seen("new-001").ready = false;
  for (const int percent : {0, 9, 20, 20, 55, 51}) {
    seen("new-001").loaded_percent = percent;
    world_.settle_group("new");
  }
  EXPECT_EQ(events_with("% of"), 2);
  EXPECT_EQ(events_with(": 20 % of"), 1);
  EXPECT_EQ(events_with(": 50 % of"), 1);
}

TEST_F(Loading, DataThatCannotBeReadFailsTheGroup) {
  seen("new-001").process = NodeObservation::Process::kStopped;
  seen("new-001").restore_problem = "Can't handle RDB format version 80";
  world_.settle_group("new");
  EXPECT_EQ(world_.group("new").status, "create-failed");
  EXPECT_EQ(world_.cluster("new-001").status, "restore-failed");
  EXPECT_EQ(events_with("format version 80"), 1);
  EXPECT_EQ(shown_status(world_.state, snap()), "available");
  world_.agents_work();
  ASSERT_EQ(world_.admit_code(DeleteReplicationGroup{"new"}), "");
  world_.agents_work();
  world_.settle_group("new");
  EXPECT_EQ(world_.state.find<ReplicationGroup>(ReplicationGroupId("new")), nullptr);
}

class Schedule : public ::testing::Test {
 protected:
  Schedule() {
    world_.make_group("foo", 2);
    ReplicationGroup group = world_.group("foo");
    group.settings.snapshot_window = "05:00-06:00";
    group.settings.snapshot_retention_days = 2;
    group.snapshotting_cluster = CacheClusterId("foo-002");
    Transition out;
    out.put(std::move(group));
    world_.apply(out);
  }
  void tick(std::string_view time) {
    world_.now = *parse_iso8601(time);
    const Transition due = due_snapshots(world_.state, world_.context());
    if (!due.empty()) {
      world_.apply(due);
    }
  }
  std::string status_of(const std::string& name) {
    const auto* found = world_.state.find<Snapshot>(SnapshotName(name));
    return found == nullptr ? "none" : found->status;
  }
  std::size_t count() { return world_.state.all<Snapshot>().size(); }
  void set_status(const std::string& name, const std::string& status) {
    Snapshot next = *world_.state.find<Snapshot>(SnapshotName(name));
    next.status = status;
    Transition out;
    out.put(std::move(next));
    world_.apply(out);
  }

  World world_;
  const std::string first_ = "automatic.foo-002-2026-11-25-05-00";
};

TEST_F(Schedule, OneIsTakenInEveryWindow) {
  tick("2026-11-25T04:59:00Z");
  EXPECT_EQ(count(), 0u);
  tick("2026-11-25T05:00:30Z");
  EXPECT_EQ(status_of(first_), "creating");
  set_status(first_, "available");
  tick("2026-11-25T05:01:00Z");
  tick("2026-11-25T06:10:00Z");
  EXPECT_EQ(count(), 1u);
  tick("2026-11-26T05:59:00Z");
  EXPECT_EQ(status_of("automatic.foo-002-2026-11-26-05-59"), "creating");
}

TEST_F(Schedule, AFailedOneIsNotTriedAgainUntilTheNextWindow) {
  tick("2026-11-25T05:00:30Z");
  set_status(first_, "failed");
  tick("2026-11-25T05:30:00Z");
  EXPECT_EQ(count(), 1u);
}

TEST_F(Schedule, OldOnesGoAndManualOnesStay) {
  tick("2026-11-25T05:00:30Z");
  set_status(first_, "available");
  ASSERT_EQ(world_.admit_code(CreateSnapshot{"mine", {}, "foo", {}}), "");
  set_status("mine", "available");
  tick("2026-11-27T04:59:00Z");
  EXPECT_EQ(status_of(first_), "available");
  tick("2026-11-27T05:01:00Z");
  EXPECT_EQ(status_of(first_), "deleting");
  EXPECT_EQ(status_of("mine"), "available");
}

TEST_F(Schedule, TheyGoWithTheirGroup) {
  tick("2026-11-25T05:00:30Z");
  set_status(first_, "available");
  ASSERT_EQ(world_.admit_code(DeleteReplicationGroup{"foo"}), "");
  EXPECT_EQ(status_of(first_), "deleting");
}

}  // namespace
}  // namespace hikae::core
