"""Redis clients as they come, in a `hikae shell`, while the primary they write to is killed."""

import os
import signal
import unittest

from support import commands
from support.case import RegionTestCase
from support.groups import primary_of, shard_of
from support.waiting import eventually

from . import programs

TAKEOVER_SECONDS = 20  # far above what it takes, so that a loaded machine fails nothing
WRITES = 100  # before the fault and behind it


class Reconnect(RegionTestCase):
    """Nothing but the primary endpoint's name and port is told to the clients."""

    network_name = "clients"

    @classmethod
    def setUpClass(cls):
        probe = commands.run(["unshare", "--mount", "true"])
        if probe.code != 0:
            raise unittest.SkipTest("mount namespaces are not permitted here")
        super().setUpClass()

    def check_killed_under(self, group_id, start):
        """`start(host, port)` starts the client."""
        group = self.make_group(group_id, 3, EngineVersion="7.1")
        endpoint = shard_of(group)["PrimaryEndpoint"]
        old = primary_of(group)
        with self.region.session(endpoint) as session:
            self.assertEqual(session.ask("set before failover"), "OK")
            self.assertEqual(session.ask("wait 2 5000"), 2)
        client = start(endpoint["Address"], str(endpoint["Port"]))
        self.addCleanup(client.end)
        self.wait_writes(client, WRITES)
        os.kill(self.region.pid_of(old), signal.SIGKILL)
        eventually(lambda: primary_of(self.region.group(group_id)) != old,
                   f"a replica of {old} leads", TAKEOVER_SECONDS)
        self.wait_writes(client, len(client.acknowledged) + WRITES)
        client.end()
        with self.region.session(endpoint) as session:
            self.assertEqual(session.ask("get before"), "failover")
            lost = [number for number in client.acknowledged
                    if session.ask(f"get n:{number}") != str(number)]
        self.assertEqual(lost, [], f"of {len(client.acknowledged)} acknowledged writes")
        self.region.wait_group(group_id, 3)

    def wait_writes(self, client, count):
        def written():
            seen = len(client.acknowledged)
            self.assertGreaterEqual(seen, count, f"the client said at last {client.refused[-3:]}")
            return True

        eventually(written, f"{count} writes are acknowledged", TAKEOVER_SECONDS)

    def test_redis_cli(self):
        program = "redis-cli" if commands.have("redis-cli") else "valkey-cli"
        self.check_killed_under("cli", lambda host, port: programs.RedisCli(
            self.region, program, "-h", host, "-p", port))

    def test_ioredis(self):
        modules = programs.node_modules()
        self.check_killed_under("ioredis", lambda host, port: programs.Client(
            self.region, "node", programs.path("ioredis_writer.js"), host, port,
            NODE_PATH=modules))

    def test_redis_py(self):
        python = programs.python_with_redis()
        self.check_killed_under("redis-py", lambda host, port: programs.Client(
            self.region, python, programs.path("redis_py_writer.py"), host, port))


class ReconnectThroughPort53(Reconnect):
    """As root, and where the port is free, the shell's resolver is the region's DNS server."""

    @classmethod
    def make_region(cls):
        region = super().make_region()
        region.dns = (f"127.0.{os.getpid() % 250 + 3}.53", 53)
        return region

    @classmethod
    def setUpClass(cls):
        if os.geteuid() != 0:
            raise unittest.SkipTest("port 53 needs root")
        super().setUpClass()
