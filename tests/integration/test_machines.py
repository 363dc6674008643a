"""Six hosts in three zones, two servers, three members of etcd, each a machine of its own that can
be cut off, struck by half, or lose its power; clients on every side write all the time."""

import random
import signal
import time
import unittest

from support.machine_case import LEASE, MachineCase, StormCase
from support.machines import ETCDS, HOSTS
from support.storm import make_round
from support.waiting import eventually


class Faults(MachineCase):
    # One way

    def test_a_host_that_hears_nothing_is_replaced(self):
        self.writes_until(time.monotonic() + 5 * LEASE)  # beyond a new leader's patience
        everybody = [m for m in (*HOSTS, *ETCDS) if m != self.host]
        cut = self.m.block(everybody, [self.host])
        elsewhere = self.wait_moved()
        print(f"\n  first write elsewhere after {1000 * (elsewhere - cut):.0f} ms")
        self.assertLess(self.beside.last_taken(), elsewhere)
        # Leases that did not get there are not waited for.
        self.assertLess(elsewhere - cut, 2.2 * LEASE)
        self.settle()

    def test_a_host_that_nobody_hears_is_replaced(self):
        everybody = [m for m in (*HOSTS, *ETCDS) if m != self.host]
        cut = self.m.block([self.host], everybody)
        elsewhere = self.wait_moved()
        print(f"\n  first write elsewhere after {1000 * (elsewhere - cut):.0f} ms")
        self.assertLess(self.beside.last_taken(), elsewhere)
        self.settle()

    def test_servers_that_do_not_hear_a_host_leave_its_primary_alone(self):
        self.stays_unheard_by_servers()

    def test_replicas_that_do_not_hear_their_primary_do_not_lead(self):
        """The servers hear it, and renew its lease."""
        began = self.m.block([self.host], self.others)
        self.writes_until(began + 5 * LEASE)
        self.assert_stayed(began)

    # The control plane

    def test_a_leader_that_is_cut_off_costs_no_write(self):
        leader = self.m.wait_leader()
        engines = self.m.engines()
        began = self.m.cut(leader.machine)
        eventually(lambda: self.m.leader() not in (None, leader), "the other leads", 20)
        self.writes_until(time.monotonic() + 8 * LEASE)
        self.assert_stayed(began)
        self.assertEqual(self.m.engines(), engines)

    # Confirmed writes

    def test_confirmed_writes_survive_though_only_the_cut_off_side_has_them(self):
        """The primary and one replica are on one side, with clients that WAIT for a replica. The
        servers hear the other replica alone, and wait rather than make it the primary."""
        self.m.promise(1)
        self.addCleanup(self.m.promise, 0)
        self.m.wait_whole()
        confirmed = self.m.confirm_beside(self.old)
        near, far = self.others
        inside = [self.host, near]
        outside = [m for m in (*HOSTS, *ETCDS) if m not in inside]
        began = self.m.block(inside, outside)
        self.m.block(outside, inside)
        eventually(lambda: any("has no primary" in text for text in self.m.events_since(began)),
                   "the group waits and says so", 30)
        self.assertEqual(self.m.primary(), self.old)
        self.assertGreater(confirmed.count_since(began), 0)
        self.assertTrue(self.m.clients[self.member_at(far)].is_alive())
        self.m.heal()
        self.m.cut(self.host)  # the replica that confirmed them is heard again, the primary is not
        self.wait_moved()
        account = self.settle()
        self.assertEqual(self.m.lost_of(confirmed), [])
        self.assertGreater(len(account.writes), 0)

    def test_a_lost_member_of_etcd_delays_no_failover(self):
        began = self.m.kill_etcd(self.m.wait_etcd_leader())
        self.m.kill_engine(self.old)
        elsewhere = self.wait_moved()
        print(f"\n  first write elsewhere after {1000 * (elsewhere - began):.0f} ms")
        self.assertLess(elsewhere - began, 15)
        self.settle()

    def test_without_a_quorum_of_etcd_writes_go_on_and_nothing_is_restarted_later(self):
        engines = self.m.engines()
        began = self.m.kill_etcd(0, 1)
        self.writes_until(began + 12 * LEASE)  # beyond every lease of servers, too
        self.assertIsNone(self.m.leader())
        self.m.heal()
        self.m.wait_leader()
        self.writes_until(time.monotonic() + 8 * LEASE)  # and beyond a new leader's patience
        self.assert_stayed(began)
        self.assertEqual(self.m.engines(), engines)

    def test_a_leader_lost_in_the_midst_of_a_failover_is_followed_by_one_that_ends_it(self):
        leader = self.m.wait_leader()
        cut = self.m.cut(self.host)
        # From before the old lease is over to after the commit.
        moment = random.uniform(0.8, 1.4)
        eventually(lambda: time.monotonic() >= cut + moment, "the moment", 5, 0)
        self.m.kill_server(leader.machine)
        elsewhere = self.wait_moved()
        print(f"\n  leader lost after {moment:.3f} s, first write elsewhere after "
              f"{1000 * (elsewhere - cut):.0f} ms")
        self.assertLess(self.beside.last_taken(), elsewhere)
        self.settle()
        eventually(lambda: self.reported(self.old), "somebody has reported it", 30)

    # Machines

    def test_power_loss_of_the_primarys_host(self):
        """Another leads, the node is rebuilt on the zone's other host, and the first one cleans up
        when it is back."""
        off = self.m.power_off(self.host)
        elsewhere = self.wait_moved()
        print(f"\n  first write elsewhere after {1000 * (elsewhere - off):.0f} ms")
        self.assertLess(elsewhere - off, 10)
        eventually(self.has_another_host, "the node has another host", 40)
        self.assertEqual(self.m.host_of(self.old)[0], self.host[0])
        self.m.wait_whole()
        self.settle()
        eventually(lambda: self.m.hosts()[f"host-{self.host}"]["state"] == "connected",
                   "the host is back", 30)
        eventually(lambda: not self.m.agents[self.host].nodes(), "its old node is gone", 20)

    def test_power_loss_of_a_server_with_its_member_of_etcd(self):
        leader = self.m.wait_leader()
        began = self.m.power_off(leader.machine)
        eventually(lambda: self.m.leader() not in (None, leader), "the other leads", 20)
        self.writes_until(time.monotonic() + 8 * LEASE)
        self.assert_stayed(began)

    def test_a_stopped_agent_of_the_primary(self):
        stopped = self.m.signal_agent(self.host, signal.SIGSTOP, signal.SIGCONT)
        elsewhere = self.wait_moved()
        self.assertLess(self.beside.last_taken(), elsewhere)
        self.assertLess(elsewhere - stopped, 10)
        self.settle()


class Storms(StormCase):
    seconds = 180

    def test_faults_by_chance(self):
        self.run_storm()

    def test_a_round_is_a_function_of_seed_and_number(self):
        self.assertEqual(make_round(7, 3), make_round(7, 3))
        self.assertNotEqual(make_round(7, 3), make_round(8, 3))


if __name__ == "__main__":
    unittest.main()
