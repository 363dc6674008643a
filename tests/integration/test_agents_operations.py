"""Operating a region of several hosts: what is shown, hosts that die, hosts that are emptied."""

import json
import os
import signal
import subprocess
import threading
import unittest

from support import commands
from support.agent import Agent, agents_arguments, hosts, waiting
from support.groups import members_of, primary_of, shard_of
from support.network import Network
from support.region import Region, binary, free_port
from support.waiting import eventually
from support.writer import Writer

ZONES = ("ap-northeast-1a", "ap-northeast-1b", "ap-northeast-1c")
REBUILD_AFTER = 4  # seconds
MOVE_TIMEOUT = 60


class HostsTestCase(unittest.TestCase):
    """The agents h1, h2, h3 in the zones a, b, c, of a region that is made for each test."""

    serve_arguments = ()

    def setUp(self):
        arguments, self.port = agents_arguments()
        self.region = Region(*arguments, *self.serve_arguments)
        self.addCleanup(self.region.dispose)
        self.region.start()
        self.network = Network(self.region, "operated", ZONES)
        self.agents = {}
        for name, zone in (("h1", "a"), ("h2", "b"), ("h3", "c")):
            self.add_host(name, zone)

    def add_host(self, name, zone, *arguments, **more):
        agent = Agent(self.region, name, zone, self.port, *arguments, **more)
        self.addCleanup(agent.dispose)
        self.agents[name] = agent.join()
        return agent

    def host(self, *arguments):
        return self.region.hikae("host", *arguments, "--data", self.region.data)

    def status(self):
        outcome = self.region.hikae("status", "--json", "--data", self.region.data).ok()
        return json.loads(outcome.out)

    def shown_host(self, name):
        return next(host for host in self.status()["hosts"] if host["id"] == name)

    def make_group(self, group_id, members, **more):
        more.setdefault("AutomaticFailoverEnabled", members > 1)
        self.region.elasticache.create_replication_group(**self.network.group_arguments(
            ReplicationGroupId=group_id, NumCacheClusters=members, **more))
        return self.region.wait_group(group_id, members)

    def make_cluster(self, cluster_id, **more):
        self.region.elasticache.create_cache_cluster(
            **self.network.cluster_arguments(CacheClusterId=cluster_id, **more))
        return self.region.wait_cluster(cluster_id)

    def host_of(self, cluster_id):
        """The name of the only host that runs the cluster's node; None: none or several do."""
        found = [name for name, agent in self.agents.items()
                 if any(f"/{cluster_id}/" in cwd + "/" for cwd in agent.nodes().values())]
        return found[0] if len(found) == 1 else None

    def ask(self, endpoint, command):
        with self.region.session(endpoint) as session:
            return session.ask(command)

    def put_everywhere(self, group, key):
        with self.region.session(shard_of(group)["PrimaryEndpoint"]) as session:
            self.assertEqual(session.ask(f"set {key} yes"), "OK")
            others = len(members_of(group)) - 1
            self.assertEqual(session.ask(f"wait {others} 10000"), others)

    def replicas(self, group):
        """Those that have their copy: a primary counts one from when it asks for it."""
        following = 0
        for endpoint in members_of(group).values():
            try:
                with self.region.session(endpoint) as session:
                    following += session.info("replication").get("master_link_status") == "up"
            except OSError:
                pass  # a new one does not listen yet
        return following


