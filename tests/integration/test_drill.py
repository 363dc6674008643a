"""`hikae drill`: faults on purpose, on groups of every kind of access."""

import re

from support.case import RegionTestCase
from support.encrypted import EncryptedClients
from support.groups import primary_of, shard_of
from support.network import ZONES
from support.users import UsersMixin

TOKEN = "a-token-of-the-drill-group"
AS_ADMINISTRATOR = "written to as the administrator"


class Drills(UsersMixin, RegionTestCase):
    network_name = "drills"

    def drill(self, *arguments):
        return self.region.hikae("drill", *arguments, "--data", self.region.data, timeout=120)

    def check(self, outcome, group_id, administrator):
        """What the drill printed: a failover, and that nothing which was acknowledged is gone."""
        text = outcome.ok().out
        self.assertIn(f"replication group {group_id} (", text)
        self.assertEqual(AS_ADMINISTRATOR in text, administrator, text)
        self.assertGreater(int(re.search(r"acknowledged writes  (\d+)", text).group(1)), 10)
        self.assertRegex(text, r"lost writes          \d+")
        self.assertRegex(text, r"whole again after    \d")
        self.assertIn("failover from", text)
        self.assertNotIn("a-token", text)

    def fault(self, kind, group_id, administrator):
        self.check(self.drill(kind, primary_of(self.region.group(group_id))), group_id,
                   administrator)
        self.region.wait_group(group_id, 2)

    def keys(self, endpoint, clients=None, token=None):
        opened = (clients.session(endpoint, token=token) if clients
                  else self.region.session(endpoint))
        with opened as session:
            return session.ask("dbsize")

    def test_a_plain_group(self):
        group = self.make_group("plain", 2, EngineVersion="7.1")
        self.fault("kill", "plain", administrator=False)
        self.assertEqual(self.keys(shard_of(group)["PrimaryEndpoint"]), 0)

    def test_an_encrypted_group_with_a_token(self):
        group = self.make_group("safe", 2, EngineVersion="7.1", TransitEncryptionEnabled=True,
                                AuthToken=TOKEN)
        for kind in ("kill", "stop", "segv"):
            with self.subTest(kind):
                self.fault(kind, "safe", administrator=True)
        clients = EncryptedClients(self.region)
        self.assertEqual(self.keys(shard_of(group)["PrimaryEndpoint"], clients, TOKEN), 0)

    def test_a_group_with_users(self):
        self.make_user("drill-default", "off ~* +@all", UserName="default")
        self.make_user("drill-guest", "on ~guest:* +@read")
        self.make_user_group("drill-users", ["drill-default", "drill-guest"])
        self.make_group("guarded", 2, EngineVersion="7.1", UserGroupIds=["drill-users"])
        self.fault("kill", "guarded", administrator=True)
        self.drop_group("guarded")

    def test_a_zone(self):
        self.make_group("in-clear", 2, EngineVersion="7.1",
                        PreferredCacheClusterAZs=[ZONES[0], ZONES[1]])
        self.make_group("in-code", 2, EngineVersion="7.1", TransitEncryptionEnabled=True,
                        PreferredCacheClusterAZs=[ZONES[0], ZONES[1]])
        text = self.drill("zone-outage", ZONES[0][-1], "--duration", "1").ok().out
        self.assertEqual(text.count("failover from"), 2, text)
        self.assertEqual(text.count(AS_ADMINISTRATOR), 1, text)
        for group_id in ("in-clear", "in-code"):
            self.assertIn(f"replication group {group_id} (", text)
            self.region.wait_group(group_id, 2)

    def test_refusals(self):
        self.assertEqual(self.drill("kill", "nobody").code, 2)
        self.make_cluster("lonely")
        outcome = self.drill("kill", "lonely")
        self.assertEqual(outcome.code, 2)
        self.assertIn("is in no replication group", outcome.err)
        self.make_group("budget", 2, EngineVersion="7.1", TransitEncryptionEnabled=True)
        outcome = self.drill("kill", primary_of(self.region.group("budget")), "--budget-ms", "0")
        self.assertEqual(outcome.code, 1)
        self.assertIn("the budget is 0 ms", outcome.err)
        self.region.wait_group("budget", 2)
