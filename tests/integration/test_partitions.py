"""Zones that are cut off, with real engines in network namespaces: never two primaries take writes,
and a group goes on where most of its world is."""

import json
import os
import signal
import time
import unittest

from support import netns
from support.agent import agents_arguments, hosts
from support.groups import primary_of, shard_of
from support.inline import InlineSession
from support.netns import LocalClient, ZoneAgent, Zones
from support.network import Network
from support.region import Region
from support.waiting import eventually
from support.writer import Writer

NAMES = "abc"
LEASE = 1.0
SOON = 3.0  # a lease, its margin, and a busy machine


class PartitionTestCase(unittest.TestCase):
    serve_arguments = ()

    def setUp(self):
        netns.require()
        self.zones = Zones(NAMES)
        self.addCleanup(self.zones.dispose)
        self.start_servers()
        self.network = Network(self.region, "zones", [f"ap-northeast-1{name}" for name in NAMES])
        self.agents = {}
        for name in NAMES:
            agent = ZoneAgent(self.region, self.zones, name, self.ports)
            self.addCleanup(agent.dispose)
            self.agents[name] = agent.join()

    def listening(self):
        """Arguments of a server in the hub; its port for agents is kept."""
        arguments, port = agents_arguments()
        self.ports.append(port)
        return [arguments[0], f"{self.zones.hub_address}:{port}", *self.serve_arguments]

    def start_servers(self):
        self.ports = []
        self.region = Region(*self.listening())
        self.addCleanup(self.region.dispose)
        self.region.start()

    def make_group(self, members=3, **more):
        self.region.elasticache.create_replication_group(**self.network.group_arguments(
            ReplicationGroupId="g", NumCacheClusters=members, AutomaticFailoverEnabled=True,
            **more))
        group = self.region.wait_group("g", members)
        self.wait_leased(group)
        return group

    def address_of(self, group, cluster):
        member = next(m for m in shard_of(group)["NodeGroupMembers"]
                      if m["CacheClusterId"] == cluster)
        return self.region.resolve(member["ReadEndpoint"]["Address"])

    def zone_of(self, group, cluster):
        return next(m["PreferredAvailabilityZone"][-1]
                    for m in shard_of(group)["NodeGroupMembers"]
                    if m["CacheClusterId"] == cluster)

    def wait_leased(self, group):
        """Until the primary takes writes by a lease and its replicas know that they count."""
        primary = primary_of(group)
        addresses = {m["CacheClusterId"]: self.address_of(group, m["CacheClusterId"])
                     for m in shard_of(group)["NodeGroupMembers"]}

        def leased():
            for cluster, address in addresses.items():
                with InlineSession(address, 6379) as session:
                    info = session.info("hikae")
                if cluster == primary and (info.get("hikae_epoch", "0") == "0" or
                                           info["hikae_open"] != "1"):
                    return False
                if cluster != primary and info.get("hikae_counted_epoch", "0") == "0":
                    return False
            status = self.region.hikae("status", "--json", "--data", self.region.data).ok().out
            return json.loads(status)["caches"][0]["lease"]

        eventually(leased, "the primary has a lease")

    def beside(self, group, cluster):
        """A client in the zone of the node that writes to it, whatever becomes of it."""
        client = LocalClient(self.zones.zones[self.zone_of(group, cluster)],
                             self.address_of(group, cluster), 6379, InlineSession)
        self.addCleanup(client.end)
        client.start()
        eventually(lambda: len(client.acknowledged()) > 100, "its writes are taken")
        return client

    def writer(self, group):
        writer = Writer(self.region, shard_of(group)["PrimaryEndpoint"], batch=1, timeout=0.5)
        self.addCleanup(writer.end)
        writer.start()
        eventually(lambda: len(writer.acknowledged) > 1000, "writes are taken")
        return writer

    def first_write_elsewhere(self, writer, address, since):
        """When another node than the one at `address` took a write after `since`."""
        def found():
            taken = [one.at for one in list(writer.acknowledged.values())
                     if one.at > since and one.node != address]
            return min(taken, default=None)

        return eventually(found, "another node takes writes", 20)

    def wait_moved(self, old, timeout=30):
        def moved():
            now = self.region.wait_group("g")
            return now if primary_of(now) != old else None

        return eventually(moved, "another member is the primary", timeout)


