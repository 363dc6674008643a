"""Groups and nodes are modified while clients write: nothing that was acknowledged is lost."""

import contextlib
import datetime
import shutil
import threading
import unittest

from support.waiting import eventually

from .test_failover import FailoverTestCase, Writer, primary_of, shard_of

ROLL_SECONDS = 60
BOTH_ENGINES = shutil.which("valkey-server") and shutil.which("redis-server")


class ModifyTestCase(FailoverTestCase):
    network_name = "modify"

    @contextlib.contextmanager
    def writing(self, group):
        """Writes all the time; at the end nothing acknowledged may be missing."""
        writer = Writer(self.region, shard_of(group)["PrimaryEndpoint"])
        writer.start()
        try:
            eventually(lambda: len(writer.acknowledged) > 200, "it writes", 10)
            yield writer
            written = len(writer.acknowledged)
            eventually(lambda: len(writer.acknowledged) > written + 200, "it writes on", 10)
        finally:
            lost = writer.finish()
        self.assertEqual(lost, [], f"of {len(writer.acknowledged)} acknowledged writes")

    def modify(self, group_id, **changes):
        changes.setdefault("ApplyImmediately", True)
        answer = self.cache.modify_replication_group(ReplicationGroupId=group_id, **changes)
        return answer["ReplicationGroup"]

    def to_valkey(self, group_id):
        """As a query: an old botocore does not know that the engine can be modified."""
        reply = self.region.query({"Action": "ModifyReplicationGroup", "Engine": "valkey",
                                   "ReplicationGroupId": group_id, "EngineVersion": "8.0",
                                   "ApplyImmediately": "true"})
        self.assertEqual(reply.status, 200, reply.text)

    def info_of(self, cluster_id, section):
        endpoint = self.region.cluster(cluster_id)["CacheNodes"][0]["Endpoint"]
        with self.region.session(endpoint) as session:
            return session.info(section)

    def own_parameters(self, name, family, **values):
        self.cache.create_cache_parameter_group(CacheParameterGroupName=name,
                                                CacheParameterGroupFamily=family, Description="d")
        self.addCleanup(self.cache.delete_cache_parameter_group, CacheParameterGroupName=name)
        if values:
            self.cache.modify_cache_parameter_group(
                CacheParameterGroupName=name,
                ParameterNameValues=[{"ParameterName": key.replace("_", "-"),
                                      "ParameterValue": value} for key, value in values.items()])