class Glance(HostsTestCase):
    def test_status_and_events(self):
        self.make_group("seen", 3)
        status = self.status()
        self.assertEqual(status["region"], "ap-northeast-1")
        (server,) = status["servers"]
        self.assertEqual((server["api"], server["leads"], server["asked"]),
                         (self.region.host, True, True))
        self.assertEqual({host["id"]: (host["state"], host["nodes"]) for host in status["hosts"]},
                         {name: ("connected", 1) for name in self.agents})
        (cache,) = status["caches"]
        self.assertEqual((cache["id"], cache["status"], cache["members"], cache["note"]),
                         ("seen", "available", 3, ""))
        self.assertEqual(cache["host"], self.host_of(cache["primary"]))
        table = self.region.hikae("status", "--data", self.region.data).ok().out
        self.assertRegex(table, r"(?m)^seen +\S+ \S+ +available +seen-001 +h\d +3")
        self.host("cordon", "h1").ok()
        self.assertEqual(self.shown_host("h1")["state"], "connected, cordoned")

        lines = self.region.hikae("events", "--source", "seen", "--json", "--data",
                                  self.region.data).ok().out.splitlines()
        self.assertIn("Replication group seen created", [json.loads(one)["message"]
                                                         for one in lines])
        self.assertEqual({json.loads(one)["source"] for one in lines}, {"seen"})
        one = self.region.hikae("events", "--last", "1", "--data", self.region.data).ok().out
        self.assertEqual(len(one.splitlines()), 1)

    def test_events_are_followed(self):
        follower = subprocess.Popen(
            [binary(), "events", "--follow", "--last", "0", "--source", "cache-cluster", "--json",
             "--data", self.region.data], stdout=subprocess.PIPE, text=True,
            env=commands.bare_environment(HOME=self.region.directory))
        self.addCleanup(follower.stdout.close)
        self.addCleanup(follower.wait)
        self.addCleanup(follower.kill)
        seen = []
        reader = threading.Thread(target=lambda: seen.extend(iter(follower.stdout.readline, "")),
                                  daemon=True)
        reader.start()
        self.make_cluster("followed")
        eventually(lambda: any("Cache cluster created" in line for line in seen),
                   "the event is told")
        self.assertEqual({json.loads(line)["source"] for line in seen}, {"followed"})

    def test_without_a_server_there_is_one_line(self):
        self.region.terminate()
        for command in ("status", "events"):
            outcome = self.region.hikae(command, "--data", self.region.data)
            self.assertEqual((outcome.code, outcome.out, len(outcome.err.splitlines())),
                             (1, "", 1), outcome.err)
            self.assertTrue(outcome.err.startswith(f"hikae {command}: "), outcome.err)


class DeadHosts(HostsTestCase):
    # Without leases: a primary goes on without its agent, and is replaced when its host is dead.
    serve_arguments = ("--rebuild-after", f"{REBUILD_AFTER}s", "--lease-ms", "0")

    def test_a_dead_host_is_replaced_and_cleans_up_when_it_returns(self):
        group = self.make_group("survives", 3)
        self.put_everywhere(group, "kept")
        lost = primary_of(group)
        dead = self.agents[self.host_of(lost)]
        dead.kill()  # its engines go on, so it is not dead
        eventually(lambda: "only its agent is gone" in self.shown_host(dead.name)["note"],
                   "the engines are a sign of life")
        self.assertEqual(primary_of(self.region.group("survives")), lost)
        self.put_everywhere(group, "still")

        dead.die()
        eventually(lambda: "silent too" in self.shown_host(dead.name)["note"],
                   "the region sees that the engines are gone")

        def failed_over():
            now = self.region.group("survives")
            return now if primary_of(now) != lost else None

        after = eventually(failed_over, "another member is the primary", 30)
        self.assertEqual(self.ask(shard_of(after)["PrimaryEndpoint"], "get still"), "yes")
        line = eventually(lambda: waiting(self.region), "the lost member waits")[0]
        self.assertIn(f"{lost}/0001 needs a host", line)
        self.assertIn(f"{dead.name} is out of reach", line)

        new = self.add_host("h4", dead.zone)
        self.region.wait_group("survives", 3)
        eventually(lambda: self.replicas(after) == 2, "the new node follows", 30)
        self.assertEqual(self.host_of(lost), "h4")
        self.assertEqual(self.ask(members_of(after)[lost], "get kept"), "yes")
        self.assertTrue(new.has_address(self.region.resolve(members_of(after)[lost]["Address"])))

        os.makedirs(os.path.join(dead.data, "nodes", dead.name), exist_ok=True)
        dead.token_file = None
        dead.start().wait_connected()
        eventually(lambda: not os.listdir(os.path.join(dead.data, "nodes", dead.name)),
                   "the old node is retired")
        self.assertEqual(dead.nodes(), {})
        self.assertEqual(hosts(self.region)[dead.name]["nodes"], "0")

    def test_a_node_that_is_alone_comes_back_empty_loudly(self):
        cluster = self.make_cluster("alone", PreferredAvailabilityZone=ZONES[0])
        endpoint = cluster["CacheNodes"][0]["Endpoint"]
        self.ask(endpoint, "set gone yes")
        self.add_host("h4", "a")
        self.agents["h1"].die()
        eventually(lambda: self.host_of("alone") == "h4", "it is placed elsewhere", 30)
        self.region.wait_cluster("alone")

        def is_empty():
            try:
                return self.ask(endpoint, "get gone") is None
            except OSError:
                return False

        eventually(is_empty, "it takes commands, and is empty")
        events = self.region.hikae("events", "--source", "alone", "--data", self.region.data)
        text = events.ok().out
        self.assertIn("All data was lost: host h1 of alone is dead", text)
        self.assertIn("All data was lost: host h1 of alone is dead", self.region.log_tail(400))

    def test_the_only_copy_waits_for_its_host(self):
        group = self.make_group("stays", 2, AutomaticFailoverEnabled=False)
        dead = self.agents[self.host_of(primary_of(group))]
        self.add_host("h4", dead.zone)
        dead.die()
        eventually(lambda: "automatic failover is off" in self.shown_host(dead.name)["note"],
                   "the region says why", 30)
        self.assertEqual(primary_of(self.region.group("stays")), primary_of(group))
        self.assertEqual(self.agents["h4"].nodes(), {})


