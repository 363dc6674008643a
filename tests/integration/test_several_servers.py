"""Several `hikae serve` on one etcd: one leads, all answer; what happens when one of them goes."""

import json
import os
import shutil
import signal
import tempfile
import unittest

from botocore.exceptions import ClientError

from support import processes
from support.agent import Agent, agents_arguments, hosts
from support.etcd import Etcd
from support.inline import RedisError
from support.network import Network
from support.region import Region, binary
from support.waiting import eventually

HEAD = "/hikae/ap-northeast-1/state/head"
LEADER = "/hikae/ap-northeast-1/leader"
TAKE_OVER = 20  # a lease is 5 s


class Server(Region):
    """One server of a region that several share. `engines` is the directory that they share too."""

    def __init__(self, etcd, engines=None, *arguments):
        agents = ["--local-agents", engines] if engines else []
        super().__init__("--store", etcd.url, *agents, *arguments)

    def join(self, other):
        """Brings what an operator copies to a new server."""
        os.makedirs(self.data, exist_ok=True)
        for name in ("secret", "credentials"):
            shutil.copy(os.path.join(other.data, name), os.path.join(self.data, name))
        return self

    def log(self):
        return self.log_tail(10_000)

    def leads(self):
        return self.log().rfind("this server leads now") > self.log().rfind("leads no more")


class ServersTestCase(unittest.TestCase):
    members = 1

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="hikae-test-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.engines = os.path.join(self.directory, "engines")
        self.addCleanup(processes.kill_below, self.directory)
        self.etcd = Etcd(self.directory, self.members)
        self.addCleanup(self.etcd.dispose)
        self.etcd.start()
        self.a = self.server().start()
        eventually(self.a.leads, "the first server leads", TAKE_OVER)
        self.region = self.a  # whose log a failure shows

    def server(self, engines=True):
        server = Server(self.etcd, self.engines if engines else None)
        self.addCleanup(server.dispose)
        return server

    def start_second(self):
        self.b = self.server().join(self.a).start()
        return self.b

    def head(self):
        return json.loads(self.etcd.get(HEAD))

    def until_changes_work(self, server):
        def works():
            try:
                return server.elasticache.create_cache_parameter_group(
                    CacheParameterGroupName="again", CacheParameterGroupFamily="redis7",
                    Description="d")
            except ClientError:
                return None

        eventually(works, "changes are possible again", 30)

    def until_seen(self, server, group_id):
        """Other servers learn of a commit within milliseconds, not within the call."""
        def seen():
            try:
                return server.group(group_id)
            except ClientError:
                return None

        return eventually(seen, f"{group_id} is seen")

    def engines_of(self):
        return processes.processes_below(self.engines)

    def wait_gone(self, server, group_id):
        server.wait_group_gone(group_id)
        eventually(lambda: not self.engines_of(), "no engine is left")


class TwoServersTestCase(unittest.TestCase):
    """Two servers on one etcd, and three agents that are told of both."""

    program = binary()  # that they begin with

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="hikae-test-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.etcd = Etcd(self.directory, 1)
        self.addCleanup(self.etcd.dispose)
        self.etcd.start()
        self.ports = []
        self.a = self.region = self.server().start()
        eventually(self.a.leads, "the first server leads", TAKE_OVER)
        self.b = self.server().join(self.a).start()
        self.agents = []
        for name, zone in (("h1", "a"), ("h2", "b"), ("h3", "c")):
            agent = Agent(self.a, name, zone, self.ports)
            agent.program = self.program
            self.addCleanup(agent.dispose)
            self.agents.append(agent.join())

    def server(self):
        arguments, port = agents_arguments()
        self.ports.append(port)
        server = Server(self.etcd, None, *arguments)
        server.program = self.program
        self.addCleanup(server.dispose)
        return server

    def identities(self):
        return [agent.identities() for agent in self.agents]


