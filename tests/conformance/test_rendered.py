"""Parameters reach the engines: at the start, live, and by a reboot."""

import os

from support import processes
from support.case import RegionTestCase
from support.waiting import eventually


class Rendered(RegionTestCase):
    network_name = "rendered"

    def custom_group(self, name, family="redis2.8", **values):
        self.cache.create_cache_parameter_group(CacheParameterGroupName=name,
                                                CacheParameterGroupFamily=family, Description="d")
        self.addCleanup(self.cache.delete_cache_parameter_group, CacheParameterGroupName=name)
        if values:
            self.modify(name, **values)

    def modify(self, name, **values):
        self.cache.modify_cache_parameter_group(
            CacheParameterGroupName=name,
            ParameterNameValues=[{"ParameterName": key.replace("_", "-"), "ParameterValue": value}
                                 for key, value in values.items()])

    def memory(self, cluster_id):
        endpoint = self.region.cluster(cluster_id)["CacheNodes"][0]["Endpoint"]
        with self.region.session(endpoint) as session:
            return session.info("memory")

    def test_maxmemory_of_the_node_type(self):
        for node_type, version, expected in (
                ("cache.m3.medium", "2.8.6", 2988441600),
                ("cache.t3.micro", "7.1", int(536870912 * 3 / 4))):
            name = "mem-" + node_type.split(".")[1]
            with self.subTest(node_type):
                self.make_cluster(name, CacheNodeType=node_type, EngineVersion=version)
                self.assertEqual(int(self.memory(name)["maxmemory"]), expected)

    def test_reserved_memory(self):
        self.custom_group("reserved", reserved_memory="1000000000")
        self.make_cluster("less", CacheParameterGroupName="reserved")
        self.assertEqual(int(self.memory("less")["maxmemory"]), 2988441600 - 1000000000)

    def test_a_group_of_the_customers_own(self):
        self.custom_group("own", maxmemory_policy="allkeys-lru")
        self.make_group("own", 2, CacheParameterGroupName="own")
        for member in ("own-001", "own-002"):
            self.assertEqual(self.memory(member)["maxmemory_policy"], "allkeys-lru")
        self.assertEqual(self.region.cluster("own-001")["CacheParameterGroup"]
                         ["CacheParameterGroupName"], "own")

    def test_a_change_reaches_running_nodes(self):
        self.custom_group("live")
        self.make_group("live", 2, CacheParameterGroupName="live")
        pids = set(self.region.nodes())
        self.assertEqual(self.memory("live-001")["maxmemory_policy"], "volatile-lru")
        self.modify("live", maxmemory_policy="allkeys-random")
        for member in ("live-001", "live-002"):
            eventually(lambda m=member: self.memory(m)["maxmemory_policy"] == "allkeys-random",
                       f"the new policy has reached {member}", 10)

            def in_sync(m=member):
                state = self.region.cluster(m)["CacheParameterGroup"]["ParameterApplyStatus"]
                return state == "in-sync"

            eventually(in_sync, f"{member} is in-sync", 10)
        self.cache.reset_cache_parameter_group(CacheParameterGroupName="live",
                                               ResetAllParameters=True)
        eventually(lambda: self.memory("live-001")["maxmemory_policy"] == "volatile-lru",
                   "the default is back", 10)
        self.assertEqual(set(self.region.nodes()), pids)

    def test_a_change_that_needs_a_reboot(self):
        self.custom_group("later")
        self.make_cluster("later", CacheParameterGroupName="later")
        groups = self.cache.describe_cache_parameters(CacheParameterGroupName="later")
        changes = {p["ParameterName"]: p for p in groups["Parameters"]}
        name, value = next((n, p) for n, p in (("lua-time-limit", "1000"), ("slave-allow-chaining",
                           "no"), ("tcp-keepalive", "60"), ("activerehashing", "no"))
                           if changes.get(n, {}).get("IsModifiable")
                           and changes[n]["ChangeType"] == "requires-reboot")
        self.modify("later", **{name.replace("-", "_"): value})

        def status():
            return self.region.cluster("later")

        eventually(lambda: status()["CacheParameterGroup"]["ParameterApplyStatus"]
                   == "pending-reboot", "pending-reboot is shown", 10)
        self.assertEqual(status()["CacheParameterGroup"]["CacheNodeIdsToReboot"], ["0001"])
        self.assertEqual(status()["CacheNodes"][0]["ParameterGroupStatus"], "pending-reboot")
        self.cache.reboot_cache_cluster(CacheClusterId="later", CacheNodeIdsToReboot=["0001"])
        after = self.region.wait_cluster("later")
        self.assertEqual(after["CacheParameterGroup"]["ParameterApplyStatus"], "in-sync")
        self.assertEqual(after["CacheParameterGroup"]["CacheNodeIdsToReboot"], [])

    def test_unprivileged_when_started_as_root(self):
        if os.geteuid() != 0:
            self.skipTest("not root")
        before = set(self.region.nodes())
        self.make_cluster("humble")
        for pid in set(self.region.nodes()) - before:
            self.assertNotEqual(processes.user_of(pid), 0)