class NodeType(ModifyTestCase):
    def test_live(self):
        """Types that differ in memory alone: no process is replaced."""
        group = self.make("live", CacheNodeType="cache.t3.small")
        pids = set(self.region.nodes())
        fulls = self.sync_fulls(group)
        with self.writing(group):
            changing = self.modify("live", CacheNodeType="cache.t3.medium")
            self.assertEqual((changing["Status"], changing["CacheNodeType"]),
                             ("modifying", "cache.t3.small"))
            after = self.region.wait_group("live", 3, ROLL_SECONDS)
        self.assertEqual(after["CacheNodeType"], "cache.t3.medium")
        self.assertEqual(set(self.region.nodes()), pids)
        self.assertEqual(self.sync_fulls(group), fulls)
        for name in after["MemberClusters"]:
            self.assertEqual(self.region.cluster(name)["CacheNodeType"], "cache.t3.medium")
            self.assertEqual(int(self.info_of(name, "memory")["maxmemory"]),
                             int(3317862236 * 3 / 4))
        self.assertIn("Succeeded applying modification to cache node type to cache.t3.medium.",
                      self.events_of("replication-group", "live"))

    def test_rolled(self):
        """Another number of clients needs new processes: one after the other, the primary last."""
        group = self.make("rolled", CacheNodeType="cache.t3.micro")
        first = primary_of(group)
        pids = set(self.region.nodes())
        with self.writing(group):
            self.modify("rolled", CacheNodeType="cache.t3.small")
            after = self.region.wait_group("rolled", 3, ROLL_SECONDS)
            self.wait_whole(group)
        self.assertFalse(set(self.region.nodes()) & pids)
        self.assertEqual(after["MemberClusters"], group["MemberClusters"])
        self.assertNotEqual(primary_of(after), first)
        self.assertEqual(len(self.failovers_of("rolled")), 1)
        (report,) = eventually(lambda: self.reports_of("rolled"), "a report", 10)
        self.assertTrue(report["planned"])
        self.assertEqual(report["bytes_at_risk"], 0)
        for name in after["MemberClusters"]:
            self.assertEqual(int(self.info_of(name, "memory")["maxmemory"]),
                             int(1471026299 * 3 / 4))
        # Each new process took one whole copy, and from none it was taken twice.
        self.assertEqual(sum(self.sync_fulls(group).values()), 1)

    def test_too_small_for_the_data(self):
        self.own_parameters("narrow", "redis7", reserved_memory_percent="99")
        group = self.make("full", CacheNodeType="cache.t3.small", CacheParameterGroupName="narrow")
        with self.region.session(shard_of(group)["PrimaryEndpoint"]) as session:
            for number in range(3):
                session.ask(f"setrange big:{number} {1024 * 1024} x")
        with self.writing(group):
            self.modify("full", CacheNodeType="cache.t3.micro")
            after = self.region.wait_group("full", 3, ROLL_SECONDS)
        self.assertEqual(after["CacheNodeType"], "cache.t3.small")
        self.assertTrue([message for message in self.events_of("replication-group", "full")
                         if message.startswith("Failed to scale down to cache node type "
                                               "cache.t3.micro Replication Group [full] because "
                                               "the node has insufficient memory")])

    def test_standalone(self):
        cluster = self.make_cluster("alone", CacheNodeType="cache.t3.micro", EngineVersion="7.1")
        endpoint = cluster["CacheNodes"][0]["Endpoint"]
        with self.region.session(endpoint) as session:
            session.ask("set kept yes")
        pids = set(self.region.nodes())
        answer = self.cache.modify_cache_cluster(
            CacheClusterId="alone", CacheNodeType="cache.t3.small",
            ApplyImmediately=True)["CacheCluster"]
        self.assertEqual(answer["CacheClusterStatus"], "modifying")
        self.assertEqual(answer["PendingModifiedValues"], {"CacheNodeType": "cache.t3.small"})
        after = self.region.wait_cluster("alone")
        self.assertEqual((after["CacheNodeType"], after["PendingModifiedValues"]),
                         ("cache.t3.small", {}))
        self.assertEqual(after["CacheNodes"][0]["Endpoint"], endpoint)
        self.assertFalse(set(self.region.nodes()) & pids, "it was restarted")
        with self.region.session(endpoint) as session:
            self.assertEqual(session.ask("get kept"), "yes")
        self.cache.reboot_cache_cluster(CacheClusterId="alone", CacheNodeIdsToReboot=["0001"])
        self.region.wait_cluster("alone")
        with self.region.session(endpoint) as session:
            self.assertIsNone(session.ask("get kept"), "a reboot loses the memory as before")


class Parameters(ModifyTestCase):
    def test_some_need_a_reboot(self):
        self.own_parameters("reboots", "redis2.8", maxmemory_policy="allkeys-lru",
                            activerehashing="no")
        group = self.make_group("params", 3)
        pids = set(self.region.nodes())
        with self.writing(group):
            self.modify("params", CacheParameterGroupName="reboots")
            after = self.region.wait_group("params", 3, ROLL_SECONDS)
            for member in after["MemberClusters"]:
                shown = self.region.cluster(member)["CacheParameterGroup"]
                self.assertEqual((shown["CacheParameterGroupName"],
                                  shown["ParameterApplyStatus"], shown["CacheNodeIdsToReboot"]),
                                 ("reboots", "pending-reboot", ["0001"]))
                self.assertEqual(self.info_of(member, "memory")["maxmemory_policy"], "allkeys-lru")
            self.assertEqual(set(self.region.nodes()), pids, "nothing is restarted unasked")
            replica = next(m for m in after["MemberClusters"] if m != primary_of(after))
            self.cache.reboot_cache_cluster(CacheClusterId=replica, CacheNodeIdsToReboot=["0001"])
            rebooted = self.region.wait_cluster(replica)["CacheParameterGroup"]
            self.assertEqual(rebooted["ParameterApplyStatus"], "in-sync")
        self.assertEqual(self.failovers_of("params"), [])
        self.refused("InvalidCacheParameterGroupState", self.cache.delete_cache_parameter_group,
                     CacheParameterGroupName="reboots")
        self.drop_group("params")


