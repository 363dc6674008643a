"""A group goes from no encryption to preferred, to required and back, while clients write."""

import contextlib
import shutil
import socket
import ssl

from support.encrypted import EncryptedClients
from support.groups import members_of, primary_of, shard_of
from support.waiting import eventually

from .test_failover import Writer
from .test_modify import ROLL_SECONDS, ModifyTestCase

ENGINES = [(engine, version) for engine, version in (("redis", "7.0"), ("valkey", "8.0"))
           if shutil.which(f"{engine}-server")]


class TransitCase(ModifyTestCase):
    network_name = "transit"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clients = EncryptedClients(cls.region)

    def change(self, group_id, members=3, **asked):
        """At once; the group as it is afterwards."""
        changing = self.modify(group_id, **asked)
        self.assertEqual(changing["Status"], "modifying")
        self.assertTrue(changing["PendingModifiedValues"], asked)
        after = self.region.wait_group(group_id, members, ROLL_SECONDS)
        self.assertEqual(after["PendingModifiedValues"], {})
        return after

    @contextlib.contextmanager
    def writing_by(self, endpoint, open_session=None, first=0):
        """Writes to the endpoint all the time; at the end nothing acknowledged may be missing."""
        writer = Writer(self.region, endpoint, open_session=open_session, first=first)
        writer.start()
        try:
            eventually(lambda: len(writer.acknowledged) > 200, "it writes", 10)
            yield writer
            written = len(writer.acknowledged)
            eventually(lambda: len(writer.acknowledged) > written + 200,
                       f"it writes on: {writer.interruptions[-3:]}", 10)
        finally:
            lost = writer.finish()
        self.assertEqual(lost, [], f"of {len(writer.acknowledged)} acknowledged writes")

    def by_tls(self, endpoint, timeout=10):
        return self.clients.session(endpoint, timeout)

    def takes_plain(self, endpoint):
        try:
            with self.region.session(endpoint) as session:
                return session.ask("ping") == "PONG"
        except OSError:
            return False

    def takes_tls(self, endpoint):
        """To verify the name is the client's business; here the node is what counts."""
        context = ssl.create_default_context(cadata=self.clients.ca)
        context.check_hostname = False
        address = (self.region.resolve(endpoint["Address"]), endpoint["Port"])
        with socket.create_connection(address, 10) as peer:
            peer.sendall(b"\x16\x03\x01\x7f\x7f nothing\r\n")  # to one without TLS a command
            if peer.recv(100).startswith(b"-ERR unknown command"):
                return False
        try:
            with socket.create_connection(address, 10) as peer, \
                    context.wrap_socket(peer) as session:
                session.sendall(b"PING\r\n")
                return session.recv(100) == b"+PONG\r\n"
        except OSError:
            return False

    def check_members(self, group, plain, tls):
        for endpoint in members_of(group).values():
            self.assertEqual((self.takes_plain(endpoint), self.takes_tls(endpoint)), (plain, tls),
                             endpoint)


class ThereAndBack(TransitCase):
    def go(self, engine, version):
        group_id = f"way-{engine}"
        group = self.make_group(group_id, 3, Engine=engine, EngineVersion=version,
                                CacheNodeType="cache.t3.small")
        plain = shard_of(group)["PrimaryEndpoint"]
        self.assertNotIn("TransitEncryptionMode", group)
        self.check_members(group, plain=True, tls=False)
        with self.writing_by(plain):
            group = self.change(group_id, TransitEncryptionEnabled=True,
                                TransitEncryptionMode="preferred")
            self.assertIs(group["TransitEncryptionEnabled"], True)
            self.assertEqual(group["TransitEncryptionMode"], "preferred")
            encrypted = shard_of(group)["PrimaryEndpoint"]
            self.assertRegex(encrypted["Address"], rf"^master\.{group_id}\.")
            # Both names lead to one address and port, and both kinds of clients are served there.
            self.assertEqual(self.region.resolve(encrypted["Address"]),
                             self.region.resolve(plain["Address"]))
            self.assertEqual(encrypted["Port"], plain["Port"])
            self.check_members(group, plain=True, tls=True)
            for endpoint in (encrypted, plain):
                with self.clients.session(endpoint) as session:  # it verifies either name
                    self.assertEqual(session.ask("set by tls"), "OK")
                    self.assertEqual(session.ask("wait 2 5000"), 2)
            with self.region.session(plain) as session:
                self.assertEqual(session.ask("get by"), "tls")
        with self.writing_by(encrypted, self.by_tls, 10_000_000):
            group = self.change(group_id, TransitEncryptionMode="required")
            self.assertEqual(group["TransitEncryptionMode"], "required")
            self.check_members(group, plain=False, tls=True)
            self.assertEqual(self.region.lookup(plain["Address"]).rcode, "NXDOMAIN")
            group = self.change(group_id, TransitEncryptionMode="preferred")
            self.check_members(group, plain=True, tls=True)
        with self.writing_by(plain, first=20_000_000):
            group = self.change(group_id, TransitEncryptionEnabled=False)
            self.assertIs(group["TransitEncryptionEnabled"], False)
            self.assertNotIn("TransitEncryptionMode", group)
            self.check_members(group, plain=True, tls=False)
            self.assertEqual(shard_of(group)["PrimaryEndpoint"], plain)
            self.assertEqual(self.region.lookup(encrypted["Address"]).rcode, "NXDOMAIN")
        self.wait_whole(group)
        events = self.events_of("replication-group", group_id)
        self.assertEqual([message.split()[-1] for message in events
                          if "transit encryption mode" in message],
                         ["preferred.", "required.", "preferred.", "off."])

    def test_all_the_way(self):
        for engine, version in ENGINES:
            with self.subTest(engine=engine):
                self.go(engine, version)


