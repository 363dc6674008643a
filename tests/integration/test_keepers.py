"""Hosts whose engines have no module: keepers stop an engine when its lease is over, and replicas
promise by following. The same machines, faults and promises as with the module."""

import contextlib
import signal
import time
import unittest

from support import processes
from support.machine_case import LEASE, MachineCase, StormCase
from support.machines import ETCDS, GROUP, WITHOUT_MODULE
from support.waiting import eventually


class Faults(MachineCase):
    agent_arguments = WITHOUT_MODULE

    def engine(self, host):
        """The pid of the one engine there."""
        return next(iter(self.m.agents[host].nodes()))

    def state(self):
        """Of the old primary's process; nothing when it has ended."""
        with contextlib.suppress(OSError):
            with open(f"/proc/{self.pid}/stat", encoding="ascii") as stat:
                return stat.read().rpartition(")")[2].split()[0]
        return ""

    def setUp(self):
        super().setUp()
        self.pid = self.engine(self.host)

    # The host cannot be asked

    def test_a_host_that_is_cut_off_is_replaced_after_its_engine_was_stopped(self):
        self.writes_until(time.monotonic() + 5 * LEASE)  # beyond a new leader's patience
        cut = self.m.cut(self.host)
        eventually(lambda: self.state() == "T", "its keeper has stopped it", 10, 0.01)
        elsewhere = self.wait_moved()
        print(f"\n  first write elsewhere after {1000 * (elsewhere - cut):.0f} ms")
        self.assertLess(self.beside.last_taken(), elsewhere)
        self.settle()

    def test_power_loss_of_the_primarys_host(self):
        off = self.m.power_off(self.host)
        elsewhere = self.wait_moved()
        print(f"\n  first write elsewhere after {1000 * (elsewhere - off):.0f} ms")
        self.settle()

    def test_a_stopped_agent_is_replaced_after_its_engine_was_stopped(self):
        self.m.signal_agent(self.host, signal.SIGSTOP, signal.SIGCONT)
        elsewhere = self.wait_moved()
        self.assertEqual(self.state(), "T")
        self.assertLess(self.beside.last_taken(), elsewhere)
        self.settle()

    def test_servers_that_do_not_hear_a_host_leave_its_primary_alone(self):
        self.stays_unheard_by_servers()
        self.assertEqual(self.engine(self.host), self.pid)

    # The control plane

    def test_without_any_server_writes_go_on_and_nothing_is_restarted_later(self):
        engines = self.m.engines()
        began = time.monotonic()
        for machine in list(self.m.servers):
            self.m.kill_server(machine)
        self.writes_until(began + 12 * LEASE)
        self.m.heal()
        self.m.wait_leader()
        self.writes_until(time.monotonic() + 8 * LEASE)
        self.assert_stayed(began)
        self.assertEqual(self.m.engines(), engines)

    def test_without_servers_and_a_replica_it_stands_still_until_they_are_back(self):
        """Nobody can say that the replica does not lead elsewhere. Nothing is lost but time."""
        replica = self.others[0]
        self.m.power_off(replica)
        for machine in list(self.m.servers):
            self.m.kill_server(machine)
        eventually(lambda: self.state() == "T", "its keeper has stopped it", 10, 0.01)
        stood = time.monotonic()
        self.m.heal()
        self.writes_until(stood)
        self.assertEqual(self.engine(self.host), self.pid)
        account = self.settle()
        self.assertEqual(account.failovers, [])

    # The host lives

    def test_a_killed_engine_is_replaced_at_once(self):
        killed = self.m.kill_engine(self.old)
        elsewhere = self.wait_moved()
        print(f"\n  first write elsewhere after {1000 * (elsewhere - killed):.0f} ms")
        self.settle()

    def test_a_killed_keeper_takes_its_engine_along(self):
        keeper = processes.parent_of(self.pid)
        self.assertIn("hikae-keeper", processes.command_line(keeper))
        self.m.kill_process_at(self.host, keeper)
        eventually(lambda: self.state() in ("", "Z"), "the engine has ended", 10, 0.01)
        self.wait_moved()
        self.settle()

    def test_a_killed_agent_finds_its_engine_again(self):
        self.m.kill_agent(self.host)
        self.m.heal()
        self.writes_until(time.monotonic() + 3 * LEASE)
        self.assertEqual(self.engine(self.host), self.pid)
        account = self.settle()
        self.assertEqual(account.failovers, [])

    def test_a_planned_switchover_needs_no_end_of_any_process(self):
        engines = self.m.engines()
        target = next(member for member in self.m.clients if member != self.old)
        self.m.answering()[0].elasticache.modify_replication_group(
            ReplicationGroupId=GROUP, ApplyImmediately=True, PrimaryClusterId=target)
        self.wait_moved()
        self.settle()
        self.assertEqual(self.m.engines(), engines)


class Storms(StormCase):
    seconds = 45
    agent_arguments = WITHOUT_MODULE

    def test_faults_by_chance(self):
        self.run_storm()


if __name__ == "__main__":
    unittest.main()
