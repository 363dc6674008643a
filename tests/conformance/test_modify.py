"""Groups, clusters and replica counts are modified: answers, states, refusals, idempotence."""

from datetime import datetime, timedelta, timezone

from support.case import RegionTestCase
from support.network import ZONES
from support.waiting import eventually

TOPIC = "arn:aws:sns:ap-northeast-1:123456789012:topic"


def window_in_three_days():
    """One that does not open during a test; what a group draws itself may be open now."""
    day = (datetime.now(timezone.utc) + timedelta(days=3)).strftime("%a").lower()
    return f"{day}:10:00-{day}:11:00"


class Modify(RegionTestCase):
    network_name = "modifying"

    def group_of_two(self, name, **more):
        more.setdefault("EngineVersion", "7.1")
        more.setdefault("CacheNodeType", "cache.t3.small")
        return self.make_group(name, 2, **more)

    def modify(self, name, **changes):
        return self.cache.modify_replication_group(ReplicationGroupId=name,
                                                   **changes)["ReplicationGroup"]

    # What takes effect at once

    def test_settings_of_a_group(self):
        self.group_of_two("settings")
        other = self.ec2.create_security_group(GroupName="other", Description="d",
                                               VpcId=self.network.vpc)["GroupId"]
        changed = self.modify(
            "settings", ReplicationGroupDescription="new words", SecurityGroupIds=[other],
            PreferredMaintenanceWindow="Tue:01:00-Tue:02:00", SnapshotWindow="05:00-06:00",
            SnapshotRetentionLimit=2, SnapshottingClusterId="settings-002",
            NotificationTopicArn=TOPIC, AutoMinorVersionUpgrade=False)
        expected = {"Status": "available", "Description": "new words", "SnapshotRetentionLimit": 2,
                    "SnapshottingClusterId": "settings-002", "SnapshotWindow": "05:00-06:00",
                    "AutoMinorVersionUpgrade": False, "PendingModifiedValues": {}}
        self.assertEqual({name: changed.get(name) for name in expected}, expected)
        cluster = self.region.cluster("settings-002")
        self.assertEqual(cluster["SecurityGroups"],
                         [{"SecurityGroupId": other, "Status": "active"}])
        self.assertEqual(cluster["NotificationConfiguration"],
                         {"TopicArn": TOPIC, "TopicStatus": "active"})
        self.assertEqual((cluster["PreferredMaintenanceWindow"], cluster["SnapshotRetentionLimit"]),
                         ("tue:01:00-tue:02:00", 2))
        self.assertEqual(self.region.cluster("settings-001")["SnapshotRetentionLimit"], 0)
        self.modify("settings", NotificationTopicStatus="inactive", SnapshotRetentionLimit=0)
        self.assertEqual(self.region.cluster("settings-001")["NotificationConfiguration"],
                         {"TopicArn": TOPIC, "TopicStatus": "inactive"})
        self.assertNotIn("SnapshottingClusterId", self.region.group("settings"))

    def test_the_same_again_changes_nothing(self):
        group = self.group_of_two("same")
        pids = set(self.region.nodes())
        for _ in range(2):
            self.modify("same", CacheNodeType="cache.t3.small", EngineVersion="7.1",
                        CacheParameterGroupName="default.redis7",
                        AutomaticFailoverEnabled=True, ApplyImmediately=True)
            self.assertEqual(self.region.wait_group("same", 2), group)
        self.assertEqual(set(self.region.nodes()), pids)

    def test_statuses_on_the_way(self):
        """Nothing but what clients wait through, and the members keep their order."""
        group = self.group_of_two("statuses", CacheNodeType="cache.t3.micro")
        answer = self.modify("statuses", CacheNodeType="cache.t3.small", ApplyImmediately=True)
        self.assertEqual((answer["Status"], answer["CacheNodeType"]),
                         ("modifying", "cache.t3.micro"))
        self.assertEqual(answer["MemberClusters"], group["MemberClusters"])
        seen = set()

        def finished():
            group = self.region.group("statuses")
            self.assertEqual(group["MemberClusters"], ["statuses-001", "statuses-002"])
            for name in group["MemberClusters"]:
                cluster = self.region.cluster(name)
                seen.add(cluster["CacheClusterStatus"])
                if cluster["CacheClusterStatus"] == "available":
                    self.assertEqual(cluster["PendingModifiedValues"], {})
            seen.add(group["Status"])
            return group["Status"] == "available"

        eventually(finished, "the type is changed", 60)
        self.assertLessEqual(seen, {"modifying", "available"})
        self.cache.get_waiter("replication_group_available").wait(ReplicationGroupId="statuses")
        self.cache.get_waiter("cache_cluster_available").wait(CacheClusterId="statuses-001")

    # What waits

    def test_pending_values(self):
        self.group_of_two("pending", EngineVersion="6.2",
                          PreferredMaintenanceWindow=window_in_three_days())
        self.modify("pending", CacheNodeType="cache.t3.medium", EngineVersion="7.1",
                    ApplyImmediately=False)
        group = self.region.group("pending")
        self.assertEqual((group["Status"], group["CacheNodeType"]), ("available",
                                                                     "cache.t3.small"))
        cluster = self.region.cluster("pending-001")
        self.assertEqual((cluster["EngineVersion"], cluster["PendingModifiedValues"]),
                         ("6.2.6", {"CacheNodeType": "cache.t3.medium",
                                    "EngineVersion": "7.1.0"}))
        self.modify("pending", CacheNodeType="cache.t3.small", EngineVersion="6.2")
        self.assertEqual(self.region.cluster("pending-001")["PendingModifiedValues"], {})
        self.modify("pending", EngineVersion="7.0", ApplyImmediately=False)
        self.modify("pending", CacheNodeType="cache.t3.medium", ApplyImmediately=True)
        group = self.region.wait_group("pending", 2, 60)
        self.assertEqual(group["CacheNodeType"], "cache.t3.medium")
        cluster = self.region.cluster("pending-002")
        self.assertEqual((cluster["EngineVersion"], cluster["PendingModifiedValues"],
                          cluster["CacheParameterGroup"]["CacheParameterGroupName"]),
                         ("7.0.7", {}, "default.redis7"))

    # Refusals

    def test_refusals_of_a_group(self):
        self.group_of_two("refusing")
        cases = [
            ("InvalidParameterCombination", {}, "No modifications were requested"),
            ("InvalidParameterCombination", {"EngineVersion": "7.4"},
             "Cannot find version 7.4 for redis"),
            ("InvalidParameterValue", {"EngineVersion": "6.2.6"},
             "Specific version selection is not allowed for '6.2.6', please use '6.2'"),
            ("InvalidParameterCombination", {"EngineVersion": "6.2"}, "Downgrading"),
            ("InvalidParameterCombination", {"CacheParameterGroupName": "default.redis6.x"},
             "Expected a parameter group of family redis7 but found one of family redis6.x"),
            ("InvalidParameterCombination", {"CacheParameterGroupName": "default.valkey8"},
             "valkey parameter group is not applicable to engine redis"),
            ("InvalidParameterCombination",
             {"CacheParameterGroupName": "default.redis7.cluster.on"},
             "Cluster mode should be disabled in parameter group, but found it is enabled."),
            ("CacheParameterGroupNotFound", {"CacheParameterGroupName": "absent"},
             "CacheParameterGroup absent not found."),
            ("InvalidParameterValue", {"CacheNodeType": "cache.z9.huge"}, "cache.z9.huge"),
            ("InvalidParameterCombination", {"CacheNodeType": "cache.m8g.large"}, "not supported"),
            ("InvalidParameterCombination", {"CacheNodeType": "cache.t1.micro"},
             "Automatic failover is not supported"),
            ("InvalidParameterValue", {"SecurityGroupIds": ["sg-0123456789abcdef0"]}, "sg-"),
            ("InvalidParameterCombination", {"CacheSecurityGroupNames": ["default"]},
             "cache security groups"),
            ("InvalidParameterValue", {"PreferredMaintenanceWindow": "whenever"}, "whenever"),
            ("InvalidParameterValue", {"NotificationTopicStatus": "loud"}, "loud"),
            ("InvalidParameterCombination", {"SnapshotRetentionLimit": 3},
             "Must specify both SnapshotRetentionLimit and SnapshottingClusterId to turn on "
             "snapshots"),
            ("CacheClusterNotFound", {"SnapshottingClusterId": "stranger",
                                      "SnapshotRetentionLimit": 1}, "stranger"),
            ("InvalidParameterValue", {"AuthToken": "x" * 16, "AuthTokenUpdateStrategy": "SET"},
             "The AUTH token is only supported when encryption-in-transit is enabled"),
            ("InvalidParameterCombination", {"TransitEncryptionEnabled": True},
             "TransitEncryptionMode must be set to preferred first"),
            ("InvalidParameterCombination", {"TransitEncryptionMode": "preferred"},
             "To modify transit encryption mode, set encryption-in-transit as enabled."),
            ("InvalidParameterCombination", {"ClusterMode": "compatible"}, "ClusterMode"),
        ]
        for code, changes, message in cases:
            with self.subTest(**changes):
                self.refused(code, self.cache.modify_replication_group, status=None,
                             message=message, ReplicationGroupId="refusing",
                             ApplyImmediately=True, **changes)
        self.refused("ReplicationGroupNotFoundFault", self.cache.modify_replication_group,
                     status=404, ReplicationGroupId="absent", CacheNodeType="cache.t3.medium")
        self.assertEqual(self.region.group("refusing")["Status"], "available")

    def test_refused_engines(self):
        """As queries: an old botocore does not know that the engine can be modified."""
        self.group_of_two("engines", CacheNodeType="cache.t3.small")
        self.make_cluster("engine", EngineVersion="7.1", CacheNodeType="cache.t3.small")
        for parameters, code in (
                ({"Engine": "mongo"}, "InvalidParameterValue"),
                ({"Engine": "memcached"}, "InvalidParameterValue"),
                ({"Engine": "valkey", "EngineVersion": "7.1"}, "InvalidParameterCombination"),
                ({"Engine": "valkey", "CacheParameterGroupName": "default.redis7"},
                 "InvalidParameterCombination")):
            with self.subTest(**parameters):
                reply = self.region.query({"Action": "ModifyReplicationGroup",
                                           "ReplicationGroupId": "engines",
                                           "ApplyImmediately": "true", **parameters})
                self.assertEqual(reply.status, 400)
                self.assertIn(f"<Code>{code}</Code>", reply.text)
        reply = self.region.query({"Action": "ModifyCacheCluster", "CacheClusterId": "engine",
                                   "Engine": "valkey", "EngineVersion": "8.0"})
        self.assertIn("<Code>InvalidParameterCombination</Code>", reply.text)
        self.assertEqual(self.region.group("engines")["Status"], "available")

    def test_busy_groups_refuse(self):
        self.group_of_two("busy", CacheNodeType="cache.t3.micro")
        self.modify("busy", CacheNodeType="cache.t3.small", ApplyImmediately=True)
        if self.region.group("busy")["Status"] == "modifying":
            self.refused("InvalidReplicationGroupState", self.cache.modify_replication_group,
                         message="must be in available state", ReplicationGroupId="busy",
                         ReplicationGroupDescription="late")
        self.region.wait_group("busy", 2, 60)
        self.assertEqual(self.modify("busy", ReplicationGroupDescription="late")["Description"],
                         "late")

    # Cache clusters

    def test_a_cluster(self):
        self.make_cluster("plain", EngineVersion="7.0", CacheNodeType="cache.t3.small")
        changed = self.cache.modify_cache_cluster(
            CacheClusterId="PLAIN", PreferredMaintenanceWindow="wed:01:00-wed:02:00",
            SnapshotWindow="05:00-06:00", SnapshotRetentionLimit=3, NotificationTopicArn=TOPIC,
            AutoMinorVersionUpgrade=False, NumCacheNodes=1)["CacheCluster"]
        expected = {"CacheClusterStatus": "available", "SnapshotRetentionLimit": 3,
                    "PreferredMaintenanceWindow": "wed:01:00-wed:02:00",
                    "AutoMinorVersionUpgrade": False, "PendingModifiedValues": {}}
        self.assertEqual({name: changed.get(name) for name in expected}, expected)
        waiting = self.cache.modify_cache_cluster(
            CacheClusterId="plain", EngineVersion="7.1",
            CacheNodeType="cache.t3.medium")["CacheCluster"]
        self.assertEqual((waiting["CacheClusterStatus"], waiting["PendingModifiedValues"]),
                         ("available", {"CacheNodeType": "cache.t3.medium",
                                        "EngineVersion": "7.1.0"}))
        self.cache.modify_cache_cluster(CacheClusterId="plain", AutoMinorVersionUpgrade=True,
                                        ApplyImmediately=True)
        after = self.region.wait_cluster("plain", 60)
        self.assertEqual((after["CacheNodeType"], after["EngineVersion"],
                          after["PendingModifiedValues"]), ("cache.t3.medium", "7.1.0", {}))

    def test_refusals_of_a_cluster(self):
        self.make_cluster("stubborn", EngineVersion="7.1", CacheNodeType="cache.t3.small")
        self.group_of_two("member")
        modify = self.cache.modify_cache_cluster
        self.refused("CacheClusterNotFound", modify, status=404, CacheClusterId="absent",
                     message="CacheCluster not found: absent", CacheNodeType="cache.t3.medium")
        for code, changes in (
                ("InvalidParameterCombination", {}),
                ("InvalidParameterValue", {"NumCacheNodes": 2}),
                ("InvalidParameterCombination", {"CacheNodeIdsToRemove": ["0001"]}),
                ("InvalidParameterCombination", {"AZMode": "cross-az"}),
                ("InvalidParameterCombination", {"EngineVersion": "6.2"}),
                ("InvalidParameterCombination", {"CacheParameterGroupName": "default.redis6.x"}),
                ("CacheParameterGroupNotFound", {"CacheParameterGroupName": "absent"}),
                ("InvalidParameterValue", {"CacheNodeType": "cache.z9.huge"})):
            with self.subTest(**changes):
                self.refused(code, modify, CacheClusterId="stubborn", ApplyImmediately=True,
                             **changes)
        self.refused("InvalidParameterCombination", modify, CacheClusterId="member-002",
                     CacheNodeType="cache.t3.medium", ApplyImmediately=True,
                     message="ModifyReplicationGroup")
        changed = modify(CacheClusterId="member-002", AutoMinorVersionUpgrade=False)
        self.assertFalse(changed["CacheCluster"]["AutoMinorVersionUpgrade"])

    # Replicas

    def test_replica_counts(self):
        self.group_of_two("counted")
        increase, decrease = self.cache.increase_replica_count, self.cache.decrease_replica_count
        zones = [self.region.cluster(f"counted-00{n}")["PreferredAvailabilityZone"]
                 for n in (1, 2)]
        answer = increase(ReplicationGroupId="counted", ApplyImmediately=True,
                          ReplicaConfiguration=[{
                              "NodeGroupId": "0001", "NewReplicaCount": 2,
                              "PreferredAvailabilityZones": [*zones, ZONES[1]]}])
        self.assertEqual(answer["ReplicationGroup"]["Status"], "modifying")
        self.region.wait_group("counted", 3)
        self.assertEqual(self.region.cluster("counted-003")["PreferredAvailabilityZone"], ZONES[1])
        answer = decrease(ReplicationGroupId="counted", ApplyImmediately=True,
                          ReplicasToRemove=["counted-002"])
        self.assertEqual(answer["ReplicationGroup"]["Status"], "modifying")
        self.region.wait_cluster_gone("counted-002")
        group = self.region.wait_group("counted", 2)
        self.assertEqual(group["MemberClusters"], ["counted-001", "counted-003"])

    def test_refusals_of_replica_counts(self):
        self.make_group("fixed", 3, EngineVersion="7.1", CacheNodeType="cache.t3.small")
        increase, decrease = self.cache.increase_replica_count, self.cache.decrease_replica_count
        shard = {"NodeGroupId": "0001", "NewReplicaCount": 3}
        for code, call, arguments, message in (
                ("NoOperationFault", increase, {"NewReplicaCount": 2},
                 "Requested new replica count already matches current number of replicas."),
                ("NoOperationFault", decrease, {"NewReplicaCount": 2}, "already matches"),
                ("InvalidParameterValue", increase, {"NewReplicaCount": 1}, "greater"),
                ("InvalidParameterValue", increase, {"NewReplicaCount": 6},
                 "The number of replicas per node group must be within 0 and 5."),
                ("InvalidParameterCombination", increase, {}, "NewReplicaCount"),
                ("InvalidParameterCombination", increase,
                 {"NewReplicaCount": 3, "ReplicaConfiguration": [shard]}, "Exactly one"),
                ("InvalidParameterValue", increase,
                 {"ReplicaConfiguration": [{**shard, "NodeGroupId": "0002"}]}, "0001"),
                ("InvalidParameterCombination", increase,
                 {"ReplicaConfiguration": [{**shard, "PreferredAvailabilityZones": [ZONES[0]]}]},
                 "NewReplicaCount plus 1"),
                ("InvalidParameterValue", decrease, {"NewReplicaCount": 0},
                 "Must have at least 1 replica when cluster mode is disabled with auto failover "
                 "enabled."),
                ("InvalidParameterValue", decrease, {"ReplicasToRemove": ["fixed-001"]},
                 "serving as primary"),
                ("InvalidParameterValue", decrease, {"ReplicasToRemove": ["stranger"]},
                 "stranger")):
            with self.subTest(call.__name__, **arguments):
                self.refused(code, call, message=message, ReplicationGroupId="fixed",
                             ApplyImmediately=True, **arguments)
        self.refused("InvalidParameterValue", increase, ReplicationGroupId="fixed",
                     NewReplicaCount=3, ApplyImmediately=False, message="ApplyImmediately")
        self.refused("ReplicationGroupNotFoundFault", increase, status=404, NewReplicaCount=3,
                     ReplicationGroupId="absent", ApplyImmediately=True)
        self.assertEqual(self.region.group("fixed")["Status"], "available")

    # Node types

    def test_allowed_node_types(self):
        self.group_of_two("types", CacheNodeType="cache.m5.large")
        allowed = self.cache.list_allowed_node_type_modifications(ReplicationGroupId="types")
        up, down = allowed["ScaleUpModifications"], allowed["ScaleDownModifications"]
        self.assertTrue({"cache.m5.xlarge", "cache.r6g.large", "cache.m6g.large"} <= set(up))
        self.assertTrue({"cache.t3.micro", "cache.m4.large"} & set(down))
        for name in ("cache.m5.large", "cache.t1.micro", "cache.m8g.large"):
            self.assertNotIn(name, up + down)
        self.assertEqual((up, down), (sorted(up), sorted(down)))
        self.assertFalse(set(up) & set(down))
        self.assertEqual(self.cache.list_allowed_node_type_modifications(
            CacheClusterId="types-002")["ScaleUpModifications"], up)
        self.refused("InvalidParameterCombination",
                     self.cache.list_allowed_node_type_modifications)
        self.refused("ReplicationGroupNotFoundFault", status=404,
                     call=self.cache.list_allowed_node_type_modifications,
                     ReplicationGroupId="absent")
