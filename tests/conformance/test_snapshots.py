"""Snapshots: answers, filters, pages, states and refusals of the four actions, and of restoring."""

import os

from support.case import RegionTestCase
from support.waiting import eventually


class SnapshotTestCase(RegionTestCase):
    network_name = "snapshots"

    def snapshot(self, name):
        return self.cache.describe_snapshots(SnapshotName=name)["Snapshots"][0]

    def wait_snapshot(self, name, status="available", timeout=60):
        def settled():
            found = self.snapshot(name)
            return found if found["SnapshotStatus"] == status else None

        return eventually(settled, f"snapshot {name} is {status}", timeout)

    def take(self, name, **source):
        self.cache.create_snapshot(SnapshotName=name, **source)
        self.addCleanup(self.drop_snapshot, name)
        return self.wait_snapshot(name)

    def drop_snapshot(self, name):
        missing = self.cache.exceptions.SnapshotNotFoundFault
        try:
            eventually(lambda: self.snapshot(name)["SnapshotStatus"] in ("available", "failed"),
                       f"{name} can be deleted")
            self.cache.delete_snapshot(SnapshotName=name)
        except missing:
            return
        self.wait_gone(name)

    def wait_gone(self, name):
        def gone():
            try:
                self.snapshot(name)
            except self.cache.exceptions.SnapshotNotFoundFault:
                return True
            return False

        eventually(gone, f"snapshot {name} is gone")

    def bucket(self, name):
        path = os.path.join(self.region.data, "buckets", name)
        os.makedirs(path, exist_ok=True)
        return path

    def names(self, **filters):
        return sorted(one["SnapshotName"]
                      for one in self.cache.describe_snapshots(**filters)["Snapshots"])


