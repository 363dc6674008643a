"""A region on several hosts: one server, three agents with directories and addresses of their
own."""

import os
import shutil
import signal
import stat
import subprocess
import tempfile
import unittest

from support import signing
from support.agent import Agent, agents_arguments, hosts, waiting
from support.agent_wire import AgentWire
from support.case import RegionTestCase
from support.network import Network
from support.region import Region
from support.waiting import eventually

ZONES = ("ap-northeast-1a", "ap-northeast-1b", "ap-northeast-1c")


def shard_of(group):
    return group["NodeGroups"][0]


def primary_of(group):
    return next(member["CacheClusterId"] for member in shard_of(group)["NodeGroupMembers"]
                if member["CurrentRole"] == "primary")


class ThreeHosts(RegionTestCase):
    """The agents h1, h2, h3 in zones a, b, c."""

    @classmethod
    def setUpClass(cls):
        arguments, cls.port = agents_arguments()
        # Long leases: an agent that is back within one costs no failover.
        cls.serve_arguments = [*arguments, "--lease-ms", "4000"]
        super().setUpClass()
        cls.network = Network(cls.region, "hosts", ZONES)
        cls.agents = {}
        for name, zone in (("h1", "a"), ("h2", "b"), ("h3", "ap-northeast-1c")):
            agent = Agent(cls.region, name, zone, cls.port)
            cls.addClassCleanup(agent.dispose)
            cls.agents[name] = agent.join()

    @classmethod
    def tearDownClass(cls):
        for agent in cls.agents.values():
            agent.down().ok()
            left = [*agent.nodes(), *agent.leases()]
            assert not left, f"left behind by hikae down: {left}"
        super().tearDownClass()

    def agent_of(self, cluster_id):
        """The agent that runs the cluster's node."""
        found = [agent for agent in self.agents.values()
                 if any(f"/{cluster_id}/" in cwd + "/" for cwd in agent.nodes().values())]
        self.assertEqual(len(found), 1, f"{cluster_id} runs on {[a.name for a in found]}")
        return found[0]

    def pid_of(self, cluster_id):
        agent = self.agent_of(cluster_id)
        return next(pid for pid, cwd in agent.nodes().items() if f"/{cluster_id}/" in cwd + "/")

    def identities(self):
        return {name: agent.identities() for name, agent in self.agents.items()}

    def write(self, group, key, value):
        with self.region.session(shard_of(group)["PrimaryEndpoint"]) as session:
            return session.ask(f"set {key} {value}")

    def read_everywhere(self, group, key):
        values = []
        for member in shard_of(group)["NodeGroupMembers"]:
            with self.region.session(member["ReadEndpoint"]) as session:
                values.append(session.ask(f"get {key}"))
        return values

    def wait_links(self, group, replicas):
        def linked():
            with self.region.session(shard_of(group)["PrimaryEndpoint"]) as session:
                return session.info("replication")["connected_slaves"] == str(replicas)

        eventually(linked, f"{replicas} replicas follow the primary")

    def test_a_group_spreads_over_the_hosts(self):
        group = self.make_group("spread", 3)
        self.assertEqual({name: len(agent.nodes()) for name, agent in self.agents.items()},
                         {"h1": 1, "h2": 1, "h3": 1})
        zones = {self.agents[name].zone[-1] for name in self.agents}
        seen = {m["PreferredAvailabilityZone"][-1] for m in shard_of(group)["NodeGroupMembers"]}
        self.assertEqual(seen, zones)
        for member in shard_of(group)["NodeGroupMembers"]:
            agent = self.agent_of(member["CacheClusterId"])
            # DNS answers where the node is, the API what it is in the VPC.
            self.assertTrue(agent.has_address(self.region.resolve(
                member["ReadEndpoint"]["Address"])))
        shown = [i["PrivateIpAddress"] for i in
                 self.ec2.describe_network_interfaces()["NetworkInterfaces"]]
        self.assertTrue(shown and all(address.startswith("10.0.") for address in shown), shown)
        self.assertEqual(self.write(group, "here", "there"), "OK")
        eventually(lambda: self.read_everywhere(group, "here") == ["there"] * 3,
                   "every host has the value")

    def test_an_agent_is_killed_and_comes_back(self):
        group = self.make_group("adopted", 3)
        victim = self.agent_of(primary_of(group))
        before = self.identities()
        victim.kill()
        self.assertEqual(self.write(group, "without", "agent"), "OK")
        eventually(lambda: hosts(self.region)[victim.name]["state"] == "disconnected",
                   "the region knows that the agent is gone")
        victim.token_file = None  # needed once only
        victim.start().wait_connected()
        self.region.wait_group("adopted", 3)
        self.assertEqual(self.identities(), before)
        self.assertEqual(self.region.group("adopted"), group)
        self.wait_links(group, 2)
        # It is in charge again: what dies is brought back.
        replica = next(m["CacheClusterId"] for m in shard_of(group)["NodeGroupMembers"]
                       if m["CurrentRole"] == "replica")
        os.kill(self.pid_of(replica), signal.SIGKILL)
        self.wait_links(group, 2)

    def test_the_server_is_killed_and_comes_back(self):
        group = self.make_group("orphan", 3)
        before = self.identities()
        self.region.kill()
        for agent in self.agents.values():
            agent.wait_log("is not connected to 127.0.0.1")
        self.region.start()
        for agent in self.agents.values():
            agent.wait_connected()
        self.assertEqual(self.region.wait_group("orphan", 3), group)
        self.assertEqual(self.identities(), before)
        self.assertEqual(self.write(group, "after", "all"), "OK")
        eventually(lambda: self.read_everywhere(group, "after") == ["all"] * 3,
                   "replication went on")

    def test_an_agent_repairs_without_the_server(self):
        group = self.make_group("alone", 3)
        replica = next(m["CacheClusterId"] for m in shard_of(group)["NodeGroupMembers"]
                       if m["CurrentRole"] == "replica")
        agent, pid = self.agent_of(replica), self.pid_of(replica)
        self.region.kill()
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: set(agent.nodes()) - {pid}, "the replica runs again")
        self.region.start()
        for other in self.agents.values():
            other.wait_connected()
        self.region.wait_group("alone", 3)
        self.wait_links(group, 2)

    def test_a_primary_dies(self):
        group = self.make_group("moves", 3)
        old = primary_of(group)
        host = self.agent_of(old)
        self.assertEqual(self.write(group, "kept", "yes"), "OK")
        eventually(lambda: self.read_everywhere(group, "kept") == ["yes"] * 3, "all have it")
        os.kill(self.pid_of(old), signal.SIGKILL)

        def moved():
            now = self.region.wait_group("moves", 3)
            return now if primary_of(now) != old else None

        after = eventually(moved, "another member is the primary")
        self.assertIsNot(self.agent_of(primary_of(after)), host)
        self.assertTrue(self.agent_of(primary_of(after)).has_address(
            self.region.resolve(shard_of(after)["PrimaryEndpoint"]["Address"])))
        self.wait_links(after, 2)
        self.assertEqual(self.write(after, "again", "yes"), "OK")
        eventually(lambda: self.read_everywhere(after, "again") == ["yes"] * 3,
                   "the old primary follows on its own host")
        with self.region.session(shard_of(after)["PrimaryEndpoint"]) as session:
            self.assertEqual(session.ask("get kept"), "yes")

    def test_another_major_version_is_refused_by_name(self):
        wire = AgentWire(self.port, self.agents["h1"].data)
        self.addCleanup(wire.close)
        wire.say("hello", {"protocol": {"major": 2, "minor": 0}, "software": "9.9",
                           "instance": "x", "facts": {}, "unknown": [1]})
        kind, body = wire.hear()
        self.assertEqual((kind, body["code"]), ("refusal", "protocol"))
        line = ("the agent of host h1 (hikae 9.9) speaks version 2.0 of the agent protocol, this "
                "side speaks 1.1; upgrade this one")
        self.assertEqual(body["message"], line)
        eventually(lambda: line in self.region.log_tail(400), "the server's operator is told")
        self.assertEqual(hosts(self.region)["h1"]["state"], "connected")

    def test_a_second_agent_with_the_same_identity_is_refused(self):
        first = self.agents["h2"]
        second = Agent(self.region, "h2", "b", self.port)
        self.addCleanup(second.dispose)
        second.first = first.first
        shutil.copytree(os.path.join(first.data, "agent"), os.path.join(second.data, "agent"))
        second.start()
        second.wait_log("host h2 is served by another agent already")
        self.assertEqual(hosts(self.region)["h2"]["state"], "connected")
        self.assertIsNone(first.process.poll())
        self.assertEqual(second.terminate(), 0)

    def test_secrets_stay_where_they_are(self):
        agent = self.agents["h3"]
        self.assertEqual(stat.S_IMODE(os.stat(agent.identity_file("key.pem")).st_mode), 0o600)
        token = Agent(self.region, "h9", "a", self.port).take_token()
        self.addCleanup(token.dispose)
        self.assertEqual(stat.S_IMODE(os.stat(token.token_file).st_mode), 0o600)
        secret = token.token().split(".")[2]
        self.make_group("secretive", 3)
        state = open(os.path.join(self.region.data, "state.db"), "rb").read()
        for text in (agent.log(), self.region.log_tail(10000), state.decode("latin-1")):
            self.assertNotIn(secret, text)
            self.assertNotIn("PRIVATE KEY", text)
        for other in self.agents.values():
            with open(f"/proc/{other.process.pid}/cmdline", "rb") as file:
                self.assertNotIn(b"hikae-join.", file.read())

    def test_a_cordoned_host_gets_nothing_new(self):
        self.region.hikae("host", "cordon", "h1", "--data", self.region.data).ok()
        self.addCleanup(lambda: self.region.hikae("host", "uncordon", "h1", "--data",
                                                  self.region.data).ok())
        self.assertEqual(hosts(self.region)["h1"]["state"], "connected, cordoned")
        self.make_group("elsewhere", 3)
        self.assertEqual(self.agents["h1"].nodes(), {})
        refused = self.region.hikae("host", "remove", "h2", "--data", self.region.data)
        self.assertEqual(refused.code, 1)
        self.assertIn("--lost", refused.err)

    def test_what_is_missing_is_told(self):
        for name in self.agents:
            self.region.hikae("host", "cordon", name, "--data", self.region.data).ok()
        self.cache.create_replication_group(**self.network.group_arguments(
            ReplicationGroupId="waits", NumCacheClusters=2))
        self.addCleanup(self.drop_group, "waits")
        eventually(lambda: waiting(self.region), "the region says what it lacks")
        (line,) = waiting(self.region)
        self.assertRegex(line, r"waits-001/0001 needs a host with 2\.8 GiB of memory and an "
                               r"address in .*; h1 is cordoned, h2 is cordoned, h3 is cordoned\.")
        for name in self.agents:
            self.region.hikae("host", "uncordon", name, "--data", self.region.data).ok()
        self.region.wait_group("waits", 2)
        self.assertEqual(waiting(self.region), [])


