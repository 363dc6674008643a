"""Snapshots to and from the buckets of an S3-compatible server."""

import os
import time

from conformance.test_snapshots import SnapshotTestCase
from support.case import RegionTestCase
from support.groups import shard_of
from support.region import Region
from support.s3 import ACCESS_KEY, S3, SECRET
from support.waiting import eventually

MIB = 1024 * 1024


def credentials_file(directory, mode=0o600):
    path = os.path.join(directory, "s3-credentials")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"[default]\naws_access_key_id = {ACCESS_KEY}\n"
                   f"aws_secret_access_key = {SECRET}\n")
    os.chmod(path, mode)
    return path


class Buckets(SnapshotTestCase):
    network_name = "s3"

    @classmethod
    def make_region(cls):
        cls.s3 = S3("eu-west-3").start()
        cls.addClassCleanup(cls.s3.stop)
        region = Region("--s3-endpoint", cls.s3.endpoint, "--s3-region", "eu-west-3")
        region.arguments += ["--s3-credentials-file", credentials_file(region.directory)]
        return region

    def setUp(self):
        super().setUp()
        self.s3.buckets = {"exchange": {}}
        self.s3.faults, self.s3.complaints = [], []
        self.addCleanup(lambda: self.assertEqual(self.s3.complaints, []))
        self.addCleanup(lambda: self.assertEqual(self.s3.uploads, {}))

    def fill(self, group_id, megabytes=0):
        with self.region.session(shard_of(self.region.group(group_id))["PrimaryEndpoint"]) as s:
            s.ask_all([f"set key:{n} {n}" for n in range(1000)])
            # Nothing that can be compressed well.
            for number in range(megabytes):
                s.ask(f"eval \"math.randomseed({number}) local t = {{}} for i = 1, 65536 do "
                      f"t[i] = string.format('%016x', math.random(0, 2147483647) * 4294967296 + "
                      f"math.random(0, 2147483647)) end "
                      f"redis.call('set', 'big:{number}', table.concat(t))\" 0")
            s.ask("wait 1 5000")

    def messages(self, group_id):
        events = self.cache.describe_events(SourceType="replication-group",
                                            SourceIdentifier=group_id, Duration=60)["Events"]
        return [event["Message"] for event in events]

    def export(self, snapshot, name):
        self.cache.copy_snapshot(SourceSnapshotName=snapshot, TargetSnapshotName=name,
                                 TargetBucket="exchange")
        return self.wait_snapshot(snapshot)

    def outcome(self, group_id, name):
        words = [text for text in self.messages(group_id) if "Export" in text]
        return words[0] if words else None  # the newest comes first

    def restored(self, group_id, key, **more):
        self.make_group(group_id, 1, SnapshotArns=[f"arn:aws:s3:::exchange/{key}"], **more)
        with self.region.session(shard_of(self.region.group(group_id))["PrimaryEndpoint"]) as s:
            return s.ask("dbsize")

    def test_out_and_in_again(self):
        self.make_group("small", 2)
        self.fill("small")
        self.take("small-snap", ReplicationGroupId="small")
        self.export("small-snap", "out")
        self.assertEqual(list(self.s3.buckets["exchange"]), ["out-0001.rdb"])
        self.assertTrue(self.s3.buckets["exchange"]["out-0001.rdb"].startswith(b"REDIS"))
        # A key that has to be encoded, once.
        self.s3.buckets["exchange"]["some where/ä+b.rdb"] = (
            self.s3.buckets["exchange"]["out-0001.rdb"])
        self.assertEqual(self.restored("back", "some where/ä+b.rdb"), 1000)
        self.refused("InvalidParameterValue", self.cache.copy_snapshot, message="already contains",
                     SourceSnapshotName="small-snap", TargetSnapshotName="out",
                     TargetBucket="exchange")
        self.refused("InvalidParameterValue", self.cache.copy_snapshot, message="does not exist",
                     SourceSnapshotName="small-snap", TargetSnapshotName="out",
                     TargetBucket="nowhere")

    def test_in_parts_through_failures(self):
        self.make_group("large", 2)
        self.fill("large", 30)
        self.take("large-snap", ReplicationGroupId="large")
        self.s3.faults = [("PUT", 500), ("PUT", 503), ("POST", 500), ("PUT", "cut")]
        self.export("large-snap", "large")
        data = self.s3.buckets["exchange"]["large-0001.rdb"]
        self.assertGreater(len(data), 16 * MIB)
        self.assertEqual(self.s3.faults, [])
        self.assertGreater(len([one for one in self.s3.requests if "partNumber=3" in one]), 0)
        self.s3.faults = [("GET", 500), ("GET", "cut")]
        self.assertEqual(self.restored("grown", "large-0001.rdb"), 1030)
        self.assertEqual(self.s3.faults, [])

    def test_what_does_not_work_is_told_and_leaves_nothing(self):
        self.make_group("unlucky", 2)
        self.fill("unlucky", 20)
        self.take("unlucky-snap", ReplicationGroupId="unlucky")
        files = sorted(os.listdir(os.path.join(self.region.data, "snapshots")))
        for faults, words in (([("PUT", 403)], "AccessDenied"), ([("PUT", 503)] * 4, "SlowDown"),
                              ([("PUT", "cut")] * 4, "")):
            with self.subTest(words):
                told = len(self.messages("unlucky"))
                self.s3.faults = list(faults)
                self.export("unlucky-snap", "lost")
                eventually(lambda t=told: len(self.messages("unlucky")) > t, "it is told")
                text = self.outcome("unlucky", "lost")
                self.assertIn("failed", text)
                self.assertIn(words, text)
                self.assertNotIn(SECRET, text)
                self.assertEqual(self.s3.buckets["exchange"], {})
                self.assertEqual(self.s3.uploads, {})
        self.s3.faults = []
        self.export("unlucky-snap", "good")
        data = self.s3.buckets["exchange"]["good-0001.rdb"]
        self.s3.buckets["exchange"]["half.rdb"] = data[:len(data) // 2]
        for key, faults, words in (
                ("none.rdb", [], "verify that the object exists"), ("half.rdb", [], "cut off"),
                ("good-0001.rdb", [("GET", 403)], "permission"),
                ("good-0001.rdb", [("GET", "cut")] * 4, "cannot be copied")):
            with self.subTest(words):
                self.s3.faults = list(faults)
                code = ("InsufficientCacheClusterCapacity" if words == "cannot be copied" else
                        "InvalidParameterValue")
                self.refused(code, self.cache.create_replication_group, message=words,
                             **self.network.group_arguments(
                                 ReplicationGroupId="never", NumCacheClusters=1,
                                 SnapshotArns=[f"arn:aws:s3:::exchange/{key}"]))
        self.s3.faults = []
        self.refused("ReplicationGroupNotFoundFault", self.region.group, "never")
        self.assertEqual(sorted(os.listdir(os.path.join(self.region.data, "snapshots"))), files)

    def test_hikae_killed_while_it_puts(self):
        self.make_group("killed", 2)
        self.fill("killed", 20)
        self.take("killed-snap", ReplicationGroupId="killed")
        before = len(self.s3.requests)
        self.cache.copy_snapshot(SourceSnapshotName="killed-snap", TargetSnapshotName="again",
                                 TargetBucket="exchange")
        eventually(lambda: any("partNumber=" in one for one in self.s3.requests[before:]),
                   "it puts a part", 20)
        self.region.kill()
        self.s3.uploads.clear()  # what it had begun; S3 lets it go by a rule of the bucket
        self.region.start()
        self.wait_snapshot("killed-snap")
        self.assertEqual(list(self.s3.buckets["exchange"]), ["again-0001.rdb"])
        self.s3.uploads.clear()
        self.assertIn("Exported", self.outcome("killed", "again"))

    def test_the_secret_is_nowhere_to_be_read(self):
        self.assertNotIn(SECRET, self.region.log_tail(100000))
        with open(f"/proc/{self.region.server.pid}/cmdline", "rb") as file:
            self.assertNotIn(SECRET.encode(), file.read())


class Refusals(RegionTestCase):
    """What is wrong with the configuration stops the start."""

    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def setUp(self):
        self.region = Region()
        self.addCleanup(self.region.dispose)

    def refusal(self, *arguments, **env):
        return self.region.hikae("serve", "--data", self.region.data, "--listen",
                                 self.region.host, *arguments,
                                 env={**os.environ, "HOME": self.region.directory, **env})

    def test_of_the_start(self):
        endpoint = ("--s3-endpoint", "http://127.0.0.1:9")
        for arguments, words in (
                (("--s3-endpoint", "127.0.0.1:9"), "http://HOST:PORT"),
                ((*endpoint, "--buckets", "/tmp/b"), "exclude each other"),
                (("--s3-region", "a"), "need s3.endpoint"),
                (endpoint, "HIKAE_S3_SECRET_ACCESS_KEY"),
                ((*endpoint, "--s3-credentials-file",
                  credentials_file(self.region.directory, 0o644)), "chmod 600")):
            with self.subTest(words):
                outcome = self.refusal(*arguments)
                self.assertNotEqual(outcome.code, 0)
                self.assertIn(words, outcome.err)
                self.assertNotIn(SECRET, outcome.err)
