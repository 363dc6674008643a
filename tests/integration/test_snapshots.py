"""Snapshots with real engines: taken under writes, restored, damaged, interrupted, refused."""

import os
import signal
import subprocess
import threading
import time
import unittest

from conformance.test_snapshots import SnapshotTestCase
from support.groups import members_of, primary_of, shard_of
from support.region import Region
from support.waiting import eventually
from support.writer import Writer


def window_now():
    """A snapshot window that is open, and a maintenance window that is far from it."""
    now = time.gmtime()
    window = f"{now.tm_hour:02}:00-{(now.tm_hour + 2) % 24:02}:00"
    far = (now.tm_hour + 6) % 22
    return {"SnapshotWindow": window,
            "PreferredMaintenanceWindow": f"sun:{far:02}:00-sun:{far + 1:02}:00"}


class Backups(SnapshotTestCase):
    network_name = "backups"

    def fill(self, group_id, keys=1000, size=100):
        with self.region.session(shard_of(self.region.group(group_id))["PrimaryEndpoint"]) as s:
            for first in range(0, keys, 500):
                s.ask_all([f"set key:{n} {n}{'x' * size}" for n in range(first, first + 500)])
            s.ask("wait 1 5000")

    def read(self, group_id, *lines):
        with self.region.session(shard_of(self.region.group(group_id))["PrimaryEndpoint"]) as s:
            return s.ask_all(lines)

    def files(self):
        return sorted(os.listdir(os.path.join(self.region.data, "snapshots")))

    def stat(self, cluster_id, group, section, field):
        with self.region.session(members_of(group)[cluster_id]) as session:
            return session.info(section)[field]

    def messages(self, group_id):
        events = self.cache.describe_events(SourceType="replication-group",
                                            SourceIdentifier=group_id, Duration=60)["Events"]
        return [event["Message"] for event in events]

    def test_taken_of_a_replica_under_writes_and_restored(self):
        group = self.make_group("busy", 3)
        self.fill("busy")
        writer = Writer(self.region, shard_of(group)["PrimaryEndpoint"])
        writer.start()
        eventually(lambda: len(writer.acknowledged) > 1000, "writes are acknowledged")
        before = sorted(writer.acknowledged)[-1000:]  # nobody waits until a replica has them
        self.take("busy-snap", ReplicationGroupId="busy")
        writer.end()
        self.assertEqual(self.stat("busy-001", group, "persistence", "rdb_saves"), "0")
        self.assertEqual(self.stat("busy-002", group, "persistence", "rdb_saves"), "1")
        restored = self.make_group("copy", 3, SnapshotName="busy-snap")
        values = self.read("copy", "get key:999", "dbsize",
                           *(f"get n:{number}" for number in before))
        self.assertTrue(values[0].startswith("999x"))
        self.assertEqual(values[2:], [str(number) for number in before])
        self.assertGreaterEqual(values[1], 1500)
        for cluster_id, endpoint in members_of(restored).items():
            with self.region.session(endpoint) as session:
                eventually(lambda s=session: s.ask("dbsize") == values[1],
                           f"{cluster_id} has the data")
        self.assertTrue([text for text in self.messages("copy") if "created" in text])

    def test_a_replica_that_lags_saves_once_it_has_all_that_was_acknowledged(self):
        group = self.make_group("lagging", 2, EngineVersion="7.1")
        _, replica = sorted(members_of(group))
        started = threading.Event()

        def be_busy():
            with self.region.session(members_of(group)[replica]) as session:
                started.set()
                session.ask("eval 'local x = 0; for i = 1, 30000000 do x = x + i end; "
                            "return x' 0")

        busy = threading.Thread(target=be_busy)
        busy.start()
        started.wait()
        with self.region.session(shard_of(group)["PrimaryEndpoint"]) as session:
            # At once, and more than a replica reads in one go: it has a way to go when it is free.
            session.ask("eval 'for i = 1, 4000 do redis.call(\"set\", \"lag:\" .. i, "
                        "string.rep(\"y\", 2000)) end' 0")
            session.ask("set last-one acknowledged")
        self.take("of-lagging", ReplicationGroupId="lagging")
        busy.join()
        self.make_group("caught-up", 1, EngineVersion="7.1", SnapshotName="of-lagging")
        self.assertEqual(self.read("caught-up", "get last-one", "dbsize"),
                         ["acknowledged", 4001])

    def test_a_restored_group_fails_over_with_its_data(self):
        self.make_group("first", 2)
        self.fill("first")
        self.take("first-snap", ReplicationGroupId="first")
        restored = self.make_group("second", 2, SnapshotName="first-snap")
        old = primary_of(restored)
        os.kill(self.region.pid_of(old), signal.SIGKILL)
        eventually(lambda: primary_of(self.region.group("second")) != old, "it failed over")
        eventually(lambda: self.read("second", "dbsize") == [1000], "the data is there")

    def test_what_a_restored_node_holds_is_gone_after_its_restart_like_everywhere(self):
        self.make_cluster("single")
        node = self.region.cluster("single")["CacheNodes"][0]["Endpoint"]
        with self.region.session(node) as session:
            session.ask("set a 1")
        self.take("single-snap", CacheClusterId="single")
        cluster = self.make_cluster("again", SnapshotName="single-snap")
        node = cluster["CacheNodes"][0]["Endpoint"]
        with self.region.session(node) as session:
            self.assertEqual(session.ask("get a"), "1")
        os.kill(self.region.pid_of("again"), signal.SIGKILL)

        def empty():
            try:
                with self.region.session(node) as session:
                    return session.ask("dbsize") == 0
            except (OSError, ConnectionError):
                return False

        eventually(empty, "it came back empty")

    def test_export_and_import(self):
        self.make_group("exported", 2)
        self.fill("exported")
        self.take("exported-snap", ReplicationGroupId="exported")
        path = self.bucket("exchange")
        self.cache.copy_snapshot(SourceSnapshotName="exported-snap", TargetSnapshotName="out",
                                 TargetBucket="exchange")
        eventually(lambda: os.listdir(path) == ["out-0001.rdb"], "the object is there")
        self.wait_snapshot("exported-snap")
        self.make_group("imported", 2, SnapshotArns=["arn:aws:s3:::exchange/out-0001.rdb"])
        self.assertEqual(self.read("imported", "dbsize"), [1000])

    def test_a_damaged_file_is_refused_and_nothing_is_made(self):
        self.make_group("whole", 1)
        self.fill("whole")
        self.take("whole-snap", ReplicationGroupId="whole")
        path = self.bucket("damaged")
        self.cache.copy_snapshot(SourceSnapshotName="whole-snap", TargetSnapshotName="whole",
                                 TargetBucket="damaged")
        good = os.path.join(path, "whole-0001.rdb")
        eventually(lambda: os.path.exists(good), "the object is there")
        with open(good, "rb") as file:
            content = bytearray(file.read())
        with open(os.path.join(path, "cut.rdb"), "wb") as file:
            file.write(content[:-100])
        content[len(content) // 2] ^= 1
        with open(os.path.join(path, "bit.rdb"), "wb") as file:
            file.write(content)
        before = self.files()
        for name, words in (("cut", "cut off"), ("bit", "damaged")):
            self.refused("InvalidParameterValue", self.cache.create_replication_group,
                         message=words, **self.network.group_arguments(
                             ReplicationGroupId="never", NumCacheClusters=1,
                             SnapshotArns=[f"arn:aws:s3:::damaged/{name}.rdb"]))
        self.refused("ReplicationGroupNotFoundFault", self.region.group, "never")
        self.assertEqual(self.files(), before)

    def test_a_final_snapshot(self):
        self.make_group("ending", 2)
        self.fill("ending")
        self.cache.delete_replication_group(ReplicationGroupId="ending",
                                            FinalSnapshotIdentifier="ending-last")
        self.addCleanup(self.drop_snapshot, "ending-last")
        self.region.wait_group_gone("ending")
        self.assertEqual(self.snapshot("ending-last")["SnapshotStatus"], "available")
        self.make_group("reborn", 1, SnapshotName="ending-last")
        self.assertEqual(self.read("reborn", "dbsize"), [1000])

    def test_automatic_ones_are_taken_in_their_window_and_go_with_their_group(self):
        self.make_group("daily", 2, SnapshotRetentionLimit=1, **window_now())

        def automatic():
            found = self.cache.describe_snapshots(ReplicationGroupId="daily",
                                                  SnapshotSource="system")["Snapshots"]
            return found if found and found[0]["SnapshotStatus"] == "available" else None

        (snapshot,) = eventually(automatic, "an automatic snapshot was taken", 60)
        self.assertRegex(snapshot["SnapshotName"],
                         r"^automatic\.daily-002-\d{4}-\d\d-\d\d-\d\d-\d\d$")
        self.assertEqual(snapshot["SnapshotSource"], "automated")
        self.drop_group("daily")
        eventually(lambda: not self.names(ReplicationGroupId="daily"), "it went with its group")

    def test_data_that_cannot_be_written_fails_the_snapshot_alone(self):
        group = self.make_group("full", 2)
        self.fill("full")
        pid = self.region.pid_of("full-002")
        directory = self.region.nodes()[pid]
        os.chmod(directory, 0o500)  # as good as a full disk for the engine, which is not root
        self.addCleanup(lambda: os.path.exists(directory) and os.chmod(directory, 0o700))
        self.cache.create_snapshot(SnapshotName="full-snap", ReplicationGroupId="full")
        self.addCleanup(self.drop_snapshot, "full-snap")
        self.wait_snapshot("full-snap", "failed")
        os.chmod(directory, 0o700)
        self.assertTrue([text for text in self.messages("full")
                         if text.startswith("Snapshot failed for snapshot with ID 'full-snap'")])
        self.assertEqual(self.region.wait_group("full", 2)["MemberClusters"],
                         group["MemberClusters"])
        self.assertEqual(self.region.pid_of("full-002"), pid)
        self.assertEqual(self.read("full", "dbsize"), [1000])
        self.take("full-again", ReplicationGroupId="full")

    def test_hikae_killed_in_the_middle_of_a_snapshot(self):
        self.make_group("killed", 2)
        self.fill("killed", keys=20_000, size=400)
        for number in range(5):
            name = f"killed-{number}"
            with self.subTest(number=number):
                self.cache.create_snapshot(SnapshotName=name, ReplicationGroupId="killed")
                self.addCleanup(self.drop_snapshot, name)
                time.sleep(number * 0.02)  # another moment each time; any is right
                self.region.kill()
                self.region.start()
                found = eventually(
                    lambda n=name: self.snapshot(n)["SnapshotStatus"] in ("available", "failed")
                    and self.snapshot(n), "it is finished or failed", 60)
                self.assertEqual(found["SnapshotStatus"], "available")
                self.region.wait_group("killed", 2)
        self.assertEqual(len(self.files()), len(self.names()))
        self.make_group("survivor", 1, SnapshotName="killed-4")
        self.assertEqual(self.read("survivor", "dbsize"), [20_000])


SMALL_DISK = ["unshare", "--mount", "sh", "-c",
              "mount -t tmpfs -o size=1m,mode=700 none \"$0\" && exec \"$@\""]


def may_mount():
    """Whether a file system of our own can be mounted, in a namespace of our own."""
    if os.geteuid() != 0:
        return False
    return subprocess.run([*SMALL_DISK, "/mnt", "true"], check=False,
                          capture_output=True).returncode == 0


class FullDisk(SnapshotTestCase):
    """The snapshots lie on a disk of 1 MiB."""

    network_name = "full-disk"

    @classmethod
    def make_region(cls):
        if not may_mount():
            raise unittest.SkipTest("mounting a small disk needs root and a mount namespace")
        region = Region()
        disk = os.path.join(region.directory, "disk")
        os.mkdir(disk)
        region.arguments += ["--snapshots", disk]
        region.prefix = [*SMALL_DISK, disk]
        return region

    def test_a_full_disk_fails_the_snapshot_alone(self):
        group = self.make_group("big", 2)
        endpoint = shard_of(group)["PrimaryEndpoint"]
        with self.region.session(endpoint) as session:
            session.ask("set small 1")
            session.ask("eval \"math.randomseed(1) local t = {} for i = 1, 262144 do "
                        "t[i] = string.format('%08x', math.random(0, 2147483647)) end "
                        "redis.call('set', 'big', table.concat(t))\" 0")
            session.ask("wait 1 5000")
        pids = set(self.region.nodes())
        self.cache.create_snapshot(SnapshotName="too-big", ReplicationGroupId="big")
        self.addCleanup(self.drop_snapshot, "too-big")
        self.wait_snapshot("too-big", "failed")
        told = [event["Message"] for event in self.cache.describe_events(
            SourceType="replication-group", SourceIdentifier="big", Duration=60)["Events"]
                if "too-big" in event["Message"]]
        self.assertEqual(len(told), 1)
        self.assertIn("No space left on device", told[0])
        self.region.wait_group("big", 2)
        self.assertEqual(set(self.region.nodes()), pids)
        with self.region.session(endpoint) as session:
            self.assertGreater(session.ask("strlen big"), 1024 * 1024)
            session.ask("del big")
            session.ask("wait 1 5000")
        self.take("fits", ReplicationGroupId="big")  # nothing of the other is left in the way
