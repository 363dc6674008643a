"""The AWS SDK for JavaScript, with nothing set but the endpoint, a region and credentials."""

import json

from support import commands
from support.case import RegionTestCase

from . import programs

JOURNEY_SECONDS = 150  # far above what it takes


class SdkForJavaScript(RegionTestCase):
    network_name = "sdk"

    def test_creates_waits_fails_over_and_deletes(self):
        group = self.network.group_arguments(ReplicationGroupId="sdk")
        environment = commands.bare_environment(
            HOME=self.region.directory, NODE_PATH=programs.node_modules(),
            AWS_REGION=self.region.name, AWS_ACCESS_KEY_ID="test",
            AWS_SECRET_ACCESS_KEY="test")
        ended = commands.run(
            ["node", programs.path("sdk_journey.js"), self.region.endpoint_url, "sdk",
             group["CacheSubnetGroupName"]],
            env=environment, timeout=JOURNEY_SECONDS)
        steps = {line["step"]: line for line in map(json.loads, ended.ok().out.splitlines())}
        self.assertEqual(steps["created"]["status"], "creating")
        available = steps["available"]
        self.assertEqual((available["waiter"], available["status"], available["created"]),
                         ("SUCCESS", "available", True))
        self.assertEqual(available["endpoint"]["Port"], 6379)
        self.assertEqual(steps["failed over"]["from"], available["primary"])
        self.assertNotEqual(steps["failed over"]["to"], available["primary"])
        self.assertEqual(steps["deleted"]["waiter"], "SUCCESS")
        self.assertEqual((steps["refused"]["known"], steps["refused"]["status"]), (True, 404))
        self.assertGreater(len(steps["pages"]["sizes"]), 1)
        self.assertTrue(all(size == 20 for size in steps["pages"]["sizes"][:-1]))
