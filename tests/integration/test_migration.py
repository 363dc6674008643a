"""Migrations from servers outside of the region, with real engines: StartMigration, TestMigration,
CompleteMigration."""

import os
import signal

from support.case import RegionTestCase
from support.outside import Engine
from support.groups import members_of, primary_of, shard_of
from support.inline import InlineSession
from support.waiting import eventually
from support.writer import Writer


class Migrations(RegionTestCase):
    network_name = "migrations"

    def source(self, *arguments):
        engine = Engine(self.region.directory, *arguments).start()
        self.addCleanup(engine.stop)
        return engine

    def target(self, group_id, members=2, **more):
        more.setdefault("EngineVersion", "7.0")
        return self.make_group(group_id, members, MultiAZEnabled=True, **more)

    def drop_group(self, group_id):
        """A migration that a test left is ended first."""
        try:
            self.cache.complete_migration(ReplicationGroupId=group_id, Force=True)
        except self.cache.exceptions.ClientError:
            pass
        super().drop_group(group_id)

    def start(self, group_id, endpoint):
        answer = self.cache.start_migration(ReplicationGroupId=group_id,
                                            CustomerNodeEndpointList=[endpoint])
        self.assertEqual(answer["ReplicationGroup"]["Status"], "modifying")

    def messages(self, group_id):
        events = self.cache.describe_events(SourceType="replication-group",
                                            SourceIdentifier=group_id, Duration=60)["Events"]
        return [event["Message"] for event in events]

    def wait_message(self, group_id, text, timeout=40):
        return eventually(lambda: [one for one in self.messages(group_id) if text in one],
                          f"an event of {group_id} says: {text}", timeout)[-1]

    def in_sync(self, group_id):
        eventually(lambda: any("is in sync with" in one for one in self.messages(group_id)),
                   f"{group_id} is in sync", 40)

    def completes(self, group_id):
        """False while it is refused, because the group is not in sync."""
        try:
            return self.cache.complete_migration(ReplicationGroupId=group_id)
        except self.cache.exceptions.InvalidReplicationGroupStateFault as error:
            self.assertIn("is not in sync", str(error))
            return False

    def ask(self, group_id, *lines):
        with self.region.session(shard_of(self.region.group(group_id))["PrimaryEndpoint"]) as s:
            return s.ask_all(lines)

    def fill(self, engine, keys=1000):
        with engine.session() as session:
            for first in range(0, keys, 500):
                session.ask_all([f"set key:{n} {n}" for n in range(first, first + 500)])

    def test_a_group_takes_over_a_server_under_writes(self):
        source = self.source()
        self.fill(source)
        group = self.target("moved", 3)
        self.ask("moved", "set own 1")
        writer = Writer(self.region, source.endpoint,
                        open_session=lambda to, timeout: InlineSession(to["Address"], to["Port"],
                                                                       timeout))
        writer.start()
        self.addCleanup(writer.end)
        self.start("moved", source.endpoint)
        self.in_sync("moved")
        self.assertEqual(self.region.group("moved")["Status"], "modifying")
        refusal = self.ask("moved", "set other 1")[0]
        self.assertIn("READONLY", str(refusal))
        eventually(lambda: len(writer.acknowledged) > 1000, "writes are acknowledged")
        self.cache.complete_migration(ReplicationGroupId="moved")
        self.region.wait_group("moved", 3)
        taken = list(writer.acknowledged)  # no more come: the source holds them back
        self.assertTrue(self.wait_message("moved", " completed").endswith("completed"))
        with self.region.session(shard_of(group)["PrimaryEndpoint"]) as session:
            self.assertEqual(writer.missing(session, taken), [])
            self.assertEqual(session.ask("get key:999"), "999")
            self.assertIsNone(session.ask("get own"))
            self.assertEqual(session.ask("set here 1"), "OK")
            session.ask("wait 2 5000")
        for endpoint in members_of(group).values():
            with self.region.session(endpoint) as session:
                self.assertEqual(session.ask("get here"), "1")
                self.assertEqual(writer.missing(session, taken), [])
        # Nobody ever showed the source a password.
        self.assertNotIn("cmdstat_auth", source.ask("info commandstats"))
        # From now on it is a group like any other.
        old = primary_of(group)
        os.kill(self.region.pid_of(old), signal.SIGKILL)
        eventually(lambda: primary_of(self.region.group("moved")) != old, "it fails over")
        self.region.wait_group("moved", 3)
        self.assertEqual(self.ask("moved", "get here"), ["1"])

        def follows():
            try:
                with self.region.session(members_of(group)[old]) as session:
                    link = session.info("replication")
            except OSError:  # it starts again
                return False
            return link["role"] == "slave" and link.get("master_link_status") == "up"

        eventually(follows, "who followed the source follows the new primary")

    def test_a_test_asks_and_changes_nothing(self):
        source = self.source()
        self.target("tested")
        self.ask("tested", "set own 1")
        self.region.aws("elasticache", "test-migration", "--replication-group-id", "tested",
                        "--customer-node-endpoint-list",
                        f"Address={source.address},Port={source.port}").ok()
        self.assertTrue(self.wait_message("tested", "Test migration").endswith("succeeded"))
        self.region.wait_group("tested", 2)
        self.assertEqual(self.ask("tested", "get own", "set own 2"), ["1", "OK"])

    def test_a_source_that_will_not_do_costs_nothing(self):
        self.target("kept")
        self.ask("kept", "set own 1")
        primary = self.source()
        cases = {
            "asks for a password": self.source("--requirepass", "secret"),
            "cluster mode": self.source("--cluster-enabled", "yes"),
            "no primary itself": self.source("--replicaof", f"127.0.0.1 {primary.port}"),
        }
        for words, source in cases.items():
            with self.subTest(words):
                self.start("kept", source.endpoint)
                self.wait_message("kept", words)
                self.region.wait_group("kept")
        primary.stop()
        self.start("kept", primary.endpoint)
        self.wait_message("kept", "Connection refused")
        self.region.wait_group("kept")
        self.assertEqual(self.ask("kept", "get own", "set own 2"), ["1", "OK"])

    def test_hikae_and_the_primary_are_killed_in_the_middle(self):
        source = self.source()
        self.fill(source)
        group = self.target("tough", 3)
        self.start("tough", source.endpoint)
        self.region.kill()  # at whatever moment
        self.region.start()
        self.in_sync("tough")
        self.region.kill()
        source.ask("set meanwhile 1")
        self.region.start()
        eventually(lambda: self.ask("tough", "get meanwhile") == ["1"], "the link is still there")
        old = primary_of(group)
        pid = self.region.pid_of(old)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: self.region.pid_of(old) not in (None, pid), "it runs again")
        source.ask("set last 1")
        # The new server may still tell of its own start that the group is in sync.
        eventually(lambda: self.completes("tough"), "it is in sync again")
        self.assertEqual(primary_of(self.region.group("tough")), old)
        self.region.wait_group("tough", 3)
        self.assertEqual(self.ask("tough", "get last", "get key:7", "set own 1"), ["1", "7", "OK"])

    def test_a_source_that_is_lost_and_an_end_by_force(self):
        source = self.source()
        self.fill(source)
        self.target("forced")
        self.start("forced", source.endpoint)
        self.in_sync("forced")
        source.stop()
        self.wait_message("forced", "no longer in sync")
        self.refused("InvalidReplicationGroupState", self.cache.complete_migration,
                     ReplicationGroupId="forced")
        self.cache.complete_migration(ReplicationGroupId="forced", Force=True)
        self.region.wait_group("forced", 2)
        self.assertEqual(self.ask("forced", "dbsize", "set own 1"), [1000, "OK"])
        self.refused("ReplicationGroupNotUnderMigrationFault", self.cache.complete_migration,
                     ReplicationGroupId="forced", Force=True)

    def test_a_source_whose_pause_is_forbidden_is_left_running_and_that_is_told(self):
        source = self.source()
        source.ask("acl setuser default -client")
        self.fill(source, 500)
        self.target("running")
        self.start("running", source.endpoint)
        self.in_sync("running")
        self.cache.complete_migration(ReplicationGroupId="running")
        self.region.wait_group("running", 2)
        self.wait_message("running", "went on taking writes")
        self.assertEqual(self.ask("running", "dbsize"), [500])