class Preferred(TransitCase):
    """What happens to a group that stays in that mode."""

    def make_preferred(self, group_id, members=3, **more):
        more.setdefault("EngineVersion", "7.1")
        return self.make_group(group_id, members, TransitEncryptionEnabled=True,
                               TransitEncryptionMode="preferred", **more)

    def plain_endpoint(self, group):
        """The name that the primary would have without encryption."""
        master = shard_of(group)["PrimaryEndpoint"]
        _, name, code, rest = master["Address"].split(".", 3)
        return {"Address": f"{name}.{code}.ng.0001.{rest}", "Port": master["Port"]}

    def test_from_the_beginning(self):
        group = self.make_preferred("born", 2)
        self.assertEqual(group["TransitEncryptionMode"], "preferred")
        for member in group["MemberClusters"]:
            cluster = self.region.cluster(member)
            self.assertEqual((cluster["TransitEncryptionEnabled"],
                              cluster["TransitEncryptionMode"]), (True, "preferred"))
        self.check_members(group, plain=True, tls=True)
        self.assertTrue(self.takes_plain(self.plain_endpoint(group)))

    def test_a_failover_serves_both_kinds(self):
        group = self.make_preferred("fails")
        plain = self.plain_endpoint(group)
        encrypted = shard_of(group)["PrimaryEndpoint"]
        old = primary_of(group)
        with self.region.session(plain) as session:
            session.ask("set before yes")
            self.assertEqual(session.ask("wait 2 5000"), 2)
        with self.region.session(plain) as one, self.clients.session(encrypted) as other:
            self.assertEqual((one.ask("ping"), other.ask("ping")), ("PONG", "PONG"))
            self.cache.test_failover(ReplicationGroupId="fails", NodeGroupId="0001")
            # Who is connected learns of it at once, by the end of the connection.
            for session in (one, other):
                with self.assertRaises(OSError):
                    for _ in range(100_000):
                        session.ask("ping")
        eventually(lambda: primary_of(self.region.group("fails")) != old, "another leads", 10)
        self.wait_whole(group)
        for open_session, endpoint in ((self.region.session, plain),
                                       (self.clients.session, encrypted)):
            with open_session(endpoint) as session:
                self.assertEqual(session.ask("get before"), "yes")
                self.assertEqual(session.ask("set after yes"), "OK")
        group = self.region.wait_group("fails", 3)
        self.check_members(group, plain=True, tls=True)

    def test_a_restart_of_hikae_is_not_noticed(self):
        group = self.make_preferred("stays", 2)
        pids = set(self.region.nodes())
        with self.region.session(self.plain_endpoint(group)) as plain, \
                self.clients.session(shard_of(group)["PrimaryEndpoint"]) as encrypted:
            self.region.kill()
            self.region.start()
            self.region.wait_group("stays", 2)
            for session in (plain, encrypted):
                self.assertEqual(session.ask("set k v"), "OK")
                self.assertEqual(session.ask("wait 1 5000"), 1)
        self.assertEqual(set(self.region.nodes()), pids)

    def test_promotion_by_hand_snapshots_and_replicas(self):
        group = self.make_preferred("works")
        old = primary_of(group)
        heir = next(member for member in group["MemberClusters"] if member != old)
        with self.writing_by(self.plain_endpoint(group)):
            self.cache.modify_replication_group(ReplicationGroupId="works", PrimaryClusterId=heir,
                                                ApplyImmediately=True)
            eventually(lambda: primary_of(self.region.group("works")) == heir, f"{heir} leads", 10)
            self.region.wait_group("works", 3)
            self.cache.increase_replica_count(ReplicationGroupId="works", NewReplicaCount=3,
                                              ApplyImmediately=True)
            group = self.region.wait_group("works", 4, ROLL_SECONDS)
            self.check_members(group, plain=True, tls=True)
            self.cache.create_snapshot(ReplicationGroupId="works", SnapshotName="works-now")
            eventually(lambda: self.cache.describe_snapshots(SnapshotName="works-now")
                       ["Snapshots"][0]["SnapshotStatus"] == "available", "the snapshot", 30)
            self.region.wait_group("works", 4)

    def test_the_only_node_keeps_its_data(self):
        group = self.make_group("single", 1, EngineVersion="7.1")
        with self.writing_by(shard_of(group)["PrimaryEndpoint"]):
            group = self.change("single", 1, TransitEncryptionEnabled=True,
                                TransitEncryptionMode="preferred")
            self.check_members(group, plain=True, tls=True)

    def test_hikae_dies_on_the_way(self):
        group = self.make_group("killed", 3, EngineVersion="7.1")
        with self.writing_by(shard_of(group)["PrimaryEndpoint"]):
            self.modify("killed", TransitEncryptionEnabled=True,
                        TransitEncryptionMode="preferred")
            for _ in range(4):
                self.region.kill()
                self.region.start()
            group = self.region.wait_group("killed", 3, ROLL_SECONDS)
        self.check_members(group, plain=True, tls=True)