class Engine(ModifyTestCase):
    def engine_of(self, cluster_id):
        server = self.info_of(cluster_id, "server")
        return "valkey" if "valkey_version" in server else "redis"

    @unittest.skipUnless(BOTH_ENGINES, "needs Redis and Valkey")
    def test_redis_becomes_valkey(self):
        group = self.make("valkey", CacheNodeType="cache.t3.small")
        self.assertEqual({self.engine_of(name) for name in group["MemberClusters"]}, {"redis"})
        with self.writing(group):
            self.to_valkey("valkey")
            after = self.region.wait_group("valkey", 3, ROLL_SECONDS)
            self.wait_whole(group)
        for name in after["MemberClusters"]:
            cluster = self.region.cluster(name)
            self.assertEqual((cluster["Engine"], cluster["EngineVersion"],
                              cluster["CacheParameterGroup"]["CacheParameterGroupName"],
                              cluster["CacheParameterGroup"]["ParameterApplyStatus"]),
                             ("valkey", "8.0.1", "default.valkey8", "in-sync"))
            self.assertEqual(self.engine_of(name), "valkey")
            self.assertIn("Cache cluster patched", self.events_of("cache-cluster", name))
        self.assertEqual(len(self.failovers_of("valkey")), 1)

    @unittest.skipUnless(BOTH_ENGINES, "needs Redis and Valkey")
    def test_the_only_node_keeps_its_data(self):
        group = self.make_group("single", 1, EngineVersion="7.1", CacheNodeType="cache.t3.small")
        with self.writing(group):
            self.to_valkey("single")
            self.region.wait_group("single", 1, ROLL_SECONDS)
        self.assertEqual(self.engine_of("single-001"), "valkey")

    def test_a_label(self):
        """The same program serves both versions, so it goes on."""
        group = self.make_group("label", 2, EngineVersion="7.0", CacheNodeType="cache.t3.small")
        pids = set(self.region.nodes())
        self.modify("label", EngineVersion="7.1")
        after = self.region.wait_group("label", 2, ROLL_SECONDS)
        self.assertEqual(set(self.region.nodes()), pids)
        self.assertEqual(primary_of(after), primary_of(group))
        self.assertEqual(self.region.cluster("label-001")["EngineVersion"], "7.1.0")

    @unittest.skipUnless(BOTH_ENGINES, "needs Redis and Valkey")
    def test_hikae_dies_in_the_middle(self):
        group = self.make("middle", CacheNodeType="cache.t3.small")
        with self.writing(group):
            self.to_valkey("middle")
            for delay in (5, 60, 200, 400):
                threading.Event().wait(delay / 1000)  # to strike at that time is the point
                self.region.kill()
                self.region.start()
            after = self.region.wait_group("middle", 3, ROLL_SECONDS)
            self.wait_whole(group)
        self.assertEqual({self.engine_of(name) for name in after["MemberClusters"]}, {"valkey"})
        self.assertEqual(after["MemberClusters"], group["MemberClusters"])


class Replicas(ModifyTestCase):
    def test_two_three_one(self):
        group = self.make("count")
        with self.writing(group):
            grown = self.cache.increase_replica_count(
                ReplicationGroupId="count", NewReplicaCount=3,
                ApplyImmediately=True)["ReplicationGroup"]
            self.assertEqual(grown["Status"], "modifying")
            self.assertEqual(grown["MemberClusters"], [f"count-00{n}" for n in (1, 2, 3, 4)])
            self.region.wait_group("count", 4, ROLL_SECONDS)
            self.cache.decrease_replica_count(ReplicationGroupId="count", NewReplicaCount=1,
                                              ApplyImmediately=True)
            after = self.region.wait_group("count", 2, ROLL_SECONDS)
        self.assertEqual(primary_of(after), primary_of(group))
        self.assertEqual(self.failovers_of("count"), [])
        self.assertEqual(len(self.region.nodes()), 2)


class Maintenance(ModifyTestCase):
    def window(self, hours):
        """An hour that begins in so many hours, give or take a half."""
        now = datetime.datetime.now(datetime.timezone.utc)
        begin = now + datetime.timedelta(hours=hours, minutes=-30)
        end = begin + datetime.timedelta(hours=1)
        snapshot = begin + datetime.timedelta(hours=6)
        stop = snapshot + datetime.timedelta(hours=1)
        return {"PreferredMaintenanceWindow": f"{begin:%a:%H:%M}-{end:%a:%H:%M}",
                "SnapshotWindow": f"{snapshot:%H:%M}-{stop:%H:%M}"}

    def test_window(self):
        self.make("window", CacheNodeType="cache.t3.small", **self.window(48))
        self.modify("window", CacheNodeType="cache.t3.medium", EngineVersion="7.1",
                    ApplyImmediately=False)
        waiting = self.region.wait_group("window", 3)
        self.assertEqual(waiting["CacheNodeType"], "cache.t3.small")
        for name in waiting["MemberClusters"]:
            cluster = self.region.cluster(name)
            self.assertEqual((cluster["CacheNodeType"], cluster["PendingModifiedValues"]),
                             ("cache.t3.small", {"CacheNodeType": "cache.t3.medium"}))
        self.modify("window", ApplyImmediately=False, **self.window(0))

        def applied():
            group = self.region.wait_group("window", 3, ROLL_SECONDS)
            return group["CacheNodeType"] == "cache.t3.medium"

        eventually(applied, "the window brings the change", ROLL_SECONDS)
        self.assertEqual(self.region.cluster("window-002")["PendingModifiedValues"], {})
