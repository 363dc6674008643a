"""The control plane dies, at every moment; what it promised is kept, and engines serve on."""

import os
import signal
import time
import unittest

from botocore.exceptions import ConnectionClosedError, EndpointConnectionError
from botocore.exceptions import ReadTimeoutError

from support import processes
from support.case import RegionTestCase
from support.network import Network
from support.region import Region, wait_until_dead
from support.waiting import eventually

# Milliseconds after the call at which the server is killed. A creation takes about 100 ms and a
# deletion less; the delays fall before, into and behind every step of them.
CREATION_DELAYS = (0, 5, 10, 20, 30, 40, 55, 70, 90, 120, 160, 220)
DELETION_DELAYS = (0, 3, 6, 10, 15, 25, 40, 60, 90)

BROKEN = (ConnectionClosedError, EndpointConnectionError, ReadTimeoutError, ConnectionError)


def pause(milliseconds):
    """The very point of these tests is to strike at a certain time."""
    time.sleep(milliseconds / 1000)


class Killed(RegionTestCase):
    network_name = "kill"

    def setUp(self):
        super().setUp()
        # A test before may have failed in the middle.
        if self.region.server.poll() is not None:
            self.region.start()
        self.region.remove_everything()

    def call(self, function, **arguments):
        """Whether the call was acknowledged; False when the server died under it."""
        try:
            function(**arguments)
            return True
        except BROKEN:
            return False

    def restart(self):
        self.region.kill()
        self.region.start()

    def check_no_remains(self, group_id, members):
        """Exactly the processes and directories of the groups that exist."""
        nodes = eventually(lambda: self.settled_nodes(members),
                           f"{members} engines run after the restart", 15)
        directories = self.region.directories_of(nodes)
        self.assertEqual(len(set(directories)), members, group_id)
        eventually(lambda: self.region.node_directories() == directories,
                   "no directory of a node is left over", 10)

    def settled_nodes(self, count):
        nodes = self.region.nodes()
        return (nodes or {0: ""}) if len(nodes) == count else None

    def test_during_creation(self):
        for delay in CREATION_DELAYS:
            self.cache.create_replication_group(**self.network.group_arguments(
                ReplicationGroupId=f"created-{delay}", NumCacheClusters=3,
                AutomaticFailoverEnabled=True, EngineVersion="7.1"))
            pause(delay)
            self.check_created_after_restart(f"created-{delay}")

    def test_at_every_engine_that_starts(self):
        for count in (1, 2, 3):
            group_id = f"engines-{count}"
            self.cache.create_replication_group(**self.network.group_arguments(
                ReplicationGroupId=group_id, NumCacheClusters=3, AutomaticFailoverEnabled=True,
                EngineVersion="7.1"))
            eventually(lambda n=count: len(self.region.nodes()) >= n, f"{count} engines", 15, 0)
            self.check_created_after_restart(group_id)

    def test_again_and_again_while_it_recovers(self):
        self.cache.create_replication_group(**self.network.group_arguments(
            ReplicationGroupId="again", NumCacheClusters=3, AutomaticFailoverEnabled=True,
            EngineVersion="7.1"))
        for delay in (15, 5, 30, 10, 45, 20, 60, 35):
            pause(delay)
            self.region.kill()
            self.region.start(wait=False)
        self.region.wait_ready()
        self.check_created_after_restart("again")

    def check_created_after_restart(self, group_id):
        """The delay stands in the group's name, and so in every failure."""
        self.restart()
        self.assertEqual(self.region.group(group_id)["MemberClusters"],
                         [f"{group_id}-00{number}" for number in (1, 2, 3)])
        shard = self.region.wait_group(group_id, 3)["NodeGroups"][0]
        self.check_no_remains(group_id, 3)
        self.check_replication(shard)
        self.drop_group(group_id)
        self.assertEqual(self.region.nodes(), {})
        self.assertEqual(self.region.node_directories(), [])

    def check_replication(self, shard):
        with self.region.session(shard["PrimaryEndpoint"]) as primary:
            eventually(lambda: primary.info("replication")["connected_slaves"] == "2",
                       "both replicas follow", 10)
            primary.ask("set survived yes")
        for member in shard["NodeGroupMembers"][1:]:
            with self.region.session(member["ReadEndpoint"]) as replica:
                eventually(lambda r=replica: r.ask("get survived") == "yes",
                           "the write has arrived", 10)

    def test_during_deletion(self):
        for delay in DELETION_DELAYS:
            group_id = f"deleted-{delay}"
            self.make_group(group_id, 3)
            self.cache.delete_replication_group(ReplicationGroupId=group_id)
            pause(delay)
            self.restart()
            self.region.wait_group_gone(group_id)
            for number in (1, 2, 3):
                self.refused("CacheClusterNotFound", self.cache.describe_cache_clusters,
                             CacheClusterId=f"{group_id}-00{number}")
            self.assertEqual(self.region.nodes(), {}, group_id)
            eventually(lambda: self.region.node_directories() == [],
                       f"no directory of {group_id} is left")

    def test_replica_that_leaves_or_joins(self):
        self.make_group("members", 3)
        for delay in (0, 10, 30, 60, 100):
            self.cache.delete_cache_cluster(CacheClusterId="members-003")
            pause(delay)
            self.restart()
            self.region.wait_cluster_gone("members-003")
            self.region.wait_group("members", 2)
            self.cache.create_cache_cluster(CacheClusterId="members-003",
                                            ReplicationGroupId="members")
            pause(delay)
            self.restart()
            shard = self.region.wait_group("members", 3)["NodeGroups"][0]
            self.check_no_remains("members", 3)
            self.check_replication(shard)

    def test_reboot_and_parameters(self):
        """A reboot and a change of parameters that were acknowledged are carried out."""
        self.cache.create_cache_parameter_group(CacheParameterGroupName="kill",
                                                CacheParameterGroupFamily="redis2.8",
                                                Description="d")
        self.addCleanup(self.cache.delete_cache_parameter_group, CacheParameterGroupName="kill")
        self.make_cluster("changed", CacheParameterGroupName="kill")
        for delay, policy in ((0, "allkeys-lru"), (10, "allkeys-random"), (40, "noeviction")):
            endpoint = self.region.cluster("changed")["CacheNodes"][0]["Endpoint"]
            with self.region.session(endpoint) as session:
                session.ask("set before reboot")
            self.cache.modify_cache_parameter_group(
                CacheParameterGroupName="kill", ParameterNameValues=[
                    {"ParameterName": "maxmemory-policy", "ParameterValue": policy}])
            self.cache.reboot_cache_cluster(CacheClusterId="changed",
                                            CacheNodeIdsToReboot=["0001"])
            pause(delay)
            self.restart()
            self.region.wait_cluster("changed")
            with self.region.session(endpoint) as session:
                self.assertIsNone(session.ask("get before"))
                self.assertEqual(session.info("memory")["maxmemory_policy"], policy)

    def test_acknowledged_is_kept(self):
        """Creates until the server dies: what was answered exists, what was not exists or not."""
        names = []
        for round_number in range(4):
            for number in range(10):
                name = f"ack-{round_number}-{number}"
                if number == 7:
                    self.region.server.send_signal(signal.SIGKILL)
                acknowledged = self.call(self.cache.create_cache_parameter_group,
                                         CacheParameterGroupName=name,
                                         CacheParameterGroupFamily="redis7", Description="d")
                if acknowledged:
                    names.append(name)
            self.region.server.wait(10)
            self.region.start()
            pages = self.cache.get_paginator("describe_cache_parameter_groups").paginate()
            found = {group["CacheParameterGroupName"] for page in pages
                     for group in page["CacheParameterGroups"]}
            self.assertLessEqual(set(names), found)
        self.assertGreaterEqual(len(names), 28)
        for name in names:
            self.cache.delete_cache_parameter_group(CacheParameterGroupName=name)

    def check_engines_survive(self, stop):
        group = self.make_group("steady", 3)
        endpoint = group["NodeGroups"][0]["PrimaryEndpoint"]
        before = {pid: processes.start_time(pid) for pid in self.region.nodes()}
        with self.region.session(endpoint) as session:
            session.ask("set stays here")
            stop()
            self.assertEqual(session.ask("get stays"), "here")  # nobody is in charge, it serves
            self.region.start()
            self.region.wait_group("steady", 3)
            after = {pid: processes.start_time(pid) for pid in self.region.nodes()}
            self.assertEqual(before, after)
            self.assertEqual(session.ask("get stays"), "here")
            self.assertEqual(session.info("replication")["connected_slaves"], "2")
        self.assertEqual(self.region.group("steady"), group)
        self.drop_group("steady")

    def test_engines_survive_kill(self):
        self.check_engines_survive(self.region.kill)

    def test_engines_survive_sigterm(self):
        def terminate():
            self.assertEqual(self.region.terminate(), 0)
            self.assertRegex(self.region.log_tail(), "(?i)(engines|nodes) keep running")

        self.check_engines_survive(terminate)

    def test_engines_that_died_while_nobody_looked(self):
        self.make_group("unwatched", 2)
        pids = set(self.region.nodes())
        self.region.kill()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        wait_until_dead(pids)
        self.region.start()
        eventually(lambda: len(set(self.region.nodes()) - pids) == 2, "two new engines run", 15)
        shard = self.region.wait_group("unwatched", 2)["NodeGroups"][0]

        def linked():
            try:
                with self.region.session(shard["PrimaryEndpoint"]) as session:
                    return session.info("replication")["connected_slaves"] == "1"
            except ConnectionRefusedError:
                return False  # the new engine does not listen yet

        eventually(linked, "the replica follows again", 15)

    def test_an_engine_crash_is_repaired(self):
        cluster = self.make_cluster("crashing")
        endpoint = cluster["CacheNodes"][0]["Endpoint"]
        (pid,) = self.region.nodes()
        os.kill(pid, signal.SIGKILL)

        def serves_again():
            try:
                with self.region.session(endpoint) as session:
                    return session.ask("ping") == "PONG"
            except OSError:
                return False

        eventually(lambda: set(self.region.nodes()) - {pid}, "a new engine runs", 15)
        eventually(serves_again, "the same endpoint answers", 15)
        self.region.wait_cluster("crashing")

    def test_a_crash_while_deleting_leaves_nothing_stale(self):
        """Killed in a deletion, engines killed too: the name can be used again, and is empty."""
        self.make_cluster("stale")
        endpoint = self.region.cluster("stale")["CacheNodes"][0]["Endpoint"]
        with self.region.session(endpoint) as session:
            session.ask("set old data")
        self.cache.delete_cache_cluster(CacheClusterId="stale")
        self.region.kill()
        processes.kill_below(os.path.join(self.region.data, "nodes"))
        self.region.start()
        self.region.wait_cluster_gone("stale")
        endpoint = self.make_cluster("stale")["CacheNodes"][0]["Endpoint"]
        with self.region.session(endpoint) as session:
            self.assertIsNone(session.ask("get old"))

    def test_credentials_and_names_stay(self):
        before = (self.region.credentials(), self.make_cluster("same")["CacheNodes"])
        self.restart()
        self.region._environment = None  # ask again instead of remembering
        after = (self.region.credentials(), self.region.wait_cluster("same")["CacheNodes"])
        self.assertEqual(before, after)


