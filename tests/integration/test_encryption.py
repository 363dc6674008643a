"""Encrypted groups: certificates that verify, failover, snapshots, restarts of every part."""

import os
import shutil
import signal
import socket
import ssl
import stat
import tempfile

from support import commands, processes
from support.case import RegionTestCase
from support.encrypted import EncryptedClients
from support.groups import members_of, primary_of, shard_of
from support.inline import RedisError
from support.region import Region
from support.waiting import eventually
from support.writer import Writer

TAKEOVER_SECONDS = 5
WHOLE_SECONDS = 20


class EncryptedCase(RegionTestCase):
    network_name = "encrypted"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clients = EncryptedClients(cls.region)

    def make_encrypted(self, group_id, members=3, **more):
        return self.make_group(group_id, members, EngineVersion="7.1",
                               TransitEncryptionEnabled=True, **more)

    def ask_primary(self, group, line, token=None):
        """None while nobody answers, or the one the name leads to is only being promoted."""
        try:
            endpoint = shard_of(group)["PrimaryEndpoint"]
            with self.clients.session(endpoint, token=token) as session:
                return session.ask(line)
        except OSError:
            return None
        except RedisError as error:
            self.assertRegex(str(error), "READONLY|LOADING")
            return None

    def write_safely(self, group, line, replicas, token=None):
        with self.clients.session(shard_of(group)["PrimaryEndpoint"], token=token) as session:
            self.assertEqual(session.ask(line), "OK")
            self.assertEqual(session.ask(f"wait {replicas} 5000"), replicas)

    def wait_whole(self, group, replicas, token=None):
        def whole():
            info = self.ask_primary(group, "info replication", token) or ""
            return info.count("state=online") == replicas

        eventually(whole, f"{replicas} replicas follow", WHOLE_SECONDS)

    def wait_new_primary(self, group, old):
        def moved():
            now = primary_of(self.region.group(group["ReplicationGroupId"]))
            return now if now != old else None

        return eventually(moved, f"a replica of {old} leads", TAKEOVER_SECONDS, 0.002)

    def switch_over(self, group):
        group_id = group["ReplicationGroupId"]
        old = primary_of(group)
        heir = next(member for member in group["MemberClusters"] if member != old)
        self.cache.modify_replication_group(ReplicationGroupId=group_id, PrimaryClusterId=heir,
                                            ApplyImmediately=True)
        eventually(lambda: primary_of(self.region.group(group_id)) == heir, f"{heir} leads", 10)
        return heir

    def directory_of(self, cluster_id):
        return self.region.nodes()[self.region.pid_of(cluster_id)]


