"""Encryption and AUTH tokens as the API takes and refuses them."""

from support.case import RegionTestCase

TOKEN = "an-AUTH-token-of-this-test"
NO_ENCRYPTION = "The AUTH token is only supported when encryption-in-transit is enabled"


class Access(RegionTestCase):
    network_name = "access"

    def create(self, **more):
        return self.cache.create_replication_group(**self.network.group_arguments(
            ReplicationGroupId="asked", **{"EngineVersion": "7.1", **more}))

    def modify(self, group_id, **more):
        return self.cache.modify_replication_group(ReplicationGroupId=group_id,
                                                   ApplyImmediately=True, **more)

    def test_tokens_that_are_none(self):
        for token in ("x" * 15, "x" * 129, "", "with a space in it", "slash/slash/slash",
                      'quote"quote"quote', "at@at@at@at@at@at", "percent%percent%1",
                      "ünïcödé-ünïcödé-1"):
            with self.subTest(token):
                said = self.refused("InvalidParameterValue", self.create, AuthToken=token,
                                    TransitEncryptionEnabled=True, status=400)
                self.assertEqual(said, "Invalid AuthToken provided.")

    def test_refused_creations(self):
        cases = [
            ("InvalidParameterValue", {"AuthToken": TOKEN}, NO_ENCRYPTION),
            ("InvalidParameterValue", {"AuthToken": TOKEN, "TransitEncryptionEnabled": False},
             NO_ENCRYPTION),
            ("InvalidParameterCombination", {"TransitEncryptionMode": "required"},
             "TransitEncryptionMode"),
            ("InvalidParameterCombination",
             {"TransitEncryptionMode": "preferred", "TransitEncryptionEnabled": True,
              "AuthToken": TOKEN},
             "Transit encryption preferred is not supported with redis access control."),
            ("InvalidParameterCombination",
             {"TransitEncryptionMode": "preferred", "TransitEncryptionEnabled": True,
              "EngineVersion": "6.2"}, "engine version 6.2"),
            ("InvalidParameterCombination", {"KmsKeyId": "key"}, "KmsKeyId"),
            ("InvalidParameterCombination",
             {"TransitEncryptionEnabled": True, "EngineVersion": "3.2.4"}, "3.2.4"),
            ("InvalidParameterCombination",
             {"AtRestEncryptionEnabled": True, "EngineVersion": "3.2.10"}, "3.2.10"),
        ]
        for code, wish, message in cases:
            with self.subTest(**wish):
                self.refused(code, self.create, status=400, message=message, **wish)

    def test_a_cluster_of_its_own_is_not_encrypted(self):
        def create(**more):
            return self.cache.create_cache_cluster(
                **self.network.cluster_arguments(CacheClusterId="asked", **more))

        said = self.refused("InvalidParameterCombination", create, TransitEncryptionEnabled=True)
        self.assertEqual(said, "Encryption feature is not supported for engine REDIS.")
        self.assertEqual(self.refused("InvalidParameterValue", create, AuthToken=TOKEN),
                         NO_ENCRYPTION)

    def test_at_rest_is_recorded_and_shown(self):
        group = self.make_group("at-rest", 1, EngineVersion="7.1", AtRestEncryptionEnabled=True,
                                KmsKeyId="some-key")
        self.assertIs(group["AtRestEncryptionEnabled"], True)
        self.assertEqual(group["KmsKeyId"], "some-key")
        self.assertIs(group["TransitEncryptionEnabled"], False)
        self.assertNotIn("TransitEncryptionMode", group)
        self.assertIs(self.region.cluster("at-rest-001")["AtRestEncryptionEnabled"], True)

    def test_changes_of_tokens(self):
        self.make_group("changed", 1, EngineVersion="7.1", TransitEncryptionEnabled=True,
                        AuthToken=TOKEN)
        other = TOKEN + "-2"
        cases = [
            ("InvalidParameterValue", {"AuthToken": "short"}, "Invalid AuthToken provided."),
            ("InvalidParameterCombination", {"AuthTokenUpdateStrategy": "ROTATE"}, "AuthToken"),
            ("InvalidParameterCombination",
             {"AuthToken": other, "AuthTokenUpdateStrategy": "SET"}, "ROTATE"),
            ("InvalidParameterCombination",
             {"AuthToken": other, "AuthTokenUpdateStrategy": "DELETE"}, "DELETE"),
            ("InvalidParameterCombination", {"TransitEncryptionEnabled": False},
             "TransitEncryptionMode must be set to preferred first"),
            ("InvalidParameterCombination", {"TransitEncryptionMode": "preferred"},
             "not supported for access control enabled clusters"),
        ]
        for code, change, message in cases:
            with self.subTest(**change):
                self.refused(code, self.modify, "changed", status=400, message=message, **change)
        self.assertEqual(self.region.group("changed")["Status"], "available")
        # Terraform tells again what is so already.
        same = self.modify("changed", TransitEncryptionEnabled=True,
                           TransitEncryptionMode="required")["ReplicationGroup"]
        self.assertEqual(same["Status"], "available")
        self.assertEqual(same["PendingModifiedValues"], {})

    def test_a_change_of_tokens_may_wait_for_the_maintenance_window(self):
        group = self.make_group("waiting", 1, EngineVersion="7.1",
                                TransitEncryptionEnabled=True, AuthToken=TOKEN)
        answer = self.cache.modify_replication_group(
            ReplicationGroupId="waiting", AuthToken=TOKEN + "-2",
            AuthTokenUpdateStrategy="ROTATE")["ReplicationGroup"]
        self.assertEqual(answer["Status"], "available")
        self.assertEqual(answer["PendingModifiedValues"], {"AuthTokenStatus": "ROTATING"})
        self.assertIs(group["AuthTokenEnabled"], True)
