"""Terraform with the AWS provider, unmodified: the example, from apply to destroy, and a group
whose encryption in transit is changed.

The provider itself waits 30 seconds for every group, so this takes minutes. It runs where
`terraform` is installed and can get the provider: by its own configuration, from a registry, or
from a directory of providers below /opt or /usr."""

import glob
import json
import os
import shutil
import tempfile
import unittest

from support import commands
from support.case import RegionTestCase
from support.groups import primary_of
from support.region import ROOT
from support.waiting import eventually

EXAMPLE = os.path.join(ROOT, "examples", "terraform")
ENCRYPTION = os.path.join(ROOT, "tests", "clients", "terraform_encryption")
MIRRORS = ("/opt/*/registry.terraform.io", "/usr/share/terraform/*/registry.terraform.io",
           "/usr/local/share/terraform/*/registry.terraform.io")
INIT_SECONDS = 120
APPLY_SECONDS = 600
CHANGED = 2  # the exit code of a plan that would change something


def provider_directories():
    return [os.path.dirname(place) for pattern in MIRRORS for place in glob.glob(pattern)]


@unittest.skipUnless(commands.have("terraform"), "terraform is not installed")
class TerraformCase(RegionTestCase):
    configuration = EXAMPLE  # a directory
    always = {}  # more of the environment
    longest_seconds = 1500
    mostly_waits = True  # the provider sleeps half a minute after everything that it asks for

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp(prefix="hikae-terraform-")
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        for file in glob.glob(os.path.join(cls.configuration, "*.tf")):
            shutil.copy(file, cls.directory)
        from_directories = [f"-plugin-dir={place}" for place in provider_directories()]
        got = commands.run(["terraform", f"-chdir={cls.directory}", "init", "-input=false",
                            "-no-color", *from_directories],
                           env=commands.bare_environment(), timeout=INIT_SECONDS)
        if got.code != 0:
            raise unittest.SkipTest(f"terraform cannot get the AWS provider: {got.err[-300:]}")
        super().setUpClass()

    def terraform(self, *arguments, **variables):
        environment = commands.bare_environment(
            AWS_ENDPOINT_URL=self.region.endpoint_url, AWS_REGION=self.region.name,
            AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test",
            TF_VAR_region=self.region.name, **self.always,
            **{f"TF_VAR_{name}": str(value) for name, value in variables.items()})
        return commands.run(["terraform", f"-chdir={self.directory}", *arguments, "-no-color"],
                            env=environment, timeout=APPLY_SECONDS)

    def apply(self, **variables):
        self.terraform("apply", "-auto-approve", "-input=false", **variables).ok()
        self.check_unchanged(**variables)

    def check_unchanged(self, **variables):
        plan = self.terraform("plan", "-detailed-exitcode", "-input=false", **variables)
        self.assertNotEqual(plan.code, CHANGED, plan.out)
        plan.ok()


class TerraformExample(TerraformCase):
    always = {"TF_VAR_application_password": "a-password-of-the-app"}

    def check_group(self, **expected):
        group = self.region.group("example")
        members = group["MemberClusters"]
        facts = {"members": len(members), "node_type": group["CacheNodeType"],
                 "description": group["Description"]}
        facts["stage"] = self.cache.list_tags_for_resource(
            ResourceName=group["ARN"])["TagList"][0]["Value"]
        self.assertEqual(facts, {**facts, **expected})
        self.assertEqual(group["Status"], "available")

    def test_apply_change_fail_over_restart_destroy(self):
        self.apply()
        self.check_group(members=3, node_type="cache.t3.micro", stage="development")
        outputs = json.loads(self.terraform("output", "-json").ok().out)
        self.assertTrue(outputs["primary"]["value"].startswith("master.example."))

        larger = {"members": 4, "node_type": "cache.t3.small", "description": "Larger",
                  "idle_seconds": 60, "stage": "production"}
        self.apply(**larger)
        self.check_group(**{key: larger[key] for key in larger if key != "idle_seconds"})

        smaller = {**larger, "members": 2}
        self.apply(**smaller)
        self.check_group(members=2)

        self.fail_over()
        self.check_unchanged(**smaller)

        self.region.terminate()
        self.region.start()
        self.check_unchanged(**smaller)

        self.terraform("destroy", "-auto-approve", "-input=false", **smaller).ok()
        self.check_nothing_left()

    def fail_over(self):
        group = self.region.group("example")
        before = primary_of(group)
        self.cache.test_failover(ReplicationGroupId="example",
                                 NodeGroupId=group["NodeGroups"][0]["NodeGroupId"])
        eventually(lambda: primary_of(self.region.group("example")) != before,
                   "another member leads", 20)
        self.region.wait_group("example", 2)

    def check_nothing_left(self):
        self.assertEqual(self.cache.describe_replication_groups()["ReplicationGroups"], [])
        self.assertEqual(self.cache.describe_cache_clusters()["CacheClusters"], [])
        self.assertEqual([user["UserId"] for user in self.cache.describe_users()["Users"]],
                         ["default"])
        self.assertEqual(self.cache.describe_user_groups()["UserGroups"], [])
        self.assertEqual(self.region.nodes(), {})
        self.assertEqual([vpc["IsDefault"] for vpc in self.ec2.describe_vpcs()["Vpcs"]], [True])


class TerraformEncryption(TerraformCase):
    configuration = ENCRYPTION

    def test_there_and_back(self):
        for mode in (None, "preferred", "required", "preferred", None):
            variables = {"mode": mode} if mode else {}
            self.apply(**variables)
            group = self.region.group("modes")
            self.assertEqual((group["Status"], group.get("TransitEncryptionMode")),
                             ("available", mode))
        self.terraform("destroy", "-auto-approve", "-input=false", **variables).ok()
        self.assertEqual(self.region.nodes(), {})
