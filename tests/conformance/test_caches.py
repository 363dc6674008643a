"""Replication groups and cache clusters: answers, states, refusals, pages."""

import datetime
import re

from support import processes
from support.case import RegionTestCase
from support.inline import RedisError
from support.network import ZONES
from support.waiting import eventually

WINDOW = re.compile(r"^(mon|tue|wed|thu|fri|sat|sun):\d\d:\d\d-(mon|tue|wed|thu|fri|sat|sun):"
                    r"\d\d:\d\d$")


class Caches(RegionTestCase):
    network_name = "caches"

    def create_group(self, **more):
        return self.cache.create_replication_group(**self.network.group_arguments(**more))

    def create_cluster(self, **more):
        return self.cache.create_cache_cluster(**self.network.cluster_arguments(**more))

    # Answers

    def test_answers_of_a_group(self):
        made = self.create_group(
            ReplicationGroupId="Answers", NumCacheClusters=2, AutomaticFailoverEnabled=True,
            MultiAZEnabled=True, Engine="redis", EngineVersion="7.1", Port=6401,
            PreferredMaintenanceWindow="Sun:05:00-Sun:06:00",
            CacheNodeType="cache.t3.small")["ReplicationGroup"]
        self.addCleanup(self.drop_group, "answers")
        self.assertEqual(made["ReplicationGroupId"], "answers")
        self.assertEqual((made["Status"], made["MultiAZ"]), ("creating", "enabled"))
        self.assertTrue(made["ARN"].endswith(":replicationgroup:answers"))
        for absent in ("NodeGroups", "ConfigurationEndpoint"):
            self.assertNotIn(absent, made)
        group = self.region.wait_group("answers", 2)
        expected = {"Description": "of a test", "AutomaticFailover": "enabled",
                    "MultiAZ": "enabled", "ClusterEnabled": False,
                    "CacheNodeType": "cache.t3.small", "AtRestEncryptionEnabled": False,
                    "TransitEncryptionEnabled": False, "AuthTokenEnabled": False,
                    "PendingModifiedValues": {}, "ARN": made["ARN"], "SnapshotRetentionLimit": 0}
        self.assertEqual({name: group.get(name) for name in expected}, expected)
        self.assertNotIn("ConfigurationEndpoint", group)
        member = group["NodeGroups"][0]["NodeGroupMembers"][0]
        self.assertEqual(set(member), {"CacheClusterId", "CacheNodeId", "ReadEndpoint",
                                       "PreferredAvailabilityZone", "CurrentRole"})

        cluster = self.region.cluster("answers-001")
        expected = {"CacheClusterStatus": "available", "Engine": "redis",
                    "CacheNodeType": "cache.t3.small", "NumCacheNodes": 1,
                    "ReplicationGroupId": "answers", "CacheSubnetGroupName": "caches",
                    "PreferredMaintenanceWindow": "sun:05:00-sun:06:00",
                    "AutoMinorVersionUpgrade": True, "PendingModifiedValues": {},
                    "SecurityGroups": [{"SecurityGroupId": self.network.security_group,
                                        "Status": "active"}],
                    "CacheSecurityGroups": [], "TransitEncryptionEnabled": False,
                    "AtRestEncryptionEnabled": False, "AuthTokenEnabled": False}
        self.assertEqual({name: cluster.get(name) for name in expected}, expected)
        self.assertEqual(cluster["EngineVersion"], "7.1.0")
        self.assertEqual(cluster["CacheParameterGroup"],
                         {"CacheParameterGroupName": "default.redis7",
                          "ParameterApplyStatus": "in-sync", "CacheNodeIdsToReboot": []})
        self.assertNotIn("ConfigurationEndpoint", cluster)
        self.assertRegex(cluster["ClientDownloadLandingPage"], "^https://")
        node = cluster["CacheNodes"][0]
        self.assertEqual((node["CacheNodeId"], node["CacheNodeStatus"],
                          node["ParameterGroupStatus"], node["Endpoint"]["Port"]),
                         ("0001", "available", "in-sync", 6401))
        self.assertEqual(node["CustomerAvailabilityZone"], cluster["PreferredAvailabilityZone"])
        age = datetime.datetime.now(datetime.timezone.utc) - cluster["CacheClusterCreateTime"]
        self.assertLess(abs(age.total_seconds()), 60)

    def test_answers_of_a_cluster(self):
        made = self.create_cluster(CacheClusterId="Alone", Port=6402)["CacheCluster"]
        self.addCleanup(self.drop_cluster, "alone")
        self.assertEqual((made["CacheClusterId"], made["CacheClusterStatus"]),
                         ("alone", "creating"))
        for absent in ("CacheNodes", "ConfigurationEndpoint", "CacheClusterCreateTime"):
            self.assertNotIn(absent, made)
        self.assertRegex(made["PreferredMaintenanceWindow"], WINDOW)
        ready = self.region.wait_cluster("alone")
        self.assertEqual(ready["EngineVersion"], "2.8.6")
        self.assertRegex(ready["CacheNodes"][0]["Endpoint"]["Address"],
                         r"^alone\.[a-z0-9]{6}\.0001\.apne1\.cache\.hikae\.internal$")
        without = self.cache.describe_cache_clusters(CacheClusterId="ALONE")["CacheClusters"][0]
        self.assertFalse(without.get("CacheNodes"))

    def test_visible_at_once(self):
        """Crossplane and Terraform describe right after create."""
        self.create_group(ReplicationGroupId="at-once", NumCacheClusters=2)
        self.addCleanup(self.drop_group, "at-once")
        group = self.region.group("at-once")
        self.assertIn(group["Status"], ("creating", "available"))
        self.assertIn(self.region.cluster("at-once-002")["CacheClusterStatus"],
                      ("creating", "available"))

    def test_valkey_and_the_newest_version(self):
        self.create_group(ReplicationGroupId="newest", Engine="valkey", EngineVersion="8.0",
                          CacheNodeType="cache.t3.micro", NumCacheClusters=1, Port=6403)
        self.addCleanup(self.drop_group, "newest")
        self.region.wait_group("newest", 1)
        cluster = self.region.cluster("newest-001")
        self.assertEqual(cluster["Engine"], "valkey")
        self.assertTrue(cluster["EngineVersion"].startswith("8.0"), cluster["EngineVersion"])
        self.assertEqual(cluster["CacheParameterGroup"]["CacheParameterGroupName"],
                         "default.valkey8")
        with self.region.session(cluster["CacheNodes"][0]["Endpoint"]) as session:
            self.assertEqual(session.ask("ping"), "PONG")

    def test_preferred_zones_are_kept_in_order(self):
        for number, zones in enumerate(([ZONES[1], ZONES[0]], [ZONES[1], ZONES[1]])):
            with self.subTest(zones):
                name = f"zones-{number}"
                self.create_group(ReplicationGroupId=name, NumCacheClusters=2,
                                  PreferredCacheClusterAZs=zones)
                self.addCleanup(self.drop_group, name)
                members = self.region.wait_group(name, 2)["NodeGroups"][0]["NodeGroupMembers"]
                self.assertEqual([m["PreferredAvailabilityZone"] for m in members], zones)
                self.assertEqual(members[0]["CurrentRole"], "primary")

    def test_primaries_of_groups_are_balanced(self):
        zones = []
        for number in range(4):
            name = f"balance-{number}"
            self.create_group(ReplicationGroupId=name, NumCacheClusters=2)
            self.addCleanup(self.drop_group, name)
            members = self.region.wait_group(name, 2)["NodeGroups"][0]["NodeGroupMembers"]
            self.assertNotEqual(*(m["PreferredAvailabilityZone"] for m in members))
            zones += [m["PreferredAvailabilityZone"] for m in members
                      if m["CurrentRole"] == "primary"]
        self.assertEqual(sorted(zones), sorted(ZONES * 2))

    # Members come and go

    def test_replica_joins_and_leaves(self):
        self.make_group("joined", 2)
        answer = self.cache.create_cache_cluster(CacheClusterId="joined-extra",
                                                 ReplicationGroupId="joined")["CacheCluster"]
        self.assertEqual((answer["ReplicationGroupId"], answer["Engine"],
                          answer["CacheNodeType"], answer["CacheSubnetGroupName"]),
                         ("joined", "redis", "cache.m3.medium", "caches"))
        group = self.region.wait_group("joined", 3)
        self.assertEqual(group["MemberClusters"], ["joined-001", "joined-002", "joined-extra"])
        with self.region.session(group["NodeGroups"][0]["PrimaryEndpoint"]) as session:
            self.assertEqual(session.info("replication")["connected_slaves"], "2")
        deleted = self.cache.delete_cache_cluster(CacheClusterId="joined-002")["CacheCluster"]
        self.assertEqual(deleted["CacheClusterStatus"], "deleting")
        self.region.wait_cluster_gone("joined-002")
        self.region.wait_group("joined", 2)
        self.refused("InvalidCacheClusterState", self.cache.delete_cache_cluster,
                     CacheClusterId="joined-001", message="serving as primary")
        self.refused("InvalidCacheClusterState", self.cache.delete_cache_cluster,
                     CacheClusterId="joined-extra", message="it is the only read replica")

    def test_only_member_stays(self):
        self.make_group("lonely", 1)
        self.refused("InvalidCacheClusterState", self.cache.delete_cache_cluster,
                     CacheClusterId="lonely-001",
                     message="since it is the only member of a replication group")

    def test_retain_primary(self):
        group = self.make_group("retain", 2)
        with self.region.session(group["NodeGroups"][0]["PrimaryEndpoint"]) as session:
            session.ask("set kept yes")
        before = set(self.region.nodes())
        self.cache.delete_replication_group(ReplicationGroupId="retain", RetainPrimaryCluster=True)
        self.addCleanup(self.drop_cluster, "retain-001")
        self.region.wait_group_gone("retain")
        cluster = self.region.wait_cluster("retain-001")
        self.assertNotIn("ReplicationGroupId", cluster)
        self.refused("CacheClusterNotFound", self.cache.describe_cache_clusters,
                     CacheClusterId="retain-002")
        with self.region.session(cluster["CacheNodes"][0]["Endpoint"]) as session:
            self.assertEqual(session.ask("get kept"), "yes")
            self.assertEqual(session.info("replication")["role"], "master")
        self.assertEqual(len(before - set(self.region.nodes())), 1)

    def test_show_clusters_not_in_groups(self):
        self.make_group("ingroup", 1)
        self.make_cluster("single")
        found = self.cache.describe_cache_clusters(ShowCacheClustersNotInReplicationGroups=True)
        names = [cluster["CacheClusterId"] for cluster in found["CacheClusters"]]
        self.assertIn("single", names)
        self.assertNotIn("ingroup-001", names)
        names = [cluster["CacheClusterId"] for cluster in
                 self.cache.describe_cache_clusters()["CacheClusters"]]
        self.assertTrue({"single", "ingroup-001"} <= set(names))

    def test_reboot_empties_a_node(self):
        cluster = self.make_cluster("rebooted")
        endpoint = cluster["CacheNodes"][0]["Endpoint"]
        with self.region.session(endpoint) as session:
            session.ask("set here now")
        pids = set(self.region.nodes())
        answer = self.cache.reboot_cache_cluster(CacheClusterId="rebooted",
                                                 CacheNodeIdsToReboot=["0001"])["CacheCluster"]
        self.assertEqual(answer["CacheClusterStatus"], "rebooting cluster nodes")
        again = self.region.wait_cluster("rebooted")
        self.assertEqual(again["CacheNodes"][0]["Endpoint"], endpoint)
        self.assertNotEqual(set(self.region.nodes()), pids)
        with self.region.session(endpoint) as session:
            self.assertIsNone(session.ask("get here"))
        self.refused("InvalidParameterValue", self.cache.reboot_cache_cluster,
                     CacheClusterId="rebooted", CacheNodeIdsToReboot=["0002"])
        self.refused("CacheClusterNotFound", self.cache.reboot_cache_cluster, status=404,
                     CacheClusterId="absent", CacheNodeIdsToReboot=["0001"])

    def test_a_reboot_of_a_primary_does_not_fail_over(self):
        self.make_group("rebootgroup", 2)
        self.cache.reboot_cache_cluster(CacheClusterId="rebootgroup-001",
                                        CacheNodeIdsToReboot=["0001"])
        group = self.region.wait_group("rebootgroup", 2)
        self.assertEqual(group["NodeGroups"][0]["NodeGroupMembers"][0]["CurrentRole"], "primary")

        def linked():
            with self.region.session(group["NodeGroups"][0]["PrimaryEndpoint"]) as session:
                return session.info("replication")["connected_slaves"] == "1"

        eventually(linked, "the replica follows its primary again")

    # Refusals

    def test_group_refusals(self):
        self.make_group("taken", 1)
        create = self.create_group
        self.refused("ReplicationGroupAlreadyExists", create, ReplicationGroupId="TAKEN",
                     NumCacheClusters=1)
        for name in ("1abc", "a--b", "ab-", "a_b", "a" * 41):
            with self.subTest(name):
                self.refused("InvalidParameterValue", create, ReplicationGroupId=name,
                             NumCacheClusters=1)
        cases = [
            ("InvalidParameterValue", {"NumCacheClusters": 7}),
            ("InvalidParameterCombination", {"NumCacheClusters": 1,
                                             "AutomaticFailoverEnabled": True}),
            ("InvalidParameterCombination", {"NumCacheClusters": 2, "MultiAZEnabled": True}),
            ("InvalidParameterCombination", {"NumCacheClusters": 2,
                                             "AutomaticFailoverEnabled": True,
                                             "CacheNodeType": "cache.t1.micro"}),
            ("InvalidParameterCombination", {"NumCacheClusters": 1, "EngineVersion": "2.8.99"}),
            ("InvalidParameterValue", {"NumCacheClusters": 1, "EngineVersion": "6.2.6"}),
            ("InvalidParameterCombination", {
                "NumCacheClusters": 1, "CacheParameterGroupName": "default.redis7"}),
            ("CacheParameterGroupNotFound", {"NumCacheClusters": 1,
                                             "CacheParameterGroupName": "absent"}),
            ("CacheSubnetGroupNotFoundFault", {"NumCacheClusters": 1,
                                               "CacheSubnetGroupName": "absent"}),
            ("InvalidParameterValue", {"NumCacheClusters": 1,
                                       "SecurityGroupIds": ["sg-0123456789abcdef0"]}),
            ("InvalidParameterValue", {"NumCacheClusters": 1, "CacheNodeType": "cache.z9.huge"}),
            ("InvalidParameterValue", {"NumCacheClusters": 1, "Port": 70000}),
            ("InvalidParameterValue", {"NumCacheClusters": 1,
                                       "PreferredMaintenanceWindow": "whenever"}),
            ("InvalidParameterCombination", {"NumCacheClusters": 2,
                                             "PreferredCacheClusterAZs": [ZONES[0]]}),
            ("InvalidParameterValue", {"NumCacheClusters": 1,
                                       "PreferredCacheClusterAZs": ["ap-northeast-1a"]}),
        ]
        for code, arguments in cases:
            with self.subTest(**arguments):
                self.refused(code, create, ReplicationGroupId="refused", **arguments)
        self.refused("CacheClusterNotFound", self.cache.create_replication_group,
                     ReplicationGroupId="x", ReplicationGroupDescription="d",
                     PrimaryClusterId="absent", status=404)
        self.refused("InvalidCacheClusterState", self.cache.create_replication_group,
                     ReplicationGroupId="x", ReplicationGroupDescription="d",
                     PrimaryClusterId="taken-001")
        self.refused("ReplicationGroupNotFoundFault", self.cache.describe_replication_groups,
                     ReplicationGroupId="refused", status=404,
                     message="ReplicationGroup refused not found.")

    def test_wishes_not_built_are_refused(self):
        """Refusing is honest; storing a wish and doing nothing is not."""
        for wish in ({"NumNodeGroups": 3}, {"DataTieringEnabled": True}):
            with self.subTest(**wish):
                message = self.refused("InvalidParameterCombination", self.create_group,
                                       ReplicationGroupId="wish", **wish)
                self.assertIn(next(iter(wish)), message)

    def test_cluster_refusals(self):
        self.make_cluster("exists")
        self.refused("CacheClusterAlreadyExists", self.create_cluster, CacheClusterId="exists")
        for arguments in ({"NumCacheNodes": 2}, {"Engine": "valkey"}, {"Engine": "mongo"},
                          {"PreferredAvailabilityZone": "ap-northeast-1x"}):
            with self.subTest(**arguments):
                self.refused("InvalidParameterValue", self.create_cluster, CacheClusterId="bad",
                             **{"EngineVersion": "7.1", **arguments})
        self.refused("ReplicationGroupNotFoundFault", self.cache.create_cache_cluster, status=404,
                     CacheClusterId="bad", ReplicationGroupId="absent")
        self.refused("CacheClusterNotFound", self.cache.describe_cache_clusters, status=404,
                     CacheClusterId="bad", message="CacheCluster not found: bad")
        self.refused("CacheClusterNotFound", self.cache.delete_cache_cluster, status=404,
                     CacheClusterId="bad")
        self.refused("ReplicationGroupNotFoundFault", self.cache.delete_replication_group,
                     ReplicationGroupId="absent", status=404)

    def test_a_group_has_at_most_six_members(self):
        self.make_group("six", 6)
        self.refused("NodeQuotaForClusterExceeded", self.cache.create_cache_cluster,
                     CacheClusterId="seventh", ReplicationGroupId="six")

    def test_states_forbid(self):
        self.create_group(ReplicationGroupId="busy", NumCacheClusters=2)
        self.region.wait_group("busy", 2)
        self.cache.delete_replication_group(ReplicationGroupId="busy")
        try:
            self.cache.delete_replication_group(ReplicationGroupId="busy")
            self.fail("deleted twice")
        except (self.cache.exceptions.InvalidReplicationGroupStateFault,
                self.cache.exceptions.ReplicationGroupNotFoundFault):
            pass
        self.region.wait_group_gone("busy")

    # Pages

    def test_pages_of_clusters_and_groups(self):
        """With single nodes, since only their number matters here."""
        names = [f"pg-{number:02}" for number in range(22)]
        for name in names:
            self.create_group(ReplicationGroupId=name, NumCacheClusters=1,
                              CacheNodeType="cache.t2.micro")
            self.addCleanup(self.drop_group, name)
        for name in names:
            self.region.wait_group(name, 1)
        for name in names:
            self.addCleanup(lambda n=name: self.cache.delete_replication_group(
                ReplicationGroupId=n))
        for call, key, field, expected in (
                ("describe_replication_groups", "ReplicationGroups", "ReplicationGroupId", names),
                ("describe_cache_clusters", "CacheClusters", "CacheClusterId",
                 [name + "-001" for name in names])):
            pages = list(self.cache.get_paginator(call).paginate(
                PaginationConfig={"PageSize": 20}))
            self.assertEqual([len(page[key]) for page in pages], [20, 2], call)
            self.assertEqual([item[field] for page in pages for item in page[key]], expected)
            self.refused("InvalidParameterValue", getattr(self.cache, call), Marker="x")
            self.refused("InvalidParameterValue", getattr(self.cache, call), MaxRecords=5)
        listed = self.region.aws("elasticache", "describe-replication-groups", "--page-size", "20",
                                 "--query", "length(ReplicationGroups)").ok()
        self.assertEqual(listed.out.strip(), "22")

    # What runs

    def test_one_process_for_each_node(self):
        before = set(self.region.nodes())
        self.make_group("procs", 3)
        new = set(self.region.nodes()) - before
        self.assertEqual(len(new), 3)
        for pid in new:
            self.assertRegex(processes.command_line(pid), "(valkey|redis)-server")
        self.drop_group("procs")
        self.assertEqual(set(self.region.nodes()), before)

    def test_restricted_commands(self):
        endpoint = self.make_cluster("guarded")["CacheNodes"][0]["Endpoint"]
        with self.region.session(endpoint) as session:
            # Redis looks at its own switch for DEBUG before it looks at the user's rights.
            refusal = "^(NOPERM|ERR unknown command|ERR DEBUG command not allowed)"
            for command in ("config get maxmemory", "config set maxmemory 0", "debug sleep 0",
                            "replicaof no one", "slaveof no one", "save", "bgsave",
                            "bgrewriteaof", "shutdown nosave", "sync", "migrate a 1 k 0 1",
                            "psync ? -1", "acl setuser x on", "acl load", "acl save"):
                with self.subTest(command):
                    with self.assertRaisesRegex(RedisError, refusal):
                        session.ask(command)
            self.assertEqual(session.ask("ping"), "PONG")
            self.assertEqual(session.ask("eval \"return 1\" 0"), 1)
            self.assertEqual(session.ask("acl whoami"), "default")
            self.assertGreaterEqual(session.ask("dbsize"), 0)