class LostHosts(unittest.TestCase):
    """Hosts that leave for good, and come back when nobody wants them any more."""

    def setUp(self):
        arguments, self.port = agents_arguments()
        self.region = Region(*arguments)
        self.addCleanup(self.region.dispose)
        self.region.start()
        self.network = Network(self.region, "lost", ZONES)
        self.agents = {}
        for name, zone in (("h1", "a"), ("h2", "b"), ("h3", "c")):
            self.agents[name] = Agent(self.region, name, zone, self.port)
            self.addCleanup(self.agents[name].dispose)
            self.agents[name].join()

    def host(self, *arguments):
        return self.region.hikae("host", *arguments, "--data", self.region.data)

    def test_a_lost_host_is_replaced_and_retires_its_nodes_when_it_returns(self):
        self.region.elasticache.create_replication_group(**self.network.group_arguments(
            ReplicationGroupId="survivor", NumCacheClusters=3, AutomaticFailoverEnabled=True))
        group = self.region.wait_group("survivor", 3)
        with self.region.session(shard_of(group)["PrimaryEndpoint"]) as session:
            session.ask("set kept yes")
            self.assertEqual(session.ask("wait 2 10000"), 2)
        lost = next(agent for agent in self.agents.values()
                    if any(f"/{primary_of(group)}/" in cwd + "/" for cwd in agent.nodes().values()))
        connected = self.host("remove", lost.name, "--lost")
        self.assertEqual(connected.code, 1)
        self.assertIn("is connected, so it is not lost", connected.err)
        lost.kill()  # its engines go on: a host that was cut off
        eventually(lambda: hosts(self.region)[lost.name]["state"] == "disconnected", "it is gone")
        self.host("remove", lost.name, "--lost").ok()

        def failed_over():
            now = self.region.group("survivor")
            return now if primary_of(now) != primary_of(group) else None

        after = eventually(failed_over, "another member is the primary")
        with self.region.session(shard_of(after)["PrimaryEndpoint"]) as session:
            self.assertEqual(session.ask("get kept"), "yes")
        (line,) = eventually(lambda: waiting(self.region), "the lost member waits for a host")
        self.assertIn(f"{primary_of(group)}/0001 needs a host", line)

        new = Agent(self.region, "h4", lost.zone, self.port)
        self.addCleanup(new.dispose)
        new.join()
        self.region.wait_group("survivor", 3)
        self.assertEqual(len(new.nodes()), 1)

        self.assertEqual(len(lost.nodes()), 1)
        lost.token_file = None
        lost.start()
        eventually(lambda: not lost.nodes(), "the old host's engines end")
        lost.wait_log("was removed from region")
        self.assertNotIn(lost.name, hosts(self.region))
        self.assertEqual(lost.terminate(), 0)
        self.region.wait_group("survivor", 3)

    def test_a_host_without_nodes_is_removed_and_joins_again(self):
        agent = self.agents["h1"]
        self.host("remove", "h1").ok()
        agent.wait_log("was removed from region")
        agent.terminate()
        shutil.rmtree(os.path.join(agent.data, "agent"))
        agent.join()
        self.assertEqual(hosts(self.region)["h1"]["state"], "connected")