class HostsOfTheirOwn(TwoServersTestCase):
    def primary_of(self, group):
        return next(m["CacheClusterId"] for m in group["NodeGroups"][0]["NodeGroupMembers"]
                    if m["CurrentRole"] == "primary")

    def test_the_leader_dies_and_the_agents_go_over(self):
        network = Network(self.a, "hosts", [f"ap-northeast-1{zone}" for zone in "abc"])
        self.a.elasticache.create_replication_group(**network.group_arguments(
            ReplicationGroupId="wide", NumCacheClusters=3, AutomaticFailoverEnabled=True))
        group = self.a.wait_group("wide", 3)
        self.assertEqual([len(agent.nodes()) for agent in self.agents], [1, 1, 1])
        self.assertEqual({h["state"] for h in hosts(self.b).values()}, {"connected"})
        status = json.loads(self.b.hikae("status", "--json", "--data", self.b.data).ok().out)
        self.assertEqual({server["api"]: (server["leads"], server["asked"])
                          for server in status["servers"]},
                         {self.a.host: (True, False), self.b.host: (False, True)})
        self.assertGreater(status["term"], 0)
        before = self.identities()
        self.a.kill()
        eventually(self.b.leads, "the second server leads", TAKE_OVER)
        for agent in self.agents:
            agent.region = self.b
            agent.wait_connected()
        self.assertEqual(self.b.wait_group("wide", 3), group)
        self.assertEqual(self.identities(), before)
        old = self.primary_of(group)
        pid = next(pid for agent in self.agents for pid, cwd in agent.nodes().items()
                   if f"/{old}/" in cwd + "/")
        os.kill(pid, signal.SIGKILL)

        def moved():
            now = self.b.wait_group("wide", 3)
            return now if self.primary_of(now) != old else None

        after = eventually(moved, "another member is the primary")
        endpoint = after["NodeGroups"][0]["PrimaryEndpoint"]

        def takes_writes():
            """It has its first lease a moment after it leads."""
            with self.b.session(endpoint) as session:
                try:
                    return session.ask("set by the-new-leader") == "OK"
                except RedisError:
                    return False

        eventually(takes_writes, "the new primary takes writes")
        # The former leader finds the hosts where they are, and lets them be.
        self.a.start()
        eventually(lambda: "h3" in hosts(self.a), "it knows the hosts")
        self.assertEqual({h["state"] for h in hosts(self.b).values()}, {"connected"})
        self.b.elasticache.delete_replication_group(ReplicationGroupId="wide")
        self.b.wait_group_gone("wide")
        eventually(lambda: not any(agent.nodes() for agent in self.agents), "no engine is left")

    def test_the_nodes_stay_where_they_were_begun(self):
        """A server that would run the region's nodes itself is refused while hosts have joined."""
        other = Server(self.etcd, os.path.join(self.directory, "engines")).join(self.a)
        self.addCleanup(other.dispose)
        with self.assertRaises(SystemError) as caught:
            other.start()
        self.assertIn("run on hosts that joined it", str(caught.exception))
        self.assertEqual({h["state"] for h in hosts(self.a).values()}, {"connected"})