class Drains(HostsTestCase):
    longest_seconds = 300

    def drain(self, name, *arguments):
        return self.region.hikae("host", "drain", name, *arguments, "--data", self.region.data)

    def test_a_host_is_emptied_without_a_lost_write(self):
        group = self.make_group("moved", 2)
        primary = primary_of(group)
        left = self.agents[self.host_of(primary)]
        other = next(one for one in members_of(group) if one != primary)
        self.add_host("h4", left.zone)
        before = self.region.resolve(members_of(group)[primary]["Address"])
        writer = Writer(self.region, shard_of(group)["PrimaryEndpoint"])
        writer.start()
        self.addCleanup(writer.end)
        eventually(lambda: len(writer.acknowledged) > 1000, "writes are acknowledged")
        outcome = self.drain(left.name).ok()
        self.assertIn(f"host {left.name} is empty and cordoned", outcome.out)
        self.assertIn(f"{left.name}: nodes left: 1", outcome.out)
        done = len(writer.acknowledged)
        eventually(lambda: len(writer.acknowledged) > done + 1000, "writes go on")
        self.assertEqual(writer.finish(), [])
        after = self.region.wait_group("moved", 2)
        self.assertEqual(primary_of(after), other)
        self.assertEqual(self.host_of(primary), "h4")
        self.assertEqual(left.nodes(), {})
        self.assertEqual(self.shown_host(left.name)["state"], "connected, cordoned")
        self.assertEqual(members_of(after), members_of(group))
        self.assertNotEqual(self.region.resolve(members_of(after)[primary]["Address"]), before)
        eventually(lambda: self.replicas(after) == 1, "the moved member follows")
        self.host("remove", left.name).ok()

    def test_a_node_that_is_alone_takes_its_data_along(self):
        cluster = self.make_cluster("solo", PreferredAvailabilityZone=ZONES[0])
        endpoint = cluster["CacheNodes"][0]["Endpoint"]
        for number in range(100):
            self.ask(endpoint, f"set k{number} {number}")
        self.add_host("h4", "a")
        writer = Writer(self.region, endpoint)
        writer.start()
        self.addCleanup(writer.end)
        eventually(lambda: len(writer.acknowledged) > 1000, "writes are acknowledged")
        self.drain("h1").ok()
        self.assertEqual(self.host_of("solo"), "h4")
        address = self.region.resolve(endpoint["Address"])
        self.assertTrue(self.agents["h4"].has_address(address))
        eventually(lambda: next(reversed(writer.acknowledged.values())).node == address,
                   "writes go on there")
        self.assertEqual(writer.finish(), [])
        self.assertEqual(self.ask(endpoint, "get k99"), "99")
        self.assertEqual(self.region.wait_cluster("solo")["CacheClusterStatus"], "available")

    def test_there_are_never_fewer_copies(self):
        group = self.make_group("copied", 2)
        replica = next(one for one in members_of(group) if one != primary_of(group))
        left = self.agents[self.host_of(replica)]
        self.add_host("h4", left.zone)
        counts, over = [], threading.Event()

        def count():
            with self.region.session(shard_of(group)["PrimaryEndpoint"]) as session:
                while not over.is_set():
                    counts.append(int(session.info("replication")["connected_slaves"]))

        counter = threading.Thread(target=count, daemon=True)
        counter.start()
        self.drain(left.name).ok()
        over.set()
        counter.join(MOVE_TIMEOUT)
        self.assertEqual(self.host_of(replica), "h4")
        self.assertEqual((min(counts), max(counts)), (1, 2))

    def test_a_drain_outlives_the_server(self):
        group = self.make_group("goeson", 3)
        primary = primary_of(group)
        left = self.agents[self.host_of(primary)]
        self.add_host("h4", left.zone)
        following = threading.Thread(target=lambda: self.drain(left.name))
        following.start()
        eventually(lambda: self.shown_host(left.name)["draining"], "it has begun")
        self.region.kill()
        following.join(MOVE_TIMEOUT)
        self.region.start()
        for agent in self.agents.values():
            if agent is not left:
                agent.wait_connected()

        def is_empty():
            host = self.shown_host(left.name)
            return host["nodes"] == 0 and not host["draining"]

        eventually(is_empty, "the host is empty", 60)
        after = self.region.wait_group("goeson", 3)
        self.assertNotEqual(primary_of(after), primary)
        self.assertEqual(self.host_of(primary), "h4")
        eventually(lambda: self.replicas(after) == 2, "all follow")

    def test_what_has_no_room_stays_and_a_drain_can_be_stopped(self):
        self.make_group("stuck", 3)
        outcome = self.drain("h2", "--timeout", "3s")
        self.assertEqual(outcome.code, 1)
        self.assertIn("stays: ", outcome.out)
        self.assertIn("needs another host with 2.8 GiB of memory in ap-northeast-1b; there is none",
                      outcome.out)
        self.assertIn("host h2 is not empty (nodes left: 1)", outcome.err)
        self.assertEqual(self.shown_host("h2")["state"], "connected, cordoned")
        member = next(one for one in members_of(self.region.group("stuck"))
                      if self.host_of(one) == "h2")
        outcomes = []
        following = threading.Thread(target=lambda: outcomes.append(self.drain("h2")))
        following.start()
        eventually(lambda: "draining" in self.shown_host("h2")["state"], "it is drained again")
        self.drain("h2", "--stop").ok()
        following.join(MOVE_TIMEOUT)
        self.assertEqual([outcome.code for outcome in outcomes], [1])
        self.assertEqual(self.host_of(member), "h2")
        self.add_host("h4", "b")
        self.drain("h2").ok()
        self.assertEqual(self.host_of(member), "h4")
        self.assertIn("no host h9", self.drain("h9").err)