class Joining(unittest.TestCase):
    """Who is let in, and who is not."""

    def region_with(self, *arguments):
        listen, self.port = agents_arguments()
        self.region = Region(*listen, *arguments)
        self.addCleanup(self.region.dispose)
        return self.region.start()

    def agent(self, name="h1", zone="a", *arguments):
        agent = Agent(self.region, name, zone, self.port, *arguments)
        self.addCleanup(agent.dispose)
        return agent

    def check_refused(self, agent, text):
        self.assertEqual(agent.start().wait_end(), 1, agent.log_tail())
        self.assertIn(text, agent.log_tail(3))
        self.assertEqual(hosts(self.region), {})

    def config(self, text):
        handle, path = tempfile.mkstemp(suffix=".toml")
        self.addCleanup(os.unlink, path)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def test_tokens(self):
        self.region_with()
        good = self.agent().take_token()
        token = good.token()
        prefix, token_id, secret, fingerprint = token.split(".")

        def try_token(text, outcome):
            bad = self.agent()
            bad.token_file = os.path.join(bad.directory, "token")
            with open(bad.token_file, "w", encoding="utf-8") as file:
                file.write(text)
            self.check_refused(bad, outcome)

        unknown = "The join token is unknown or has expired"
        try_token(".".join([prefix, token_id, "0" * 64, fingerprint]), unknown)
        try_token(".".join([prefix, "0" * 8, secret, fingerprint]), unknown)
        try_token("hello", "holds no join token")
        self.check_refused(self.agent(), "make a token with `hikae host token`")
        short = self.agent().take_token("--ttl", "1s")
        text = short.token()
        eventually(lambda: self.expired(text), "the token has expired")
        self.check_refused(short, unknown)
        self.check_refused(self.agent(zone="z").take_token(), "names zone z")
        good.start().wait_connected()

    def expired(self, token):
        """Whether a join with the token is refused for it, and not for a zone that is wrong too."""
        probe = self.agent("probe", "z")
        probe.token_file = os.path.join(probe.directory, "token")
        with open(probe.token_file, "w", encoding="utf-8") as file:
            file.write(token)
        self.assertEqual(probe.start().wait_end(), 1)
        return "has expired" in probe.log_tail(3)

    def test_a_server_that_is_not_the_tokens_own_learns_nothing(self):
        self.region_with()
        agent = self.agent().take_token()
        parts = agent.token().split(".")
        with open(agent.token_file, "w", encoding="utf-8") as file:
            file.write(".".join([*parts[:3], "a" * 64]))
        agent.start()
        agent.wait_log("cannot join by 127.0.0.1")
        self.assertEqual(hosts(self.region), {})
        self.assertEqual(agent.terminate(), 0)

    def test_a_certificate_that_ended(self):
        self.region_with("--config", self.config('[agents]\ncertificate_lifetime = "4s"\n'))
        agent = self.agent().take_token().start()
        eventually(lambda: os.path.exists(agent.identity_file("certificate.pem")), "it has joined")
        agent.terminate()

        def ended():
            return subprocess.run(["openssl", "x509", "-checkend", "0", "-noout", "-in",
                                   agent.identity_file("certificate.pem")],
                                  stdout=subprocess.DEVNULL, check=False).returncode == 1

        eventually(ended, "the certificate has ended")
        agent.token_file = None
        self.assertEqual(agent.start().wait_end(), 1)
        self.assertIn("the certificate of host h1 ended at", agent.log_tail(3))
        # The server does not take it either.
        with self.assertRaises(OSError):
            wire = AgentWire(self.port, agent.data)
            wire.say("hello", {"protocol": {"major": 1, "minor": 0}})
            wire.hear()
        eventually(lambda: "certificate has expired" in self.region.log_tail(),
                   "the server says why")
        agent.take_token().start()
        eventually(lambda: not ended(), "a new token brings a new certificate")

    def test_a_certificate_is_renewed(self):
        self.region_with("--config", self.config('[agents]\ncertificate_lifetime = "60s"\n'))
        agent = self.agent().join()
        agent.wait_log("host h1 has a new certificate, good until")
        self.region.kill()
        self.region.start()
        agent.wait_connected()

    def test_one_name_is_one_host(self):
        self.region_with()
        self.agent().join()
        other = self.agent().take_token()
        self.assertEqual(other.start().wait_end(), 1)
        self.assertIn("There is another host h1", other.log_tail(3))
        thief = self.agent("h2", "a")
        thief.first = next(iter(hosts(self.region).values()))["addresses"].split("-")[0]
        thief.take_token()
        self.assertEqual(thief.start().wait_end(), 1)
        self.assertIn("Give every host addresses of its own", thief.log_tail(3))

    def test_one_machine_has_no_tokens(self):
        self.region = Region()
        self.addCleanup(self.region.dispose)
        self.region.start()
        outcome = self.region.hikae("host", "token", "--data", self.region.data)
        self.assertEqual(outcome.code, 1)
        self.assertIn("--agents-listen", outcome.err)
        self.assertEqual(sorted(hosts(self.region)), [f"local-{zone}" for zone in ZONES])
        unsigned = signing.send(self.region.listen, "POST", "/hikae/hosts", '{"action":"list"}')
        self.assertEqual(unsigned.status, 403)
        self.assertNotIn("local-", unsigned.text)

    def test_mistakes_of_the_command_line(self):
        self.region_with()
        for arguments, text in ((["--zone", "a"], "join needs"), ([], "zone is missing"),
                                (["--zone", "a", "--join", "s"], "addresses is missing")):
            outcome = self.region.hikae("agent", "--data", self.region.data + "-x", *arguments)
            self.assertEqual(outcome.code, 2)
            self.assertIn(text, outcome.err)
        unusable = self.region.hikae(
            "agent", "--data", self.region.data + "-x", "--zone", "a", "--join", "s",
            "--addresses", "198.51.100.7")
        self.assertEqual(unusable.code, 1)
        self.assertIn("name the interface", unusable.err)


if __name__ == "__main__":
    unittest.main()
