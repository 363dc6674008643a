"""What StartMigration, TestMigration and CompleteMigration refuse."""

import socket

from support.case import RegionTestCase

SOURCE = [{"Address": "127.0.0.1", "Port": 1}]


class Migrations(RegionTestCase):
    network_name = "migrate"

    def begin(self, code, group_id="none", sources=None, message=None):
        for call in (self.cache.start_migration, self.cache.test_migration):
            self.refused(code, call, message=message, ReplicationGroupId=group_id,
                         CustomerNodeEndpointList=SOURCE if sources is None else sources)

    def test_a_group_that_does_not_exist(self):
        self.begin("ReplicationGroupNotFoundFault")
        self.refused("ReplicationGroupNotFoundFault", self.cache.complete_migration,
                     ReplicationGroupId="none")

    def test_what_is_missing(self):
        for action in ("StartMigration", "TestMigration", "CompleteMigration"):
            answer = self.region.query({"Action": action})
            self.assertEqual(answer.status, 400, answer)
            self.assertIn("ReplicationGroupId", answer.text)

    def test_targets_that_will_not_do(self):
        self.make_group("one-zone", 2, EngineVersion="7.0")
        self.begin("InvalidReplicationGroupState", "one-zone", message="Multi-AZ")
        self.refused("ReplicationGroupNotUnderMigrationFault", self.cache.complete_migration,
                     ReplicationGroupId="one-zone", Force=True)
        self.make_group("old", 2, MultiAZEnabled=True)
        self.begin("InvalidReplicationGroupState", "old", message="5.0.6")

    def test_endpoints(self):
        self.make_group("good", 2, MultiAZEnabled=True, EngineVersion="7.0")
        for sources in (SOURCE * 2, [{"Address": "a b", "Port": 1}], [{"Address": "a"}],
                        [{"Port": 1}], [{"Address": "::1", "Port": 1}],
                        [{"Address": "a", "Port": 70000}]):
            with self.subTest(sources):
                self.begin("InvalidParameterValue", "good", sources)
        # It takes connections and says nothing, so the question stays open for a while.
        with socket.create_server(("127.0.0.1", 0)) as silent:
            answer = self.cache.start_migration(
                ReplicationGroupId="good",
                CustomerNodeEndpointList=[{"Address": "127.0.0.1",
                                           "Port": silent.getsockname()[1]}])
            self.assertEqual(answer["ReplicationGroup"]["Status"], "modifying")
            self.begin("ReplicationGroupAlreadyUnderMigrationFault", "good")
            self.refused("InvalidReplicationGroupState", self.cache.complete_migration,
                         ReplicationGroupId="good", message="not in sync")
            self.refused("InvalidReplicationGroupState", self.cache.delete_replication_group,
                         ReplicationGroupId="good")
            self.region.wait_group("good", 2)
