"""Every built action by the aws CLI: good input, and what it says of a refusal."""

from botocore import xform_name

from conformance.test_documented import BUILT
from support.aws_cli import AwsCli
from support.case import RegionTestCase
from support.users import PASSWORD
from support.waiting import eventually

TYPE = "cache.t3.small"
# Actions that are refused whatever they are asked, or need what a test of their own makes.
REFUSED = {
    "authorize-cache-security-group-ingress": (
        "InvalidParameterValue", "--cache-security-group-name mine --ec2-security-group-name web "
                                 "--ec2-security-group-owner-id 123456789012"),
    "revoke-cache-security-group-ingress": (
        "InvalidParameterValue", "--cache-security-group-name mine --ec2-security-group-name web "
                                 "--ec2-security-group-owner-id 123456789012"),
    "create-cache-security-group": (
        "InvalidParameterValue", "--cache-security-group-name mine --description d"),
    "delete-cache-security-group": (
        "InvalidParameterValue", "--cache-security-group-name mine"),
    "purchase-reserved-cache-nodes-offering": (
        "ReservedCacheNodesOfferingNotFound", "--reserved-cache-nodes-offering-id nobody"),
    "batch-apply-update-action": (
        "ServiceUpdateNotFoundFault", "--service-update-name none --cache-cluster-ids alone"),
    "batch-stop-update-action": (
        "ServiceUpdateNotFoundFault", "--service-update-name none --cache-cluster-ids alone"),
    "complete-migration": (
        "ReplicationGroupNotUnderMigrationFault", "--replication-group-id group"),
}


