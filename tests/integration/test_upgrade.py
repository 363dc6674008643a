"""Every program of a region is replaced, one after the other, under a client that writes.

HIKAE_OLD_BINARY names the build that the region begins with; without it, it is the same build that
starts again.
"""

import os
import unittest

from support import processes
from support.groups import shard_of
from support.network import Network
from support.region import binary
from support.waiting import eventually
from support.writer import Writer

from .test_several_servers import TAKE_OVER, TwoServersTestCase


class Upgrade(TwoServersTestCase):
    program = os.environ.get("HIKAE_OLD_BINARY") or binary()

    def upgrade(self, server):
        server.terminate()
        server.program = binary()
        server.start()

    def upgrade_agent(self, agent):
        agent.terminate()
        before = agent.log().count(" is connected to ")
        agent.program = binary()
        agent.start()
        eventually(lambda: agent.log().count(" is connected to ") > before, "it is back")

    def test_under_writes(self):
        network = Network(self.a, "hosts", [f"ap-northeast-1{zone}" for zone in "abc"])
        self.a.elasticache.create_replication_group(**network.group_arguments(
            ReplicationGroupId="kept", NumCacheClusters=3, AutomaticFailoverEnabled=True))
        group = self.a.wait_group("kept", 3)
        engines = self.identities()
        writer = Writer(self.b, shard_of(group)["PrimaryEndpoint"])
        writer.start()
        self.addCleanup(writer.end)

        def goes_on():
            before = len(writer.acknowledged)
            eventually(lambda: len(writer.acknowledged) > before + 100, "writes go on")

        goes_on()
        writer.interruptions.clear()  # the first lease may come a moment after it is available
        self.upgrade(self.b)
        goes_on()
        self.upgrade(self.a)  # the leader
        eventually(lambda: self.b.leads() or self.a.leads(), "one leads", TAKE_OVER)
        goes_on()
        for agent in self.agents:
            self.upgrade_agent(agent)
            goes_on()
        self.assertEqual(writer.finish(), [])
        self.assertEqual(writer.interruptions, [], "writes failed")
        self.assertEqual(self.a.wait_group("kept", 3), group)
        self.assertEqual(self.identities(), engines)
        for agent in self.agents:
            pid = agent.process.pid
            self.assertEqual(os.readlink(f"/proc/{pid}/exe"), os.path.realpath(binary()))
            self.assertTrue(processes.is_alive(pid))


if __name__ == "__main__":
    unittest.main()
