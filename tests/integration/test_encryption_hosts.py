"""Encrypted groups on several hosts: keys reach a host with the nodes that it runs."""

import os
import signal
import stat

from support.agent import Agent, agents_arguments
from support.case import RegionTestCase
from support.encrypted import EncryptedClients
from support.groups import members_of, primary_of, shard_of
from support.inline import RedisError
from support.network import Network
from support.waiting import eventually

ZONES = ("ap-northeast-1a", "ap-northeast-1b")
TOKEN = "a-token-for-several-hosts"


class EncryptedHosts(RegionTestCase):
    """The agents h1 and h2 in zones a and b."""

    @classmethod
    def setUpClass(cls):
        cls.serve_arguments, port = agents_arguments()
        super().setUpClass()
        cls.clients = EncryptedClients(cls.region)
        cls.network = Network(cls.region, "hosts", ZONES)
        cls.agents = []
        for name, zone in (("h1", "a"), ("h2", "b")):
            agent = Agent(cls.region, name, zone, port)
            cls.addClassCleanup(agent.dispose)
            cls.agents.append(agent.join())

    @classmethod
    def tearDownClass(cls):
        for agent in cls.agents:
            agent.down().ok()
        super().tearDownClass()

    def node_of(self, cluster_id):
        """(agent, pid, directory) of the cluster's node."""
        (found,) = [(agent, pid, cwd) for agent in self.agents
                    for pid, cwd in agent.nodes().items() if f"/{cluster_id}/" in cwd + "/"]
        return found

    def ask_primary(self, group, line):
        """None while nobody answers, or the one the name leads to is only being promoted."""
        try:
            endpoint = shard_of(group)["PrimaryEndpoint"]
            with self.clients.session(endpoint, token=TOKEN) as session:
                return session.ask(line)
        except (OSError, RedisError):
            return None

    def test_a_primary_dies_and_the_server_is_replaced(self):
        group = self.make_group("safe", 2, EngineVersion="7.1", TransitEncryptionEnabled=True,
                                AuthToken=TOKEN)
        with self.clients.session(shard_of(group)["PrimaryEndpoint"], token=TOKEN) as session:
            self.assertEqual(session.ask("set kept value"), "OK")
            self.assertEqual(session.ask("wait 1 5000"), 1)
        keys = set()
        for name in members_of(group):
            _, _, directory = self.node_of(name)
            path = os.path.join(directory, "tls.pem")
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
            with open(path, encoding="ascii") as file:
                keys.add(file.read().split("-----END PRIVATE")[0])
        self.assertEqual(len(keys), 2, "each node has a key of its own")
        for text in (self.region.log_tail(10000), *(agent.log() for agent in self.agents)):
            self.assertNotIn("PRIVATE KEY", text)

        old = primary_of(group)
        os.kill(self.node_of(old)[1], signal.SIGKILL)
        eventually(lambda: primary_of(self.region.group("safe")) != old, "the replica leads", 10)
        eventually(lambda: self.ask_primary(group, "get kept") == "value",
                   "the endpoint leads to the data")
        self.region.wait_group("safe", 2)
        eventually(lambda: (self.ask_primary(group, "info replication") or "").count(
            "state=online") == 1, "the other follows")

        pids = {self.node_of(name)[1] for name in members_of(group)}
        endpoint = shard_of(group)["PrimaryEndpoint"]
        with self.clients.session(endpoint, token=TOKEN) as session:
            before = session.certificate()
        self.region.kill()
        self.region.start()
        for agent in self.agents:
            agent.wait_connected()

        def renewed():
            with self.clients.session(endpoint, token=TOKEN) as session:
                return session.certificate() != before

        eventually(renewed, "the engine shows the certificate of the new server")
        self.assertEqual({self.node_of(name)[1] for name in members_of(group)}, pids)
        self.assertEqual(self.ask_primary(group, "get kept"), "value")