class CommandLine(RegionTestCase):
    network_name = "typed"

    def setUp(self):
        super().setUp()
        self.cli = AwsCli(self.region, "elasticache")
        self.said = set()

    def say(self, command, line="", *more):
        self.said.add(command)
        return self.cli.run(command, *line.split(), *more).json()

    def refuse(self, command, code, line):
        self.said.add(command)
        outcome = self.cli.run(command, *line.split())
        self.assertNotEqual(outcome.code, 0, outcome)
        self.assertIn(f"An error occurred ({code}) when calling the ", outcome.err)

    def test_every_command(self):
        self.parameter_groups()
        self.subnet_groups()
        self.access()
        self.caches()
        self.backups()
        self.tags()
        self.lists()
        self.changes()
        for command, (code, line) in REFUSED.items():
            self.refuse(command, code, line)
        self.removals()
        self.assertEqual(sorted({xform_name(action, "-") for action in BUILT} - self.said), [])

    def parameter_groups(self):
        name = "--cache-parameter-group-name typed"
        made = self.say("create-cache-parameter-group",
                        name + " --cache-parameter-group-family redis7 --description d")
        self.assertEqual(made["CacheParameterGroup"]["CacheParameterGroupName"], "typed")
        values = "ParameterName=maxmemory-policy,ParameterValue=allkeys-lru"
        self.say("modify-cache-parameter-group", f"{name} --parameter-name-values {values}")
        changed = self.say("describe-cache-parameters", name + " --source user")["Parameters"]
        self.assertEqual([one["ParameterValue"] for one in changed], ["allkeys-lru"])
        self.say("reset-cache-parameter-group", name + " --reset-all-parameters")
        self.assertEqual(self.say("describe-cache-parameters",
                                  name + " --source user")["Parameters"], [])
        found = self.say("describe-cache-parameter-groups", name)["CacheParameterGroups"]
        self.assertEqual(len(found), 1)
        found = self.say("describe-engine-default-parameters",
                         "--cache-parameter-group-family redis7")["EngineDefaults"]
        self.assertGreater(len(found["Parameters"]), 50)
        found = self.say("describe-cache-engine-versions", "--engine valkey --default-only")
        self.assertEqual(len(found["CacheEngineVersions"]), 1)

    def subnet_groups(self):
        subnets = " ".join(self.network.subnets.values())
        name = "--cache-subnet-group-name another"
        self.say("create-cache-subnet-group",
                 f"{name} --cache-subnet-group-description d --subnet-ids {subnets}")
        changed = self.say("modify-cache-subnet-group", name, "--cache-subnet-group-description",
                           "of two words")["CacheSubnetGroup"]
        self.assertEqual(changed["CacheSubnetGroupDescription"], "of two words")
        found = self.say("describe-cache-subnet-groups", name)["CacheSubnetGroups"]
        self.assertEqual(len(found[0]["Subnets"]), 2)

    def access(self):
        for user_id, name in (("typed-default", "default"), ("typist", "typist")):
            made = self.say("create-user", f"--user-id {user_id} --user-name {name} --engine redis "
                            f"--passwords {PASSWORD}", "--access-string", "on ~* +@all")
            self.assertEqual(made["Status"], "active")
        self.assertEqual(self.say("modify-user", "--user-id typist", "--access-string",
                                  "on ~a* +@read")["AccessString"], "on ~a* +@read")
        self.assertEqual(self.say("describe-users", "--user-id typist")["Users"][0]["UserName"],
                         "typist")
        self.say("create-user-group",
                 "--user-group-id typists --engine redis --user-ids typed-default")
        self.say("modify-user-group", "--user-group-id typists --user-ids-to-add typist")
        found = self.say("describe-user-groups", "--user-group-id typists")["UserGroups"][0]
        self.assertEqual(found["UserIds"], ["typed-default", "typist"])

    def caches(self):
        common = (f"--engine redis --engine-version 7.1 --cache-node-type {TYPE} "
                  "--cache-subnet-group-name typed")
        made = self.say("create-replication-group", f"--replication-group-id group {common} "
                        "--num-cache-clusters 2 --automatic-failover-enabled --multi-az-enabled",
                        "--replication-group-description", "by hand")["ReplicationGroup"]
        self.assertEqual(made["Status"], "creating")
        self.say("create-cache-cluster",
                 f"--cache-cluster-id alone {common} --num-cache-nodes 1")
        self.region.wait_group("group", 2)
        self.region.wait_cluster("alone")
        found = self.say("describe-replication-groups", "--replication-group-id group")
        self.assertEqual(found["ReplicationGroups"][0]["MemberClusters"],
                         ["group-001", "group-002"])
        found = self.say("describe-cache-clusters", "--cache-cluster-id alone "
                         "--show-cache-node-info")["CacheClusters"][0]
        self.assertEqual(found["CacheNodes"][0]["Endpoint"]["Port"], 6379)
        found = self.say("list-allowed-node-type-modifications", "--cache-cluster-id alone")
        self.assertIn("cache.t3.medium", found["ScaleUpModifications"])

    def backups(self):
        self.say("create-snapshot", "--snapshot-name typed --cache-cluster-id alone")

        def wait(name):
            eventually(lambda: self.say("describe-snapshots", f"--snapshot-name {name}")
                       ["Snapshots"][0]["SnapshotStatus"] == "available", f"{name} is available")

        wait("typed")
        self.say("copy-snapshot", "--source-snapshot-name typed --target-snapshot-name copied")
        wait("copied")
        self.assertEqual(self.say("delete-snapshot", "--snapshot-name copied")["Snapshot"]
                         ["SnapshotStatus"], "deleting")

    def tags(self):
        arn = self.region.cluster("alone")["ARN"]
        named = ("--resource-name", arn)
        self.say("add-tags-to-resource", "", *named, "--tags", "Key=team,Value=cache")
        self.assertEqual(self.say("list-tags-for-resource", "", *named)["TagList"],
                         [{"Key": "team", "Value": "cache"}])
        self.assertEqual(self.say("remove-tags-from-resource", "--tag-keys team",
                                  *named)["TagList"], [])

    def lists(self):
        events = self.say("describe-events", "--source-type cache-cluster --source-identifier "
                          "alone --duration 60")["Events"]
        self.assertIn("Cache cluster created", [event["Message"] for event in events])
        for command, key in (("describe-service-updates", "ServiceUpdates"),
                             ("describe-update-actions", "UpdateActions"),
                             ("describe-reserved-cache-nodes", "ReservedCacheNodes")):
            self.assertEqual(self.say(command)[key], [])
        self.assertEqual(len(self.say("describe-cache-security-groups")["CacheSecurityGroups"]), 1)
        found = self.say("describe-reserved-cache-nodes-offerings",
                         f"--cache-node-type {TYPE} --product-description redis")
        self.assertEqual(len(found["ReservedCacheNodesOfferings"]), 2)

    def changes(self):
        group = "--replication-group-id group"
        changed = self.say("modify-replication-group", group, "--replication-group-description",
                           "by another hand", "--apply-immediately")["ReplicationGroup"]
        self.assertEqual(changed["Description"], "by another hand")
        self.say("increase-replica-count", group + " --new-replica-count 2 --apply-immediately")
        self.region.wait_group("group", 3)
        self.say("decrease-replica-count", group + " --new-replica-count 1 --apply-immediately")
        self.region.wait_group("group", 2)
        self.say("modify-cache-cluster", "--cache-cluster-id alone "
                 "--preferred-maintenance-window sun:01:00-sun:02:00 --apply-immediately")
        self.say("reboot-cache-cluster",
                 "--cache-cluster-id alone --cache-node-ids-to-reboot 0001")
        self.region.wait_cluster("alone")
        nowhere = group + " --customer-node-endpoint-list Address=127.0.0.1,Port=1"
        for command in ("test-migration", "start-migration"):
            self.say(command, nowhere)
            self.region.wait_group("group", 2)
        self.say("test-failover", group + " --node-group-id 0001")
        eventually(lambda: self.region.group("group")["NodeGroups"][0]["NodeGroupMembers"][0]
                   ["CurrentRole"] == "replica", "another one leads", 20)
        self.region.wait_group("group", 2)

    def removals(self):
        self.say("delete-replication-group", "--replication-group-id group")
        self.say("delete-cache-cluster", "--cache-cluster-id alone")
        self.region.wait_group_gone("group")
        self.region.wait_cluster_gone("alone")
        self.say("delete-user-group", "--user-group-id typists")
        self.say("delete-user", "--user-id typist")
        self.say("delete-cache-subnet-group", "--cache-subnet-group-name another")
        self.say("delete-cache-parameter-group", "--cache-parameter-group-name typed")
        self.assertEqual(self.region.node_directories(), [])
