"""What counts as a fault and what does not; clients; a group that lost everything."""

import os
import shutil
import signal
import socket
import threading

from integration.test_failover import (TAKEOVER_SECONDS, WHOLE_SECONDS, FailoverTestCase,
                                       primary_of, shard_of)
from support import processes
from support.inline import InlineSession, RedisError
from support.waiting import eventually

NET_ADMIN = 1 << 12  # CAP_NET_ADMIN
# Runs on the engine until so many milliseconds are over.
SPIN = ("eval \"local function now() local t = redis.call('time') return t[1] * 1000 + t[2] / 1000 "
        "end local start = now() while now() - start < {} do end return 'done'\" 0")
BIG_VALUE_BYTES = 384 * 1024 * 1024


class Patience(FailoverTestCase):
    """Limits that a loaded machine does not reach by itself."""

    network_name = "patience"
    serve_arguments = ("--hang-ms", "3000", "--busy-ms", "4000")

    def session(self, group, timeout=30):
        endpoint = shard_of(group)["PrimaryEndpoint"]
        return InlineSession(self.region.resolve(endpoint["Address"]), endpoint["Port"], timeout)

    def check_unmoved(self, group, pid):
        eventually(lambda: self.ask_primary(group, "set after it") == "OK", "it takes writes", 10)
        self.assertEqual(self.pid_of(primary_of(group)), pid)
        self.assertEqual(self.region.wait_group(group["ReplicationGroupId"], 3), group)
        self.assertEqual(self.failovers_of(group["ReplicationGroupId"]), [])

    def test_busy_engine(self):
        group = self.make("busy")
        pid = self.pid_of(primary_of(group))
        with self.session(group) as session:
            self.assertEqual(session.ask(SPIN.format(1500)), "done")
        self.check_unmoved(group, pid)

    def test_engine_that_is_busy_again_and_again(self):
        """It answers between two long commands; two clients leave it no other moment."""
        group = self.make("often")
        pid = self.pid_of(primary_of(group))

        def keep_busy():
            with self.session(group) as session:
                for _ in range(5):
                    session.ask(SPIN.format(600))

        clients = [threading.Thread(target=keep_busy) for _ in range(2)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        self.check_unmoved(group, pid)

    def test_stopped_for_a_moment(self):
        group = self.make("moment")
        pid = self.pid_of(primary_of(group))
        for _ in range(5):
            os.kill(pid, signal.SIGSTOP)
            threading.Event().wait(0.2)
            os.kill(pid, signal.SIGCONT)
        self.check_unmoved(group, pid)

    def test_engine_that_never_comes_back(self):
        group = self.make("never")
        old = primary_of(group)
        pid = self.pid_of(old)
        self.write_safely(group, "set before it")
        with self.session(group) as session:
            with self.assertRaises((OSError, RedisError)):
                session.ask("eval \"while true do end\" 0")
        self.wait_new_primary(group, old)
        eventually(lambda: self.ask_primary(group, "get before") == "it", "the data is there",
                   TAKEOVER_SECONDS)
        eventually(lambda: not processes.is_alive(pid), "the old process is gone", 30)
        self.wait_whole(group)


def may_end_sockets():
    with open("/proc/self/status", encoding="ascii") as status:
        line = next(line for line in status if line.startswith("CapEff:"))
    return bool(int(line.split()[1], 16) & NET_ADMIN)


class Clients(FailoverTestCase):
    network_name = "clients"

    def test_of_a_dying_primary_are_sent_away(self):
        """Its memory takes long to be freed, and only then would the kernel close its sockets."""
        group = self.make_group("dying", 2, EngineVersion="7.1")
        for _ in range(3):
            old = primary_of(self.region.wait_group("dying", 2))
            with self.region.session(shard_of(group)["PrimaryEndpoint"]) as session:
                for number in (1, 2):
                    session.ask(f"setrange big:{number} {BIG_VALUE_BYTES} x")
                eventually(lambda: session.ask("wait 1 1000") == 1, "the replica has it", 120)
                pid = self.pid_of(old)
                os.kill(pid, signal.SIGKILL)
                try:
                    end = session._socket.recv(1)
                except ConnectionResetError:
                    end = "reset"
            self.wait_new_primary(group, old)
            log = self.region.log_tail(200)
            eventually(lambda: self.pid_of(old) not in (None, pid), f"{old} runs again", 30)
            if f"node {old}/0001: send clients away" in log or not may_end_sockets():
                self.assertEqual(end, "reset" if may_end_sockets() else b"")
                return
        self.fail("the memory was always freed before the failover was decided")

    def test_nobody_is_let_in_by_a_dying_primary(self):
        group = self.make("closed")
        old = primary_of(group)
        address = self.region.resolve(self.node_address(group, old))
        os.kill(self.pid_of(old), signal.SIGKILL)
        self.wait_new_primary(group, old)
        try:
            with socket.create_connection((address, shard_of(group)["PrimaryEndpoint"]["Port"]),
                                          timeout=5) as client:
                client.settimeout(5)
                client.sendall(b"ping\r\n")
                self.assertEqual(client.recv(7), b"+PONG\r\n", "it is a replica by now")
        except ConnectionRefusedError:
            pass


class EverythingLost(FailoverTestCase):
    network_name = "lost"

    def make_persistent(self, group_id):
        self.cache.create_cache_parameter_group(
            CacheParameterGroupName="durable", CacheParameterGroupFamily="redis2.8",
            Description="keeps its data on disk")
        self.addCleanup(self.cache.delete_cache_parameter_group, CacheParameterGroupName="durable")
        self.cache.modify_cache_parameter_group(
            CacheParameterGroupName="durable",
            ParameterNameValues=[{"ParameterName": "appendonly", "ParameterValue": "yes"}])
        return self.make_group(group_id, 3, EngineVersion="2.8.6",
                               CacheParameterGroupName="durable")

    def kill_all(self, group, meanwhile=lambda: None):
        """In the same moment, as far as hikae can tell."""
        pids = [self.pid_of(name) for name in group["MemberClusters"]]
        self.region.server.send_signal(signal.SIGSTOP)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        meanwhile()
        self.region.server.send_signal(signal.SIGCONT)
        eventually(lambda: not any(processes.is_alive(pid) for pid in pids), "all are gone", 10)

    def losses_of(self, group_id):
        return [message for message in self.events_of("replication-group", group_id)
                if message.startswith("All data was lost")]

    def check_serves(self, group, key, value):
        eventually(lambda: self.ask_primary(group, f"set after {key}") == "OK", "it takes writes",
                   TAKEOVER_SECONDS * 2)
        self.wait_whole(group)
        self.assertEqual(self.ask_primary(group, f"get {key}"), value)

    def test_in_memory(self):
        group = self.make("memory")
        primary = primary_of(group)
        self.write_safely(group, "set before it")
        self.kill_all(group)
        self.check_serves(group, "before", None)
        text = (f"All data was lost: primary node {primary} ended, no replica holds a copy, and it "
                "comes back empty")
        self.assertEqual(self.losses_of("memory"), [text])
        self.assertIn(f"error   replication group memory: {text}", self.region.log_tail(200))
        self.assertEqual(self.failovers_of("memory"), [])
        self.assertEqual(primary_of(self.region.wait_group("memory", 3)), primary)

    def test_on_disk(self):
        group = self.make_persistent("disk")
        primary = primary_of(group)
        self.write_safely(group, "set before it")
        self.kill_all(group)
        self.check_serves(group, "before", "it")
        self.assertEqual(self.losses_of("disk"), [])
        self.assertEqual(self.failovers_of("disk"), [])
        self.assertEqual(primary_of(self.region.wait_group("disk", 3)), primary)

    def test_on_a_replicas_disk_alone(self):
        group = self.make_persistent("other")
        old = primary_of(group)
        self.write_safely(group, f"set before {'x' * 5000}")
        (directory,) = [path for path in self.region.nodes().values()
                        if os.path.basename(os.path.dirname(path)) == old]
        self.kill_all(group, lambda: shutil.rmtree(os.path.join(directory, "appendonlydir")))
        self.check_serves(group, "before", "x" * 5000)
        self.assertEqual(self.losses_of("other"), [])
        self.assertEqual(len(self.failovers_of("other")), 1)
        self.assertNotEqual(primary_of(self.region.wait_group("other", 3)), old)


class Quota(FailoverTestCase):
    network_name = "quota"
    serve_arguments = ("--test-failovers-per-day", "2")

    def test_of_test_failovers(self):
        group = self.make("often")
        for _ in range(2):
            old = primary_of(self.region.wait_group("often", 3))
            self.cache.test_failover(ReplicationGroupId="often", NodeGroupId="0001")
            self.wait_new_primary(group, old)
            self.wait_whole(group)
            eventually(lambda o=old: self.events_of("cache-cluster", o)[-1]
                       == "Finished recovery for cache nodes 0001", f"{old} is back", WHOLE_SECONDS)
        self.region.wait_group("often", 3)
        self.check_refused()
        self.region.kill()
        self.region.start()
        self.region.wait_group("often", 3)
        self.check_refused()
        self.assertEqual(len(self.failovers_of("often")), 2)

    def check_refused(self):
        self.refused("APICallRateForCustomerExceeded", self.cache.test_failover,
                     ReplicationGroupId="often", NodeGroupId="0001", status=400)