class Renewal(EncryptedCase):
    """Certificates that live for seconds."""

    @classmethod
    def make_region(cls):
        directory = tempfile.mkdtemp(prefix="hikae-config-")
        cls.addClassCleanup(shutil.rmtree, directory)
        config = os.path.join(directory, "hikae.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write('[agents]\ncertificate_lifetime = "12s"\n')
        return Region("--config", config)

    def test_they_are_replaced_before_they_end_and_nobody_notices(self):
        group = self.make_encrypted("renewed", 2)
        pids = set(self.region.nodes())
        endpoint = shard_of(group)["PrimaryEndpoint"]
        seen = set()
        with self.clients.session(endpoint) as first:

            def replaced_twice():
                # Each of these verifies what it is shown, also that it has not ended.
                with self.clients.session(endpoint) as session:
                    seen.add(session.certificate())
                return len(seen) >= 3

            eventually(replaced_twice, "the engine shows a third certificate", 40)
            self.assertEqual(first.ask("set still connected"), "OK")
        self.assertEqual(set(self.region.nodes()), pids)
        self.wait_whole(group, 1)


class Encryption(EncryptedCase):
    def test_what_an_encrypted_group_shows_and_takes(self):
        group = self.make_encrypted("shown", 2)
        self.assertIs(group["TransitEncryptionEnabled"], True)
        self.assertEqual(group["TransitEncryptionMode"], "required")
        self.assertIs(group["AuthTokenEnabled"], False)
        shard = shard_of(group)
        self.assertRegex(shard["PrimaryEndpoint"]["Address"], r"^master\.shown\.\w{6}\.apne1\.")
        below = shard["PrimaryEndpoint"]["Address"].removeprefix("master")
        self.assertEqual(shard["ReaderEndpoint"]["Address"], "replica" + below)
        self.assertEqual({name: end["Address"] for name, end in members_of(group).items()},
                         {name: name + below for name in group["MemberClusters"]})
        for name in group["MemberClusters"]:
            cluster = self.region.cluster(name)
            self.assertIs(cluster["TransitEncryptionEnabled"], True)
            self.assertEqual(cluster["CacheNodes"][0]["Endpoint"]["Address"], name + below)
        endpoints = [shard["PrimaryEndpoint"], shard["ReaderEndpoint"],
                     *members_of(group).values()]
        for endpoint in endpoints:
            with self.clients.session(endpoint) as session:
                self.assertEqual(session.ask("ping"), "PONG")
        self.write_safely(group, "set encrypted yes", 1)
        with self.clients.session(shard["ReaderEndpoint"]) as session:
            self.assertEqual(session.ask("get encrypted"), "yes")

    def test_nobody_is_served_in_the_clear_or_believed_without_the_ca(self):
        group = self.make_encrypted("clear", 2)
        endpoint = shard_of(group)["PrimaryEndpoint"]
        address = self.region.resolve(endpoint["Address"])
        with socket.create_connection((address, endpoint["Port"]), timeout=5) as plain:
            plain.sendall(b"PING\r\n")
            try:
                answer = plain.recv(100)
            except ConnectionError:
                answer = b""
        self.assertNotIn(b"PONG", answer)
        strangers = ssl.create_default_context()
        with socket.create_connection((address, endpoint["Port"]), timeout=5) as untrusted:
            with self.assertRaises(ssl.SSLCertVerificationError):
                strangers.wrap_socket(untrusted, server_hostname=endpoint["Address"])
        with socket.create_connection((address, endpoint["Port"]), timeout=5) as other_name:
            with self.assertRaises(ssl.SSLCertVerificationError):
                self.clients.context.wrap_socket(
                    other_name, server_hostname=endpoint["Address"].replace("clear", "other"))

    def test_its_address_verifies_too_and_redis_cli_connects(self):
        group = self.make_encrypted("by-cli", 1)
        endpoint = shard_of(group)["PrimaryEndpoint"]
        address = self.region.resolve(endpoint["Address"])
        with socket.create_connection((address, endpoint["Port"]), timeout=5) as connection:
            self.clients.context.wrap_socket(connection, server_hostname=address).close()
        ca_file = self.region.environment()["HIKAE_CA_FILE"]
        with open(ca_file, encoding="ascii") as file:
            self.assertEqual(file.read(), self.clients.ca)
        answer = commands.run(["redis-cli", "--tls", "--cacert", ca_file, "-h", address,
                               "-p", str(endpoint["Port"]), "ping"]).ok().out
        self.assertEqual(answer.strip(), "PONG")

    def test_the_key_is_a_file_of_the_engines_user_alone(self):
        group = self.make_encrypted("key", 1)
        (member,) = group["MemberClusters"]
        pid = self.region.pid_of(member)
        path = os.path.join(self.region.nodes()[pid], "tls.pem")
        info = os.stat(path)
        self.assertEqual(stat.S_IMODE(info.st_mode), 0o600)
        self.assertEqual(info.st_uid, os.stat(f"/proc/{pid}").st_uid)
        with open(path, encoding="ascii") as file:
            key = file.read().split("-----")[2].split()[1]
        self.assertGreater(len(key), 40)
        for text in (self.region.log_tail(10000), processes.command_line(pid)):
            self.assertNotIn(key, text)

    def test_a_primary_is_killed_under_encrypted_clients(self):
        group = self.make_encrypted("killed")
        old = primary_of(group)
        self.write_safely(group, "set before failover", 2)
        writer = Writer(self.region, shard_of(group)["PrimaryEndpoint"],
                        open_session=self.clients.session)
        writer.start()
        eventually(lambda: writer.acknowledged, "the client writes")
        os.kill(self.region.pid_of(old), signal.SIGKILL)
        self.wait_new_primary(group, old)
        written = len(writer.acknowledged)
        eventually(lambda: len(writer.acknowledged) > written, "the client writes on",
                   TAKEOVER_SECONDS)
        self.assertEqual(self.ask_primary(group, "get before"), "failover")
        self.wait_whole(group, 2)
        writer.end()
        self.region.wait_group("killed", 3)

    def test_a_switchover_loses_nothing(self):
        group = self.make_encrypted("switched")
        writer = Writer(self.region, shard_of(group)["PrimaryEndpoint"],
                        open_session=self.clients.session)
        writer.start()
        eventually(lambda: len(writer.acknowledged) > 1000, "the client writes")
        heir = self.switch_over(group)
        address = self.region.resolve(members_of(group)[heir]["Address"])
        eventually(lambda: writer.acknowledged and
                   list(writer.acknowledged.values())[-1].node == address,
                   "the client writes to the new primary")
        self.assertEqual(writer.finish(), [])
        self.wait_whole(group, 2)

    def test_a_snapshot_is_taken_and_restored(self):
        group = self.make_encrypted("source", 2)
        self.write_safely(group, "set kept value", 1)
        self.cache.create_snapshot(ReplicationGroupId="source", SnapshotName="of-encrypted")
        self.addCleanup(self.cache.delete_snapshot, SnapshotName="of-encrypted")

        def taken():
            snapshots = self.cache.describe_snapshots(SnapshotName="of-encrypted")["Snapshots"]
            return snapshots[0]["SnapshotStatus"] == "available"

        eventually(taken, "the snapshot is available")
        restored = self.make_encrypted("restored", 2, SnapshotName="of-encrypted")
        self.assertEqual(self.ask_primary(restored, "get kept"), "value")

    def test_a_group_changes_its_size_and_type(self):
        group = self.make_encrypted("grown", 2)
        self.write_safely(group, "set kept value", 1)
        self.cache.increase_replica_count(ReplicationGroupId="grown", NewReplicaCount=2,
                                          ApplyImmediately=True)
        self.region.wait_group("grown", 3)
        self.wait_whole(group, 2)
        self.cache.modify_replication_group(ReplicationGroupId="grown", ApplyImmediately=True,
                                            CacheNodeType="cache.t3.medium")
        eventually(lambda: self.region.group("grown")["CacheNodeType"] == "cache.t3.medium",
                   "the node type is changed", 30)
        self.region.wait_group("grown", 3)
        self.assertEqual(self.ask_primary(group, "get kept"), "value")

    def test_hikae_is_killed_and_its_next_run_renews_certificates_without_a_restart(self):
        group = self.make_encrypted("adopted", 2)
        endpoint = shard_of(group)["PrimaryEndpoint"]
        pids = set(self.region.nodes())
        with self.clients.session(endpoint) as session:
            before = session.certificate()
            self.region.kill()
            self.assertEqual(session.ask("set without hikae"), "OK")
            self.region.start()
            self.region.wait_group("adopted", 2)

            def renewed():
                with self.clients.session(endpoint) as another:
                    return another.certificate() != before

            eventually(renewed, "the engine shows another certificate")
            self.assertEqual(session.ask("get without"), "hikae")
        self.assertEqual(set(self.region.nodes()), pids)
        self.assertEqual(EncryptedClients(self.region).ca, self.clients.ca)
        self.wait_whole(group, 1)
        old = primary_of(group)
        os.kill(self.region.pid_of(old), signal.SIGKILL)
        self.wait_new_primary(group, old)
        self.wait_whole(group, 1)