class OneEtcd(ServersTestCase):
    def test_every_server_answers_and_changes(self):
        self.start_second()
        front = self.server(engines=False).join(self.a).start()
        network = Network(self.a, "shared")
        eventually(lambda: front.elasticache.describe_cache_subnet_groups(
            CacheSubnetGroupName="shared"), "the other server knows the subnet group")
        # Created where nobody leads, run where somebody does, seen and resolved everywhere.
        front.elasticache.create_replication_group(**network.group_arguments(
            ReplicationGroupId="shared", NumCacheClusters=2, AutomaticFailoverEnabled=True))
        for server in (front, self.a, self.b):
            self.until_seen(server, "shared")
            group = server.wait_group("shared", 2)
            endpoint = group["NodeGroups"][0]["PrimaryEndpoint"]
            eventually(lambda s=server, e=endpoint: s.lookup(e["Address"]).addresses(),
                       "the name resolves")
        with self.b.session(endpoint) as session:
            self.assertEqual(session.ask("set over b"), "OK")
        with front.session(endpoint) as session:
            self.assertEqual(session.ask("get over"), "b")
        self.assertEqual(len(self.engines_of()), 2)
        self.assertTrue(self.a.leads())
        self.assertFalse(self.b.leads())
        self.assertIn(str(self.a.server.pid), self.etcd.get(LEADER))
        self.b.elasticache.delete_replication_group(ReplicationGroupId="shared")
        self.wait_gone(front, "shared")

    def test_changes_at_the_same_time_through_all_servers(self):
        """Each is admitted on a state with all before it: none is lost, none is made twice."""
        self.start_second()
        for number in range(12):
            server = (self.a, self.b)[number % 2]
            server.elasticache.create_cache_parameter_group(
                CacheParameterGroupName=f"group-{number}", CacheParameterGroupFamily="redis7",
                Description="d")
        with self.assertRaises(ClientError) as caught:
            self.b.elasticache.create_cache_parameter_group(
                CacheParameterGroupName="group-10", CacheParameterGroupFamily="redis7",
                Description="d")
        self.assertEqual(caught.exception.response["Error"]["Code"],
                         "CacheParameterGroupAlreadyExists")
        for server in (self.a, self.b):
            def all_there(s=server):
                pages = s.elasticache.get_paginator("describe_cache_parameter_groups").paginate()
                found = {g["CacheParameterGroupName"] for p in pages
                         for g in p["CacheParameterGroups"]}
                return {f"group-{number}" for number in range(12)} <= found

            eventually(all_there, "every change is known")

    def test_the_other_takes_over_and_finishes_a_creation(self):
        self.start_second()
        network = Network(self.a, "takeover")
        eventually(lambda: self.b.elasticache.describe_cache_subnet_groups(
            CacheSubnetGroupName="takeover"), "b knows the subnet group")
        self.a.elasticache.create_replication_group(**network.group_arguments(
            ReplicationGroupId="taken", NumCacheClusters=3, AutomaticFailoverEnabled=True))
        eventually(self.engines_of, "the first engine starts", 20, 0)
        self.a.kill()
        self.region = self.b
        before = set(self.engines_of())
        group = self.b.wait_group("taken", 3, timeout=TAKE_OVER + 20)
        self.assertTrue(self.b.leads())
        self.assertEqual(len(self.engines_of()), 3)
        self.assertLessEqual(before, set(self.engines_of()), "running engines are adopted")
        with self.b.session(group["NodeGroups"][0]["PrimaryEndpoint"]) as session:
            eventually(lambda: session.info("replication")["connected_slaves"] == "2",
                       "both replicas follow")
        # The first one comes back as the second.
        self.a.start()
        self.until_seen(self.a, "taken")
        self.assertTrue(self.b.leads())
        self.a.elasticache.delete_replication_group(ReplicationGroupId="taken")
        self.wait_gone(self.b, "taken")

    def test_who_stops_orderly_is_followed_at_once(self):
        self.start_second()
        self.assertEqual(self.a.terminate(), 0)
        # Without resigning this would take as long as the lease.
        eventually(self.b.leads, "the other leads", 3)

    def test_a_paused_leader_cannot_change_anything_when_it_wakes(self):
        """Stopped beyond its lease in the middle of a creation: another leads, on its own engines,
        and the first one's work of before is void."""
        self.b = Server(self.etcd, os.path.join(self.directory, "other-engines"))
        self.addCleanup(self.b.dispose)
        self.b.join(self.a).start()
        network = Network(self.a, "paused")
        eventually(lambda: self.b.elasticache.describe_cache_subnet_groups(
            CacheSubnetGroupName="paused"), "b knows the subnet group")
        self.a.server.send_signal(signal.SIGSTOP)
        eventually(self.b.leads, "the other leads", TAKE_OVER)
        first_term = self.a.log().rsplit("leads now (term ", 1)[1].split(")")[0]
        second_term = self.b.log().rsplit("leads now (term ", 1)[1].split(")")[0]
        self.assertGreater(int(second_term), int(first_term))
        self.b.elasticache.create_replication_group(**network.group_arguments(
            ReplicationGroupId="while", NumCacheClusters=2))
        group = self.b.wait_group("while", 2)
        head = self.head()
        self.a.server.send_signal(signal.SIGCONT)
        eventually(lambda: f"leads no more (term {first_term})" in self.a.log(),
                   "the first one knows", TAKE_OVER)
        # It answers again, from what happened meanwhile, and has changed none of it.
        self.until_seen(self.a, "while")
        self.assertEqual(self.a.group("while"), group)
        self.assertEqual(self.head(), head)
        self.assertEqual(self.engines_of(), {})
        # And a change through it is as good as through any other.
        self.a.elasticache.delete_replication_group(ReplicationGroupId="while")
        self.b.wait_group_gone("while")

    def test_compaction_while_a_server_is_away_and_while_it_watches(self):
        self.start_second()
        self.b.server.send_signal(signal.SIGSTOP)
        for number in range(5):
            self.a.elasticache.create_cache_parameter_group(
                CacheParameterGroupName=f"compact-{number}", CacheParameterGroupFamily="redis7",
                Description="d")
        self.etcd.compact()
        self.b.server.send_signal(signal.SIGCONT)
        for name in ("compact-5", "compact-last"):
            self.a.elasticache.create_cache_parameter_group(
                CacheParameterGroupName=name, CacheParameterGroupFamily="redis7",
                Description="d")
            self.etcd.compact()

        def known():
            groups = self.b.elasticache.describe_cache_parameter_groups(MaxRecords=100)
            names = {g["CacheParameterGroupName"] for g in groups["CacheParameterGroups"]}
            return {"compact-0", "compact-4", "compact-5", "compact-last"} <= names

        eventually(known, "the other server knows everything", 30)

    def test_etcd_restarts(self):
        self.start_second()
        self.etcd.kill_member(0)
        with self.assertRaises(ClientError) as caught:
            self.b.elasticache.create_cache_parameter_group(
                CacheParameterGroupName="away", CacheParameterGroupFamily="redis7",
                Description="d")
        self.assertIn(caught.exception.response["ResponseMetadata"]["HTTPStatusCode"], (500, 503))
        self.etcd.start_member(0)
        self.etcd.wait_ready()

        self.until_changes_work(self.b)
        eventually(lambda: self.a.leads() or self.b.leads(), "somebody leads again", TAKE_OVER)

    def test_a_server_without_the_regions_secret_is_refused(self):
        stranger = self.server()
        stranger.start(wait=False)
        self.assertEqual(stranger.server.wait(15), 1)
        self.assertIn("copy the files secret and credentials", stranger.log())
        os.makedirs(stranger.data, exist_ok=True)
        with open(os.path.join(stranger.data, "secret"), "wb") as file:
            file.write(b"x" * 32)
        shutil.copy(os.path.join(self.a.data, "credentials"), stranger.data)
        stranger.start(wait=False)
        self.assertEqual(stranger.server.wait(15), 1)
        self.assertIn("is not that of the region", stranger.log())


