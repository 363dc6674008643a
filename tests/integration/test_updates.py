"""Service updates: an engine is upgraded under a region, and nodes get it without a lost write."""

import json
import shutil
import unittest

from support.engines import UpgradableEngine
from support.groups import primary_of, shard_of
from support.region import Region
from support.waiting import eventually
from support.writer import Writer

from .test_failover import FailoverTestCase


@unittest.skipUnless(shutil.which("valkey-server"), "Valkey is not installed")
class ServiceUpdates(FailoverTestCase):
    network_name = "updates"

    @classmethod
    def make_region(cls):
        cls.engine = UpgradableEngine()
        cls.addClassCleanup(cls.engine.remove)
        return Region("--valkey-server", cls.engine.program)

    def make_valkey(self, group_id, members, **more):
        return self.make_group(group_id, members, Engine="valkey", EngineVersion="8.0",
                               CacheNodeType="cache.t3.small", **more)

    def action(self, group_id, update, **more):
        actions = self.cache.describe_update_actions(
            ServiceUpdateName=update, ReplicationGroupIds=[group_id], **more)["UpdateActions"]
        return actions[0] if actions else None

    def upgrade(self, *group_ids):
        """A newer engine is installed, and all of the groups are offered it."""
        update = f"valkey-{self.engine.upgrade()}"
        for group_id in group_ids:
            eventually(lambda g=group_id: self.action(g, update), f"{update} for {group_id}", 20)
        return update

    def apply(self, update, *group_ids):
        return self.cache.batch_apply_update_action(ServiceUpdateName=update,
                                                    ReplicationGroupIds=list(group_ids))

    def wait_status(self, group_id, update, status, timeout=60):
        def reached():
            action = self.action(group_id, update)
            return action if action["UpdateActionStatus"] == status else None

        return eventually(reached, f"{update} of {group_id} is {status}", timeout)

    def versions(self, group):
        out = []
        for member in shard_of(group)["NodeGroupMembers"]:
            with self.region.session(member["ReadEndpoint"]) as session:
                out.append(session.info("server")["valkey_version"])
        return out

    def test_rolled_under_a_client_that_writes(self):
        group = self.make_valkey("rolled", 3)
        before = self.engine.version
        pids = set(self.region.nodes())
        update = self.upgrade("rolled")
        for member in group["MemberClusters"]:
            self.assertIn("Service update is available for cache node 0001.",
                          self.events_of("cache-cluster", member))
        self.assertEqual(set(self.region.nodes()), pids, "nothing happens by itself")
        offered = self.cache.describe_service_updates(ServiceUpdateName=update)["ServiceUpdates"]
        self.assertEqual(len(offered), 1)
        self.assertEqual(
            {key: offered[0][key] for key in ("ServiceUpdateStatus", "ServiceUpdateType", "Engine",
                                              "EngineVersion", "ServiceUpdateSeverity")},
            {"ServiceUpdateStatus": "available", "ServiceUpdateType": "security-update",
             "Engine": "valkey", "EngineVersion": self.engine.version,
             "ServiceUpdateSeverity": "important"})
        waiting = self.action("rolled", update, ShowNodeLevelUpdateStatus=True)
        self.assertEqual((waiting["UpdateActionStatus"], waiting["NodesUpdated"],
                          waiting["Engine"]), ("not-applied", "0/3", "valkey"))
        members = waiting["NodeGroupUpdateStatus"][0]["NodeGroupMemberUpdateStatus"]
        self.assertEqual([(member["CacheClusterId"], member["NodeUpdateStatus"])
                          for member in members],
                         [(name, "not-applied") for name in group["MemberClusters"]])
        writer = Writer(self.region, shard_of(group)["PrimaryEndpoint"])
        writer.start()
        eventually(lambda: len(writer.acknowledged) > 200, "it writes", 10)
        answer = self.apply(update, "rolled", "absent")
        self.assertEqual(answer["ProcessedUpdateActions"], [
            {"ReplicationGroupId": "rolled", "ServiceUpdateName": update,
             "UpdateActionStatus": "waiting-to-start"}])
        self.assertEqual(answer["UnprocessedUpdateActions"], [
            {"ReplicationGroupId": "absent", "ServiceUpdateName": update,
             "ErrorType": "ReplicationGroupNotFoundFault",
             "ErrorMessage": "ReplicationGroup absent not found."}])
        done = self.wait_status("rolled", update, "complete")
        after = self.region.wait_group("rolled", 3)
        self.assertEqual(writer.finish(), [], "no acknowledged write is lost")
        self.assertEqual(done["NodesUpdated"], "3/3")
        self.assertEqual(done["SlaMet"], "yes")
        self.assertEqual(self.versions(after), [self.engine.version] * 3)
        self.assertNotEqual(before, self.engine.version)
        self.assertNotEqual(primary_of(after), primary_of(group), "the primary came last")
        for member in self.action("rolled", update, ShowNodeLevelUpdateStatus=True)[
                "NodeGroupUpdateStatus"][0]["NodeGroupMemberUpdateStatus"]:
            self.assertEqual(member["NodeUpdateStatus"], "complete")
            self.assertEqual(member["NodeUpdateInitiatedBy"], "customer")
            self.assertLessEqual(member["NodeUpdateStartDate"], member["NodeUpdateEndDate"])
        again = self.apply(update, "rolled")
        self.assertEqual(again["ProcessedUpdateActions"], [])
        self.assertEqual(again["UnprocessedUpdateActions"][0]["ErrorType"],
                         "InvalidParameterValue")
        self.assertIn("Service update is available for cache node 0001.",
                      self.events_of("cache-cluster", "rolled-001"))
        self.assertIn("Cache cluster patched", self.events_of("cache-cluster", "rolled-001"))

    def test_a_single_node_keeps_its_data_and_the_cli_says_the_same(self):
        group = self.make_valkey("single", 1)
        update = self.upgrade("single")
        with self.region.session(shard_of(group)["PrimaryEndpoint"]) as session:
            self.assertEqual(session.ask("set kept yes"), "OK")
        answer = json.loads(self.region.aws(
            "elasticache", "batch-apply-update-action", "--service-update-name", update,
            "--replication-group-ids", "single").ok().out)
        self.assertEqual(answer["ProcessedUpdateActions"][0]["UpdateActionStatus"],
                         "waiting-to-start")
        self.wait_status("single", update, "complete")
        after = self.region.wait_group("single", 1)
        self.assertEqual(self.versions(after), [self.engine.version])
        with self.region.session(shard_of(after)["PrimaryEndpoint"]) as session:
            self.assertEqual(session.ask("get kept"), "yes")
        shown = json.loads(self.region.aws(
            "elasticache", "describe-update-actions", "--service-update-name", update,
            "--replication-group-ids", "single", "--update-action-status",
            "complete").ok().out)
        self.assertEqual(shown["UpdateActions"][0]["NodesUpdated"], "1/1")

    def test_stopped_and_applied_again_while_hikae_is_killed(self):
        group = self.make_valkey("stopped", 3)
        update = self.upgrade("stopped")
        self.apply(update, "stopped")
        eventually(lambda: self.action("stopped", update)["UpdateActionStatus"] == "in-progress",
                   "it has begun", 20)
        answer = self.cache.batch_stop_update_action(ServiceUpdateName=update,
                                                     ReplicationGroupIds=["stopped"])
        self.assertIn(answer["ProcessedUpdateActions"][0]["UpdateActionStatus"],
                      ("stopping", "stopped"))
        self.wait_status("stopped", update, "stopped")
        after = self.region.wait_group("stopped", 3)
        self.assertIn(self.engine.version, self.versions(after))
        self.assertEqual(primary_of(after), primary_of(group), "it was not its turn yet")
        self.apply(update, "stopped")
        self.region.kill()
        self.region.start()
        self.wait_status("stopped", update, "complete")
        after = self.region.wait_group("stopped", 3)
        self.assertEqual(self.versions(after), [self.engine.version] * 3)

    def test_errors_and_filters(self):
        self.make_valkey("filtered", 1)
        update = self.upgrade("filtered")
        calls = (self.cache.batch_apply_update_action, self.cache.batch_stop_update_action)
        for call in calls:
            self.refused("ServiceUpdateNotFoundFault", call, ServiceUpdateName="valkey-0.0.1",
                         ReplicationGroupIds=["filtered"], status=404)
            self.refused("InvalidParameterValue", call, ServiceUpdateName=update, status=400)
        self.refused("ServiceUpdateNotFoundFault", self.cache.describe_service_updates,
                     ServiceUpdateName="valkey-0.0.1", status=404)
        stopped = self.cache.batch_stop_update_action(ServiceUpdateName=update,
                                                      ReplicationGroupIds=["filtered"],
                                                      CacheClusterIds=["filtered-001", "none"])
        self.assertEqual([one["ErrorType"] for one in stopped["UnprocessedUpdateActions"]],
                         ["InvalidParameterValue", "InvalidParameterValue",
                          "CacheClusterNotFound"])
        for filters, expected in (
                ({"Engine": "valkey"}, 1), ({"Engine": "redis"}, 0),
                ({"UpdateActionStatus": ["complete", "not-applied"]}, 1),
                ({"UpdateActionStatus": ["complete"]}, 0),
                ({"ServiceUpdateStatus": ["available"]}, 1),
                ({"ServiceUpdateStatus": ["cancelled"]}, 0),
                ({"CacheClusterIds": ["filtered-001"]}, 0)):
            with self.subTest(**filters):
                names = {} if "CacheClusterIds" in filters else {
                    "ReplicationGroupIds": ["filtered"]}
                actions = self.cache.describe_update_actions(ServiceUpdateName=update, **names,
                                                             **filters)["UpdateActions"]
                self.assertEqual(len(actions), expected)
        for describe in (self.cache.describe_service_updates,
                         self.cache.describe_update_actions):
            self.refused("InvalidParameterValue", describe, MaxRecords=19)
            self.refused("InvalidParameterValue", describe, Marker="nonsense")
        newer = self.upgrade("filtered")
        eventually(lambda: self.action("filtered", update)["UpdateActionStatus"] ==
                   "not-applicable", "the older one is over", 20)
        expired = self.cache.describe_service_updates(ServiceUpdateStatus=["expired"])
        self.assertIn(update, [one["ServiceUpdateName"] for one in expired["ServiceUpdates"]])
        self.assertEqual(self.action("filtered", newer)["UpdateActionStatus"], "not-applied")