class Down(unittest.TestCase):
    """`hikae down` after every kind of end."""

    def setUp(self):
        self.region = Region()
        self.addCleanup(self.region.dispose)
        self.region.start()
        self.network = Network(self.region, "down")
        self.region.elasticache.create_replication_group(**self.network.group_arguments(
            ReplicationGroupId="downed", NumCacheClusters=2))
        self.region.wait_group("downed", 2)

    def check_nothing_runs(self):
        self.region.down().ok()
        self.assertEqual(processes.processes_below(self.region.data), {})

    def test_after_sigterm(self):
        self.assertEqual(self.region.terminate(), 0)
        self.assertEqual(len(self.region.nodes()), 2)
        self.check_nothing_runs()
        self.check_nothing_runs()  # nothing to do is no error

    def test_after_kill(self):
        self.region.kill()
        self.assertEqual(len(self.region.nodes()), 2)
        self.check_nothing_runs()

    def test_while_it_runs(self):
        outcome = self.region.down()
        if outcome.code == 0:
            self.region.server.wait(15)
            self.assertEqual(processes.processes_below(self.region.data), {})
        else:
            self.assertIn(str(self.region.server.pid), outcome.err)
            self.assertEqual(len(self.region.nodes()), 2)

    def test_up_again(self):
        """The engines were stopped; the next start brings the group back as it was."""
        group = self.region.group("downed")
        self.region.terminate()
        self.check_nothing_runs()
        self.region.start()
        eventually(lambda: len(self.region.nodes()) == 2, "the engines run again", 15)
        self.assertEqual(self.region.wait_group("downed", 2)["NodeGroups"], group["NodeGroups"])
        self.region.remove_everything()
        self.region.stop()


class TwoServers(unittest.TestCase):
    def test_refused(self):
        region = Region()
        self.addCleanup(region.dispose)
        region.start()
        second = Region()
        self.addCleanup(second.dispose)
        second.data = region.data
        second.start(wait=False)
        self.assertNotEqual(second.server.wait(15), 0)
        text = second.log_tail()
        self.assertIn(region.data, text)
        self.assertIn(str(region.server.pid), text)
        self.assertTrue(region.answers())
        region.stop()


if __name__ == "__main__":
    unittest.main()
