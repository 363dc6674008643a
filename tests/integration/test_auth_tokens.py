"""AUTH tokens: they count from the first moment, are changed live, and are written nowhere."""

import json
import os
import secrets
import signal

from support import processes
from support.groups import members_of, primary_of, shard_of
from support.inline import RedisError
from support.waiting import eventually
from support.writer import Writer

from .test_encryption import EncryptedCase


def make_token():
    return secrets.token_hex(20) + "!&#$^<>-"


class AuthTokens(EncryptedCase):
    network_name = "tokens"

    def refusal(self, endpoint, token):
        """The error that a client gets with this token, or without any."""
        with self.assertRaises(RedisError) as caught:
            with self.clients.session(endpoint, token=token) as session:
                session.ask("ping")
        return str(caught.exception)

    def check_tokens(self, group, good, bad):
        """Every member takes the good ones and no bad one."""
        for endpoint in members_of(group).values():
            for token in good:
                with self.clients.session(endpoint, token=token) as session:
                    self.assertEqual(session.ask("ping"), "PONG")
            for token in bad:
                self.assertIn("WRONGPASS", self.refusal(endpoint, token))
            self.assertIn("NOAUTH", self.refusal(endpoint, None))

    def change(self, group_id, members, strategy, token=None):
        more = {"AuthToken": token} if token else {}
        answer = self.cache.modify_replication_group(
            ReplicationGroupId=group_id, AuthTokenUpdateStrategy=strategy, ApplyImmediately=True,
            **more)["ReplicationGroup"]
        status = "ROTATING" if strategy == "ROTATE" else "SETTING"
        self.assertEqual(answer["Status"], "modifying")
        self.assertEqual(answer["PendingModifiedValues"], {"AuthTokenStatus": status})
        return self.region.wait_group(group_id, members)

    def test_a_token_from_the_beginning(self):
        token = make_token()
        group = self.make_encrypted("from-start", 2, AuthToken=token)
        self.assertIs(group["AuthTokenEnabled"], True)
        self.assertEqual(group["AuthTokenLastModifiedDate"], group["ReplicationGroupCreateTime"])
        self.assertIs(self.region.cluster("from-start-001")["AuthTokenEnabled"], True)
        self.check_tokens(group, [token], [make_token()])
        self.write_safely(group, "set replicated yes", 1, token)

    def test_rotate_and_set_under_a_client_that_writes(self):
        first, second, third = make_token(), make_token(), make_token()
        group = self.make_encrypted("rotated", 3, AuthToken=first)
        pids = set(self.region.nodes())
        writer = Writer(self.region, shard_of(group)["PrimaryEndpoint"],
                        open_session=self.clients.opener(first))
        writer.start()
        eventually(lambda: writer.acknowledged, "the client writes")
        with self.clients.session(shard_of(group)["PrimaryEndpoint"], token=first) as old_client:
            after = self.change("rotated", 3, "ROTATE", second)
            self.assertGreater(after["AuthTokenLastModifiedDate"],
                               group["AuthTokenLastModifiedDate"])
            self.check_tokens(group, [first, second], [third])
            self.change("rotated", 3, "SET", second)
            self.check_tokens(group, [second], [first, third])
            self.assertEqual(old_client.ask("ping"), "PONG", "who is connected stays so")
        self.change("rotated", 3, "ROTATE", third)
        self.check_tokens(group, [second, third], [first])
        writer.open_session = self.clients.opener(third)
        self.assertEqual(writer.finish(), [])
        self.assertEqual(set(self.region.nodes()), pids, "no engine was restarted")

    def test_a_first_token_is_added_beside_clients_without_one_and_gives_way_to_users(self):
        token = make_token()
        group = self.make_encrypted("later", 2)
        self.change("later", 2, "ROTATE", token)
        endpoint = shard_of(group)["PrimaryEndpoint"]
        with self.clients.session(endpoint) as session:
            self.assertEqual(session.ask("set without token"), "OK")
            self.assertEqual(session.ask(f"auth default {token}"), "OK")
        self.assertIs(self.change("later", 2, "SET", token)["AuthTokenEnabled"], True)
        self.check_tokens(group, [token], [make_token()])
        modify = self.cache.modify_replication_group
        self.cache.create_user_group(UserGroupId="open", Engine="redis", UserIds=["default"])
        self.refused("InvalidParameterCombination", modify, ReplicationGroupId="later",
                     AuthTokenUpdateStrategy="DELETE", ApplyImmediately=True,
                     message="UserGroupIdsToAdd")
        self.refused("InvalidParameterCombination", modify, ReplicationGroupId="later",
                     UserGroupIdsToAdd=["open"], ApplyImmediately=True, message="DELETE")
        modify(ReplicationGroupId="later", AuthTokenUpdateStrategy="DELETE",
               UserGroupIdsToAdd=["open"], ApplyImmediately=True)
        after = self.region.wait_group("later", 2)
        self.assertEqual(after["UserGroupIds"], ["open"])
        self.assertIs(after["AuthTokenEnabled"], False)
        self.assertNotIn("AuthTokenLastModifiedDate", after)
        for one in members_of(group).values():
            with self.clients.session(one) as session:
                self.assertEqual(session.ask("ping"), "PONG")
        self.refused("InvalidParameterCombination", modify, ReplicationGroupId="later",
                     AuthToken=token, ApplyImmediately=True, message="RemoveUserGroups")
        modify(ReplicationGroupId="later", AuthToken=token, AuthTokenUpdateStrategy="SET",
               RemoveUserGroups=True, ApplyImmediately=True)
        after = self.region.wait_group("later", 2)
        self.assertEqual((after["UserGroupIds"], after["AuthTokenEnabled"]), ([], True))
        self.check_tokens(group, [token], [make_token()])

    def test_a_single_node_that_was_retained_changes_its_token(self):
        first, second = make_token(), make_token()
        group = self.make_encrypted("retained", 2, AuthToken=first)
        self.cache.delete_replication_group(ReplicationGroupId="retained",
                                            RetainPrimaryCluster=True)
        self.region.wait_group_gone("retained")
        name = primary_of(group)
        self.addCleanup(self.drop_cluster, name)
        kept = self.region.wait_cluster(name)
        self.assertIs(kept["AuthTokenEnabled"], True)
        pid = self.region.pid_of(name)
        endpoint = kept["CacheNodes"][0]["Endpoint"]
        modify = self.cache.modify_cache_cluster

        def change(strategy, token):
            answer = modify(CacheClusterId=name, AuthToken=token, ApplyImmediately=True,
                            AuthTokenUpdateStrategy=strategy)["CacheCluster"]
            status = "ROTATING" if strategy == "ROTATE" else "SETTING"
            self.assertEqual(answer["PendingModifiedValues"], {"AuthTokenStatus": status})
            return self.region.wait_cluster(name)

        def is_good(token):
            with self.clients.session(endpoint, token=token) as session:
                return session.ask("ping") == "PONG"

        after = change("ROTATE", second)
        self.assertGreater(after["AuthTokenLastModifiedDate"], kept["AuthTokenLastModifiedDate"])
        self.assertTrue(is_good(first) and is_good(second))
        change("SET", second)
        self.assertTrue(is_good(second))
        self.assertIn("WRONGPASS", self.refusal(endpoint, first))
        self.assertEqual(self.region.pid_of(name), pid, "it was not restarted")
        self.refused("InvalidParameterCombination", modify, CacheClusterId=name,
                     AuthTokenUpdateStrategy="DELETE", ApplyImmediately=True)
        self.refused("InvalidParameterValue", modify, CacheClusterId=name, AuthToken="short",
                     AuthTokenUpdateStrategy="SET", ApplyImmediately=True)

    def test_kept_over_failover_reboot_and_a_restart_of_hikae(self):
        first, second = make_token(), make_token()
        group = self.make_encrypted("kept", 3, AuthToken=first)
        self.change("kept", 3, "ROTATE", second)
        self.change("kept", 3, "SET", second)
        self.write_safely(group, "set before failover", 2, second)
        old = primary_of(group)
        os.kill(self.region.pid_of(old), signal.SIGKILL)
        self.wait_new_primary(group, old)
        eventually(lambda: self.ask_primary(group, "get before", second) == "failover",
                   "the endpoint leads to the data")
        self.wait_whole(group, 2, second)
        self.region.wait_group("kept", 3)
        self.check_tokens(group, [second], [first])
        self.region.kill()
        self.region.start()
        self.region.wait_group("kept", 3)
        replica = next(name for name in group["MemberClusters"]
                       if name != primary_of(self.region.group("kept")))
        pid = self.region.pid_of(replica)
        self.cache.reboot_cache_cluster(CacheClusterId=replica, CacheNodeIdsToReboot=["0001"])
        eventually(lambda: self.region.pid_of(replica) not in (None, pid), "it is restarted")
        self.region.wait_group("kept", 3)
        self.wait_whole(group, 2, second)
        self.check_tokens(group, [second], [first])

    def test_a_token_is_written_nowhere(self):
        first, second = make_token(), make_token()
        group = self.make_encrypted("secret", 2, AuthToken=first)
        self.change("secret", 2, "ROTATE", second)
        self.write_safely(group, "set a b", 1, second)
        refused = self.refused("InvalidParameterValue", self.cache.modify_replication_group,
                               ReplicationGroupId="secret", AuthToken=second + "@",
                               AuthTokenUpdateStrategy="ROTATE")
        answers = json.dumps([self.region.group("secret"), self.region.cluster("secret-001"),
                              self.cache.describe_events()], default=str)
        exported = os.path.join(self.region.directory, "exported")
        self.region.hikae("store", "export", "--data", self.region.data, exported).ok()
        for token in (first, second):
            self.assertNotIn(token, refused + answers)
            for pid in processes.processes_below(self.region.directory):
                self.assertNotIn(token, processes.command_line(pid))
            for directory, _, names in os.walk(self.region.directory):
                for name in names:
                    path = os.path.join(directory, name)
                    if os.path.isfile(path):
                        with open(path, "rb") as file:
                            self.assertNotIn(token.encode(), file.read(), path)
