#include "core/admission/snapshot.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/reconcile/snapshot_work.h"
#include "core/state/snapshots.h"
#include "core/testing/world.h"

namespace hikae::core {
namespace {

class SnapshotAdmission : public ::testing::Test {
 protected:
  SnapshotAdmission() { world_.make_group("foo", 3); }

  std::string create(const std::string& name, const std::string& group = "foo") {
    return world_.admit_code(CreateSnapshot{name, {}, group, {}});
  }
  const Snapshot& snapshot(const std::string& name) {
    return *world_.state.find<Snapshot>(SnapshotName(name));
  }
  // Whatever is being taken is there.
  void finish(const std::string& name) {
    Snapshot done = snapshot(name);
    done.status = "available";
    done.nodes[0].file = name + ".rdb";
    done.nodes[0].bytes = 1000;
    Transition out;
    out.put(std::move(done));
    world_.apply(out);
  }

  World world_;
};

TEST_F(SnapshotAdmission, RepeatsItsSourceAndShowsThatItIsTaken) {
  ASSERT_EQ(create("Nightly"), "");
  const Snapshot& taken = snapshot("nightly");
  EXPECT_EQ(taken.status, "creating");
  EXPECT_EQ(taken.source, "manual");
  EXPECT_EQ(taken.group.str(), "foo");
  EXPECT_EQ(taken.cluster.str(), "foo-002");  // a replica
  EXPECT_EQ(taken.settings.node_type, "cache.m3.medium");
  ASSERT_EQ(taken.nodes.size(), 1u);
  EXPECT_EQ(taken.nodes[0].node_group.str(), "0001");
  EXPECT_EQ(shown_status(world_.state, world_.group("foo")), "snapshotting");
  EXPECT_EQ(shown_status(world_.state, world_.cluster("foo-002")), "snapshotting");
  EXPECT_EQ(shown_status(world_.state, world_.cluster("foo-001")), "available");
}

TEST_F(SnapshotAdmission, NothingElseIsDoneToTheGroupMeanwhile) {
  ASSERT_EQ(create("one"), "");
  EXPECT_EQ(create("two"), "InvalidReplicationGroupState");
  EXPECT_EQ(world_.admit_code(CreateSnapshot{"two", "foo-002", {}, {}}),
            "InvalidCacheClusterState");
  EXPECT_EQ(world_.admit_code(CreateSnapshot{"two", "foo-001", {}, {}}),
            "InvalidReplicationGroupState");
  EXPECT_EQ(world_.admit_code(DeleteReplicationGroup{"foo"}), "InvalidReplicationGroupState");
  EXPECT_EQ(world_.admit_code(DeleteSnapshot{"one"}), "InvalidSnapshotState");
  EXPECT_EQ(world_.admit_code(CopySnapshot{"one", "copy", {}, {}}), "InvalidSnapshotState");
  finish("one");
  EXPECT_EQ(create("two"), "");
}

TEST_F(SnapshotAdmission, RefusesWhatDoesNotFit) {
  EXPECT_EQ(world_.admit_code(CreateSnapshot{"x", {}, {}, {}}), "InvalidParameterCombination");
  EXPECT_EQ(world_.admit_code(CreateSnapshot{"x", "foo-001", "foo", {}}),
            "InvalidParameterCombination");
  EXPECT_EQ(create("no_name"), "InvalidParameterValue");
  EXPECT_EQ(create("automatic.foo"), "InvalidParameterValue");
  EXPECT_EQ(create("x", "nobody"), "ReplicationGroupNotFoundFault");
  EXPECT_EQ(world_.admit_code(CreateSnapshot{"x", "nobody", {}, {}}), "CacheClusterNotFound");
  EXPECT_EQ(world_.admit_code(DeleteSnapshot{"x"}), "SnapshotNotFoundFault");
  EXPECT_EQ(world_.admit_code(CopySnapshot{"x", "y", {}, {}}), "SnapshotNotFoundFault");
  ASSERT_EQ(create("x"), "");
  finish("x");
  EXPECT_EQ(create("X"), "SnapshotAlreadyExistsFault");
  EXPECT_EQ(world_.admit_code(CopySnapshot{"x", "x", {}, {}}), "SnapshotAlreadyExistsFault");
}

TEST_F(SnapshotAdmission, TheTwentyFirstWithinADayIsRefused) {
  for (std::size_t i = 0; i < kMaxManualSnapshots; ++i) {
    ASSERT_EQ(create(fmt::format("s{}", i)), "");
    finish(fmt::format("s{}", i));
  }
  EXPECT_EQ(create("more"), "SnapshotQuotaExceededFault");
  EXPECT_EQ(world_.admit_code(CopySnapshot{"s1", "more", {}, {}}), "SnapshotQuotaExceededFault");
  world_.now = world_.now + std::chrono::hours(24);
  EXPECT_EQ(create("more"), "");
}

TEST_F(SnapshotAdmission, ACopyKeepsItsSourceFromBeingDeleted) {
  ASSERT_EQ(create("one"), "");
  finish("one");
  ASSERT_EQ(world_.admit_code(CopySnapshot{"one", "two", {}, {}}), "");
  EXPECT_EQ(snapshot("one").status, "copying");
  EXPECT_EQ(snapshot("two").status, "creating");
  EXPECT_EQ(snapshot_under_way(world_.state, world_.group("foo")), nullptr);
  EXPECT_EQ(world_.admit_code(DeleteSnapshot{"one"}), "InvalidSnapshotState");
  EXPECT_EQ(next_snapshot_work(world_.state, {}),
            (SnapshotWork{SnapshotWork::Kind::kCopy, SnapshotName("two")}));
  world_.apply(snapshot_copied(world_.state, SnapshotName("two"), {"b.rdb"}, world_.context()));
  EXPECT_EQ(snapshot("one").status, "available");
  EXPECT_EQ(snapshot("two").status, "available");
  EXPECT_EQ(snapshot("two").nodes[0].file, "b.rdb");
  ASSERT_EQ(world_.admit_code(DeleteSnapshot{"one"}), "");
  EXPECT_EQ(next_snapshot_work(world_.state, {}),
            (SnapshotWork{SnapshotWork::Kind::kRemove, SnapshotName("one")}));
  world_.apply(snapshot_removed(world_.state, SnapshotName("one")));
  EXPECT_EQ(world_.admit_code(DeleteSnapshot{"one"}), "SnapshotNotFoundFault");
}

TEST_F(SnapshotAdmission, AFailedCopyAndAFailedExportGiveTheSourceBack) {
  ASSERT_EQ(create("one"), "");
  finish("one");
  ASSERT_EQ(world_.admit_code(CopySnapshot{"one", "two", {}, {}}), "");
  world_.apply(
      snapshot_copy_failed(world_.state, SnapshotName("two"), "disk full", world_.context()));
  EXPECT_EQ(snapshot("one").status, "available");
  EXPECT_EQ(snapshot("two").status, "failed");
  ASSERT_EQ(world_.admit_code(CopySnapshot{"one", "out", "bucket", {}}), "");
  EXPECT_EQ(snapshot("one").status, "exporting");
  EXPECT_EQ(export_key(snapshot("one"), snapshot("one").nodes[0]), "out-0001.rdb");
  world_.apply(snapshot_exported(world_.state, SnapshotName("one"), "gone", world_.context()));
  EXPECT_EQ(snapshot("one").status, "available");
  EXPECT_EQ(world_.admit_code(DeleteSnapshot{"two"}), "");
}

TEST_F(SnapshotAdmission, AFinalSnapshotComesBeforeTheDeletion) {
  ASSERT_EQ(world_.admit_code(DeleteReplicationGroup{"foo", false, "last"}), "");
  EXPECT_EQ(world_.group("foo").status, "available");
  EXPECT_EQ(shown_status(world_.state, world_.group("foo")), "deleting");
  EXPECT_EQ(world_.cluster("foo-001").status, "available");
  EXPECT_EQ(world_.admit_code(DeleteReplicationGroup{"foo", false, "last"}),
            "InvalidReplicationGroupState");
}

TEST_F(SnapshotAdmission, RetentionIsStoredAtCreation) {
  CreateReplicationGroup command;
  command.id = "kept";
  command.description = "d";
  command.num_cache_clusters = 2;
  command.settings.node_type = "cache.m3.medium";
  command.settings.snapshot_retention_days = 3;
  command.settings.snapshot_window = "05:00-06:00";
  command.settings.maintenance_window = "sun:10:00-sun:11:00";
  ASSERT_EQ(world_.admit_code(command), "");
  EXPECT_EQ(world_.group("kept").settings.snapshot_retention_days, 3);
  EXPECT_EQ(world_.group("kept").snapshotting_cluster.str(), "kept-002");
  EXPECT_EQ(world_.cluster("kept-002").settings.snapshot_retention_days, 3);
  EXPECT_EQ(world_.cluster("kept-001").settings.snapshot_retention_days, 0);
}

class Restore : public SnapshotAdmission {
 protected:
  Restore() {
    create("base");
    finish("base");
    command_.id = "new";
    command_.description = "d";
    command_.num_cache_clusters = 2;
    command_.restore.snapshot = "Base";
  }
  CreateReplicationGroup command_;
};

TEST_F(Restore, WhatIsLeftOutIsTheSnapshots) {
  ASSERT_EQ(world_.admit_code(command_), "");
  const CacheSettings& settings = world_.group("new").settings;
  EXPECT_EQ(settings.node_type, "cache.m3.medium");
  EXPECT_EQ(settings.engine_version, world_.group("foo").settings.engine_version);
  EXPECT_EQ(world_.cluster("new-001").restore.file, "base.rdb");
  EXPECT_EQ(world_.cluster("new-002").restore.file, "");
  EXPECT_EQ(shown_status(world_.state, snapshot("base")), "restoring");
  EXPECT_EQ(world_.admit_code(DeleteSnapshot{"base"}), "InvalidSnapshotState");
}

TEST_F(Restore, TheFirstNodeStartsWithTheDataUntilTheGroupIsAvailable) {
  ASSERT_EQ(world_.admit_code(command_), "");
  world_.settle_group("new");
  const auto file_of = [&](const std::string& id) {
    const CacheCluster& cluster = world_.cluster(id);
    return node_assignment(world_.state, world_.observed, cluster, cluster.nodes[0])->restore_file;
  };
  EXPECT_EQ(file_of("new-001"), "base.rdb");
  EXPECT_EQ(file_of("new-002"), "");
  world_.agents_work();
  ASSERT_TRUE(world_.settle_group("new").settled);
  EXPECT_EQ(file_of("new-001"), "");
  EXPECT_EQ(shown_status(world_.state, snapshot("base")), "available");
}

TEST_F(Restore, RefusesOlderEnginesSmallNodesAndWhatIsNotThere) {
  command_.settings.engine_version = "2.8.6";
  EXPECT_EQ(world_.admit_code(command_), "InvalidParameterCombination");
  command_.settings.engine_version.reset();
  command_.restore.snapshot = "nobody";
  EXPECT_EQ(world_.admit_code(command_), "InvalidParameterValue");
  command_.restore.snapshot.reset();
  RestoreRequest::Fetched huge{"arn:aws:s3:::b/huge.rdb", "huge.rdb", std::uint64_t(1) << 50, 0};
  command_.settings.node_type = "cache.m3.medium";
  command_.restore.fetched = huge;
  EXPECT_EQ(world_.admit_code(command_), "InvalidParameterCombination");
  EXPECT_EQ(world_.state.find<ReplicationGroup>(ReplicationGroupId("new")), nullptr);
}

}  // namespace
}  // namespace hikae::core