class Snapshots(SnapshotTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cache_client = cls.region.elasticache
        cls.cache_client.create_replication_group(**cls.network.group_arguments(
            ReplicationGroupId="source", NumCacheClusters=2, AutomaticFailoverEnabled=True,
            EngineVersion="7.1"))
        cls.cache_client.create_cache_cluster(
            **cls.network.cluster_arguments(CacheClusterId="alone"))
        cls.region.wait_group("source", 2)
        cls.region.wait_cluster("alone")

    def test_a_snapshot_of_a_group(self):
        group = self.region.group("source")
        created = self.cache.create_snapshot(
            SnapshotName="Whole", ReplicationGroupId="source",
            Tags=[{"Key": "a", "Value": "b"}])["Snapshot"]
        self.addCleanup(self.drop_snapshot, "whole")
        self.assertEqual((created["SnapshotName"], created["SnapshotStatus"]),
                         ("whole", "creating"))
        self.assertEqual(created["NodeSnapshots"][0]["CacheSize"], "")
        whole = self.wait_snapshot("whole")
        expected = {"SnapshotSource": "manual", "ReplicationGroupId": "source",
                    "CacheClusterId": "source-002", "Engine": "redis", "EngineVersion": "7.1.0",
                    "CacheNodeType": group["CacheNodeType"], "NumCacheNodes": 1, "Port": 6379,
                    "NumNodeGroups": 1, "AutomaticFailover": "enabled",
                    "SnapshotRetentionLimit": 0, "VpcId": self.network.vpc}
        self.assertEqual({name: whole.get(name) for name in expected}, expected)
        self.assertIn(":snapshot:whole", whole["ARN"])
        node = whole["NodeSnapshots"][0]
        self.assertEqual((node["NodeGroupId"], node["CacheNodeId"], node["CacheSize"]),
                         ("0001", "0001", "1 MB"))
        tags = self.cache.list_tags_for_resource(ResourceName=whole["ARN"])["TagList"]
        self.assertEqual(tags, [{"Key": "a", "Value": "b"}])
        events = self.cache.describe_events(SourceType="replication-group",
                                            SourceIdentifier="source", Duration=60)["Events"]
        self.assertIn("Snapshot succeeded for snapshot with ID 'whole' of replication group with "
                      "ID 'source'", [event["Message"] for event in events])
        self.region.wait_group("source", 2)

    def test_of_clusters(self):
        self.assertEqual(self.take("of-member", CacheClusterId="source-001")["CacheClusterId"],
                         "source-001")
        alone = self.take("of-alone", CacheClusterId="alone")
        self.assertNotIn("ReplicationGroupId", alone)
        self.assertNotIn("NodeGroupId", alone["NodeSnapshots"][0])

    def test_filters_and_pages(self):
        for number in range(3):
            self.take(f"paged-{number}", ReplicationGroupId="source")
        self.take("other", CacheClusterId="alone")
        self.assertEqual(self.names(CacheClusterId="alone"), ["other"])
        self.assertEqual(self.names(ReplicationGroupId="source"),
                         ["paged-0", "paged-1", "paged-2"])
        self.assertEqual(self.names(SnapshotSource="system"), [])
        self.assertEqual(len(self.names(SnapshotSource="user")), 4)
        shown = self.cache.describe_snapshots(SnapshotName="paged-0", ShowNodeGroupConfig=True)
        configuration = shown["Snapshots"][0]["NodeSnapshots"][0]["NodeGroupConfiguration"]
        self.assertEqual(configuration["Slots"], "0-16383")
        pages = self.cache.get_paginator("describe_snapshots").paginate(
            PaginationConfig={"PageSize": 20})
        self.assertEqual(len([one for page in pages for one in page["Snapshots"]]), 4)
        self.refused("InvalidParameterValue", self.cache.describe_snapshots, MaxRecords=19)
        self.refused("SnapshotNotFoundFault", self.cache.describe_snapshots,
                     SnapshotName="nobody", status=404)
        self.refused("CacheClusterNotFound", self.cache.describe_snapshots,
                     CacheClusterId="nobody", status=404)
        self.refused("InvalidParameterValue", self.cache.describe_snapshots,
                     SnapshotSource="elsewhere")

    def test_refusals(self):
        create = self.cache.create_snapshot
        self.refused("InvalidParameterCombination", create, SnapshotName="x")
        self.refused("InvalidParameterCombination", create, SnapshotName="x",
                     CacheClusterId="alone", ReplicationGroupId="source")
        self.refused("InvalidParameterValue", create, SnapshotName="1x", CacheClusterId="alone")
        self.refused("CacheClusterNotFound", create, SnapshotName="x", CacheClusterId="nobody",
                     status=404)
        self.refused("ReplicationGroupNotFoundFault", create, SnapshotName="x",
                     ReplicationGroupId="nobody", status=404)
        self.take("taken", CacheClusterId="alone")
        self.refused("SnapshotAlreadyExistsFault", create, SnapshotName="TAKEN",
                     CacheClusterId="alone")
        copy = self.cache.copy_snapshot
        self.refused("SnapshotNotFoundFault", copy, SourceSnapshotName="nobody",
                     TargetSnapshotName="y", status=404)
        self.refused("SnapshotAlreadyExistsFault", copy, SourceSnapshotName="taken",
                     TargetSnapshotName="taken")
        self.refused("InvalidParameterValue", copy, SourceSnapshotName="taken",
                     TargetSnapshotName="y", TargetBucket="no-such-bucket",
                     message="does not exist")
        self.refused("SnapshotNotFoundFault", self.cache.delete_snapshot, SnapshotName="nobody",
                     status=404)

    def test_copies_and_exports(self):
        original = self.take("original", CacheClusterId="alone")
        copied = self.cache.copy_snapshot(SourceSnapshotName="original",
                                          TargetSnapshotName="copied")["Snapshot"]
        self.addCleanup(self.drop_snapshot, "copied")
        self.assertEqual(copied["SnapshotStatus"], "creating")
        copy = self.wait_snapshot("copied")
        self.assertEqual(copy["NodeSnapshots"][0]["CacheSize"],
                         original["NodeSnapshots"][0]["CacheSize"])
        path = self.bucket("exports")
        self.wait_snapshot("original")
        exported = self.cache.copy_snapshot(SourceSnapshotName="original",
                                            TargetSnapshotName="out", TargetBucket="exports")
        self.assertEqual(exported["Snapshot"]["SnapshotName"], "out")
        self.wait_snapshot("original")
        self.assertEqual(os.listdir(path), ["out-0001.rdb"])
        self.refused("InvalidParameterValue", self.cache.copy_snapshot,
                     SourceSnapshotName="original", TargetSnapshotName="out",
                     TargetBucket="exports", message="already contains an object")
        self.assertNotIn("out", self.names())

    def test_deletion(self):
        self.take("doomed", CacheClusterId="alone")
        deleted = self.cache.delete_snapshot(SnapshotName="doomed")["Snapshot"]
        self.assertEqual(deleted["SnapshotStatus"], "deleting")
        self.wait_gone("doomed")

    def test_retention_and_window_are_kept_from_the_creation_on(self):
        group = self.make_group("kept", 2, SnapshotRetentionLimit=5, SnapshotWindow="05:00-06:00",
                                PreferredMaintenanceWindow="sun:10:00-sun:11:00")
        self.assertEqual((group["SnapshotRetentionLimit"], group["SnapshotWindow"],
                          group["SnapshottingClusterId"]), (5, "05:00-06:00", "kept-002"))
        cluster = self.make_cluster("kept-alone", SnapshotRetentionLimit=1,
                                    SnapshotWindow="07:00-08:00",
                                    PreferredMaintenanceWindow="sun:10:00-sun:11:00")
        self.assertEqual((cluster["SnapshotRetentionLimit"], cluster["SnapshotWindow"]),
                         (1, "07:00-08:00"))

    def test_sources_of_new_caches_are_checked_before_anything_is_made(self):
        path = self.bucket("imports")
        with open(os.path.join(path, "foreign.rdb"), "wb") as file:
            file.write(b"SQLite format 3\0" * 100)
        create = self.cache.create_replication_group
        arguments = self.network.group_arguments(ReplicationGroupId="never", NumCacheClusters=1)
        for wrong, message in (
                ({"SnapshotName": "nobody"}, "Snapshot not found"),
                ({"SnapshotArns": ["arn:aws:s3:::imports/foreign.rdb"]}, "no RDB file"),
                ({"SnapshotArns": ["arn:aws:s3:::imports/absent.rdb"]}, "Unable to fetch"),
                ({"SnapshotArns": ["arn:aws:s3:::nobodys/absent.rdb"]}, "Unable to fetch"),
                ({"SnapshotArns": ["imports/foreign.rdb"]}, "does not name an object")):
            with self.subTest(wrong=wrong):
                self.refused("InvalidParameterValue", create, message=message,
                             **{**arguments, **wrong})
        self.refused("ReplicationGroupNotFoundFault", self.region.group, "never")
        self.assertEqual(
            [name for name in os.listdir(os.path.join(self.region.data, "snapshots"))
             if name.startswith("import")], [])