class SharedAddress(HostsTestCase):
    def test_nodes_share_the_hosts_own_address(self):
        shared = Agent(self.region, "h4", "a", self.port)
        self.addCleanup(shared.dispose)
        shared.pool_text = f"host:{shared.first}"
        self.agents["h4"] = shared.join()
        self.host("cordon", "h1").ok()
        first = self.make_cluster("first", PreferredAvailabilityZone=ZONES[0])
        self.region.elasticache.create_cache_cluster(**self.network.cluster_arguments(
            CacheClusterId="clash", PreferredAvailabilityZone=ZONES[0]))
        (line,) = eventually(lambda: waiting(self.region), "the second has no place")
        self.assertIn("h4 has a node on port 6379 already", line)
        other = self.make_cluster("other", PreferredAvailabilityZone=ZONES[0], Port=6399)
        for cluster, port in ((first, 6379), (other, 6399)):
            endpoint = cluster["CacheNodes"][0]["Endpoint"]
            self.assertEqual(endpoint["Port"], port)
            self.assertEqual(self.region.resolve(endpoint["Address"]), shared.first)
            self.assertEqual(self.ask(endpoint, f"set port {port}"), "OK")
        self.assertEqual(self.ask(first["CacheNodes"][0]["Endpoint"], "get port"), "6379")
        # What dies alone leaves the other's clients alone.
        with self.region.session(other["CacheNodes"][0]["Endpoint"]) as session:
            victim = next(pid for pid, cwd in shared.nodes().items() if "/first/" in cwd + "/")
            os.kill(victim, signal.SIGKILL)
            eventually(lambda: set(shared.nodes()) - {victim} and len(shared.nodes()) == 2,
                       "it runs again")
            self.assertEqual(session.ask("get port"), "6399")

    def test_a_mistake_is_told(self):
        outcome = self.region.hikae("agent", "--data", self.region.data + "-x", "--zone", "a",
                                    "--join", f"127.0.0.1:{free_port()}", "--addresses",
                                    "host:10.0.0.1-10.0.0.9")
        self.assertEqual(outcome.code, 2)
        self.assertIn("host:10.0.0.7", outcome.err)


if __name__ == "__main__":
    unittest.main()