class Cut(PartitionTestCase):
    def test_a_zone_with_the_primary_is_cut_off(self):
        group = self.make_group()
        old = primary_of(group)
        zone, address = self.zone_of(group, old), self.address_of(group, old)
        beside, writer = self.beside(group, old), self.writer(group)
        cut = time.monotonic()
        self.zones.cut(zone)
        elsewhere = self.first_write_elsewhere(writer, address, cut)
        refused = eventually(beside.refused, "the old primary refuses writes")
        print(f"\n  cut to refusal {1000 * (refused - cut):.0f} ms, "
              f"to the first write elsewhere {1000 * (elsewhere - cut):.0f} ms")
        self.assertLess(refused, elsewhere, "two primaries took writes")
        self.assertLess(beside.last_taken(), elsewhere)
        self.assertLess(refused - cut, SOON)
        with self.zones.zones[zone].inside():
            with InlineSession(address, 6379) as session:
                self.assertEqual(session.ask("get local:1"), "1")  # reads go on
        eventually(lambda: hosts(self.region)[f"host-{zone}"]["state"] == "disconnected",
                   "the host is out of reach", 20)
        self.zones.heal(zone)
        now = self.wait_moved(old)
        self.agents[zone].wait_connected()
        eventually(lambda: self.follows(address), "the old primary is a replica", 30)
        self.region.wait_group("g", 3)
        beside.end()
        writer.end()
        # What it took before the cut and sent is there; what it took later nobody else ever had.
        with self.region.session(shard_of(now)["PrimaryEndpoint"]) as session:
            before = [number for number, one in writer.acknowledged.items() if one.at < cut - 0.1]
            after = [number for number, one in writer.acknowledged.items()
                     if one.at >= elsewhere]
            self.assertTrue(before and after)
            self.assertEqual(writer.missing(session, before + after), [])
            lost = [number for number in beside.acknowledged()
                    if session.ask(f"get local:{number}") != str(number)]
        asked = {number: time_asked for time_asked, _, number, _ in beside.answers}
        self.assertFalse([n for n in lost if asked[n] < cut - 0.1], "lost before the cut")

    def follows(self, address):
        try:
            with InlineSession(address, 6379) as session:
                info = session.info("replication")
        except OSError:
            return False  # sent away when it became one
        return info["role"] == "slave" and info["master_link_status"] == "up"

    def test_a_zone_with_a_replica_is_cut_off(self):
        group = self.make_group()
        old = primary_of(group)
        replica = next(m["CacheClusterId"] for m in shard_of(group)["NodeGroupMembers"]
                       if m["CacheClusterId"] != old)
        writer = self.writer(group)
        beside = self.beside(group, old)
        zone = self.zone_of(group, replica)
        cut = time.monotonic()
        self.zones.cut(zone)
        eventually(lambda: time.monotonic() > cut + 3 * LEASE and
                   beside.last_taken() > cut + 2 * LEASE, "writes go on")
        self.zones.heal(zone)
        self.agents[zone].wait_connected()
        self.assertEqual(primary_of(self.region.wait_group("g", 3)), old)
        self.assertIsNone(beside.refused())
        self.assertEqual(writer.finish(), [])

    def test_a_group_with_an_append_only_file_has_leases(self):
        self.region.elasticache.create_cache_parameter_group(
            CacheParameterGroupName="kept", CacheParameterGroupFamily="redis2.8", Description="d")
        self.region.elasticache.modify_cache_parameter_group(
            CacheParameterGroupName="kept",
            ParameterNameValues=[{"ParameterName": "appendonly", "ParameterValue": "yes"}])
        group = self.make_group(CacheParameterGroupName="kept")
        old = primary_of(group)
        beside = self.beside(group, old)
        gone = time.monotonic()
        self.region.kill()
        eventually(lambda: beside.last_taken() > gone + 3 * LEASE, "writes go on by promises")
        self.assertIsNone(beside.refused())
        self.region.start()
        for agent in self.agents.values():
            agent.wait_connected()
        found = [os.path.join(place, name) for agent in self.agents.values()
                 for place, _, names in os.walk(agent.data) for name in names
                 if place.endswith("appendonlydir")]
        content = {path: self.content(path) for path in found}
        self.assertEqual(sum(b"local:" in text for text in content.values()), 3, list(content))
        self.assertFalse([path for path, text in content.items() if b"hikae.promise" in text])

    @staticmethod
    def content(path):
        with open(path, "rb") as file:
            return file.read().lower()

    def test_an_agent_that_is_stopped_lets_no_lease_last(self):
        group = self.make_group()
        old = primary_of(group)
        zone, address = self.zone_of(group, old), self.address_of(group, old)
        beside, writer = self.beside(group, old), self.writer(group)
        stopped = time.monotonic()
        agent = self.agents[zone].process
        agent.send_signal(signal.SIGSTOP)
        self.addCleanup(agent.send_signal, signal.SIGCONT)
        elsewhere = self.first_write_elsewhere(writer, address, stopped)
        refused = eventually(beside.refused, "the old primary refuses writes")
        self.assertLess(refused, elsewhere)
        self.assertLess(beside.last_taken(), elsewhere)
        agent.send_signal(signal.SIGCONT)
        self.wait_moved(old)
        eventually(lambda: self.follows(address), "the old primary is a replica", 30)
        self.region.wait_group("g", 3)

    def test_without_a_server_writes_go_on_while_all_replicas_follow(self):
        group = self.make_group()
        old = primary_of(group)
        beside = self.beside(group, old)
        gone = time.monotonic()
        self.region.kill()
        eventually(lambda: time.monotonic() > gone + 4 * LEASE and
                   beside.last_taken() > gone + 3 * LEASE, "writes go on")
        self.assertIsNone(beside.refused())
        # One replica less: nobody can say that it was not made primary.
        replica = next(m["CacheClusterId"] for m in shard_of(group)["NodeGroupMembers"]
                       if m["CacheClusterId"] != old)
        self.zones.cut(self.zone_of(group, replica))
        eventually(beside.refused, "the primary refuses writes", 10)
        self.zones.heal(self.zone_of(group, replica))
        healed = time.monotonic()
        eventually(lambda: beside.last_taken() > healed, "it takes writes again", 20)
        self.region.start()
        for agent in self.agents.values():
            agent.wait_connected()
        self.assertEqual(primary_of(self.region.wait_group("g", 3)), old)
        beside.end()
        with self.region.session(shard_of(group)["PrimaryEndpoint"]) as session:
            numbers = beside.acknowledged()
            values = session.ask_all([f"get local:{number}" for number in numbers])
        self.assertEqual(values, [str(number) for number in numbers])