class ThreeEtcds(ServersTestCase):
    members = 3

    def test_a_lost_member_is_hardly_noticed(self):
        self.start_second()
        network = Network(self.a, "member")
        for member in (0, 1):
            self.etcd.kill_member(member)
            name = f"lost-{member}"
            self.a.elasticache.create_cache_cluster(
                **network.cluster_arguments(CacheClusterId=name))
            eventually(lambda n=name: self.seen(self.b, n), "the other server sees it")
            self.b.wait_cluster(name)
            self.etcd.start_member(member)
            self.etcd.wait_ready(member)
            self.b.elasticache.delete_cache_cluster(CacheClusterId=name)
            self.a.wait_cluster_gone(name)

    @staticmethod
    def seen(server, cluster_id):
        try:
            return server.cluster(cluster_id)
        except ClientError:
            return None

    def test_without_a_majority_reads_go_on_and_changes_are_refused_until_it_is_back(self):
        network = Network(self.a, "quorum")
        cluster = self.a.elasticache.create_cache_cluster(
            **network.cluster_arguments(CacheClusterId="kept"))
        endpoint = self.a.wait_cluster("kept")["CacheNodes"][0]["Endpoint"]
        self.assertTrue(cluster)
        self.etcd.kill_member(1)
        self.etcd.kill_member(2)
        codes = set()
        for number in range(4):
            with self.assertRaises(ClientError) as caught:
                self.a.elasticache.create_cache_parameter_group(
                    CacheParameterGroupName=f"no-{number}", CacheParameterGroupFamily="redis7",
                    Description="d")
            codes.add(caught.exception.response["Error"]["Code"])
            with self.assertRaises(ClientError) as caught:
                self.a.ec2.create_vpc(CidrBlock="10.9.0.0/16")
            codes.add(caught.exception.response["Error"]["Code"])
        self.assertLessEqual(codes, {"ServiceUnavailable", "InternalFailure", "Unavailable",
                                     "InternalError"})
        self.assertEqual(self.a.model_check.take_problems(), [])
        self.assertEqual(self.a.cluster("kept")["CacheClusterStatus"], "available")
        with self.a.session(endpoint) as session:
            self.assertEqual(session.ask("ping"), "PONG")
        self.etcd.start_member(1)
        self.etcd.start_member(2)

        self.until_changes_work(self.a)
        self.a.elasticache.delete_cache_cluster(CacheClusterId="kept")
        self.a.wait_cluster_gone("kept", 30)


if __name__ == "__main__":
    unittest.main()