class Refusals(TransitCase):
    def test_one_step_at_a_time(self):
        self.make_group("steps", 1, EngineVersion="7.1")
        code = "InvalidParameterCombination"
        modify = self.cache.modify_replication_group
        for asked, message in (
                ({"TransitEncryptionEnabled": True, "TransitEncryptionMode": "required"},
                 "must be set to preferred first"),
                ({"TransitEncryptionEnabled": True}, "must be set to preferred first"),
                ({"TransitEncryptionMode": "preferred"},
                 "To modify transit encryption mode, set encryption-in-transit as enabled."),
        ):
            self.refused(code, modify, ReplicationGroupId="steps", ApplyImmediately=True,
                         message=message, **asked)
        unchanged = self.modify("steps", TransitEncryptionEnabled=False)
        self.assertEqual(unchanged["Status"], "available", "tools send again what is so")

    def test_what_waits_for_the_window_is_shown(self):
        self.make_group("waits", 2, EngineVersion="7.1")
        waiting = self.modify("waits", TransitEncryptionEnabled=True,
                              TransitEncryptionMode="preferred", ApplyImmediately=False)
        self.assertEqual(waiting["Status"], "available")
        self.assertEqual(waiting["PendingModifiedValues"],
                         {"TransitEncryptionEnabled": True, "TransitEncryptionMode": "preferred"})
        self.assertIs(waiting["TransitEncryptionEnabled"], False)
        shown = self.region.cluster("waits-001")["PendingModifiedValues"]
        self.assertEqual(shown, waiting["PendingModifiedValues"])
        again = self.modify("waits", TransitEncryptionEnabled=False, ApplyImmediately=False)
        self.assertEqual(again["PendingModifiedValues"], {})

    def test_tokens_need_required(self):
        code = "InvalidParameterCombination"
        token = "0123456789abcdef0123"
        arguments = self.network.group_arguments(ReplicationGroupId="both", NumCacheClusters=1,
                                                 EngineVersion="7.1")
        self.refused(code, self.cache.create_replication_group, AuthToken=token,
                     TransitEncryptionEnabled=True, TransitEncryptionMode="preferred",
                     message="Transit encryption preferred is not supported", **arguments)
        self.make_group("token", 1, EngineVersion="7.1", TransitEncryptionEnabled=True,
                        AuthToken=token)
        self.refused(code, self.cache.modify_replication_group, ReplicationGroupId="token",
                     TransitEncryptionMode="preferred", ApplyImmediately=True,
                     message="Modification of transit encryption is not supported for access "
                             "control enabled clusters.")

    def test_old_versions_keep_what_they_have(self):
        self.make_group("old", 1, EngineVersion="6.2")
        self.refused("InvalidParameterCombination", self.cache.modify_replication_group,
                     ReplicationGroupId="old", TransitEncryptionEnabled=True,
                     TransitEncryptionMode="preferred", ApplyImmediately=True,
                     message="not supported for engine version 6.2")
