"""The base of tests that strike machines while clients on every side write."""

import os
import random
import time
import unittest

from . import netns
from .machines import ETCDS, Machines
from .storm import Storm
from .waiting import eventually

LEASE = 1.0
REBUILD = "6s"  # of a host of which nothing is heard
TIMELINE_LINES = 80  # of a storm that failed


class MachineCase(unittest.TestCase):
    """One set of machines for all tests of a class, whole and with clients before each."""

    agent_arguments = ()

    @classmethod
    def setUpClass(cls):
        netns.require()
        cls.region = Machines("--rebuild-after", REBUILD, agent_arguments=cls.agent_arguments)
        cls.addClassCleanup(cls.region.dispose)
        cls.region.start()

    def setUp(self):
        self.m = self.region
        self.m.wait_whole()
        self.beside = self.m.start_clients()
        self.addCleanup(self.m.end_clients)
        self.addCleanup(self.m.heal)
        self.old = self.m.primary()
        self.host = self.beside.host
        self.others = sorted({c.host for c in self.m.clients.values()} - {self.host})

    def settle(self):
        account = self.m.settle()
        print(f"\n{account.describe()}")
        self.assertEqual(account.problems(), [])
        return account

    def writes_until(self, at, client=None):
        """Until a write was taken that was asked for after `at`."""
        client = client or self.beside
        eventually(lambda: client.last_taken() > at, "writes are taken", 30)

    def wait_moved(self):
        """Until another node takes writes. When it took the first one."""
        def first():
            found = [asked for member, client in self.m.clients.items() if member != self.old
                     for asked, _, _, text in list(client.answers) if text == "OK"]
            return min(found, default=None)

        return eventually(first, "another node takes writes", 30)

    def has_another_host(self):
        """Its name has an address all the way there, or this raises OSError."""
        return self.m.host_of(self.old) != self.host

    def assert_stayed(self, began):
        """No failover, and the primary refused nothing."""
        account = self.settle()
        self.assertEqual(account.failovers, [])
        refused = [text for asked, _, _, text in self.beside.answers if asked > began
                   and text != "OK"]
        self.assertEqual(refused, [])
        self.assertEqual(account.lost, [])
        return account

    def stays_unheard_by_servers(self):
        """Its replicas hear it, and let it go on."""
        began = self.m.block([self.host], ETCDS)
        self.writes_until(began + 8 * LEASE)
        self.assert_stayed(began)

    def member_at(self, host):
        return next(member for member, client in self.m.clients.items() if client.host == host)

    def reported(self, old):
        return [report for report in self.m.reports()
                if report["old_primary"] == old and not report["planned"]]


class StormCase(unittest.TestCase):
    """Faults by chance, with a seed that it prints, or $HIKAE_CHAOS_SEED."""

    longest_seconds = 420  # on a machine on which each round takes the longest it may
    seconds = 60  # of faults
    agent_arguments = ()

    def run_storm(self):
        netns.require()
        seed = int(os.environ.get("HIKAE_CHAOS_SEED") or random.SystemRandom().randrange(1_000_000))
        lines = []
        self.region = Machines("--rebuild-after", REBUILD, agent_arguments=self.agent_arguments)
        self.addCleanup(self.region.dispose)
        self.region.start()
        storm = Storm(self.region, seed, lines.append)
        try:
            rounds = storm.run(self.seconds)
        except Exception as error:
            told = "\n".join(lines[-TIMELINE_LINES:])
            raise AssertionError(f"seed {seed} (tests/chaos/machines.py --seed {seed})\n{told}\n"
                                 f"{error}") from error
        print(f"\n  seed {seed}: {rounds} rounds, {storm.failovers} failovers, {storm.writes} "
              f"writes, {storm.lost} lost and admitted")
        self.assertGreater(rounds, 0)
