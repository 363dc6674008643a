"""Users of replication groups on real engines: who may log in, and what they may do there."""

import hashlib
import json
import os
import random
import shutil
import signal
import stat
import subprocess
import tempfile

from clients.programs import python_with_redis
from support import commands, processes
from support.case import RegionTestCase
from support.groups import members_of, primary_of, shard_of
from support.inline import RedisError
from support.region import ROOT
from support.users import OTHER_PASSWORD, PASSWORD, UsersMixin
from support.waiting import eventually

ENGINES = {"redis": "7.1", "valkey": "8.0"}
# What core/admission/access_string_test.cc takes.
GOOD_STRINGS = [
    "on ~* +@all", "on ~* &* +@all", "off ~objects:* -@all", "on  ~a:*   ~b:*  +get ",
    "ON AllKeys AllChannels AllCommands", "on ~a resetkeys ~b", "on ~* resetkeys ~b",
    "on &* resetchannels &news.*", "on %R~a %W~b %RW~c %rw~d", "on ~ &",
    "+@all -@dangerous -@Admin", "nocommands +GET +client|setname -client|KILL",
    "+select|0 +get|x", "~\"quoted'\\ +ping", "~café +ping", "~a ~*", "~* ~*",
]
# Words of which the tests make access strings by chance.
WORDS = [
    "on", "off", "allkeys", "resetkeys", "allchannels", "resetchannels", "allcommands",
    "nocommands", "~*", "~a:*", "%R~b", "%RW~c", "%X~d", "&*", "&news", "+@all", "-@all", "+@read",
    "-@dangerous", "+@keyspace", "+@nonsense", "+get", "-set", "+config", "+client|kill",
    "-client|list", "+client|nonsense", "+select|0", "-select|0", "+acl|whoami", "+nonsense",
    "+@", "+", "~", "+psync", "+xadd", "-debug",
]


class AccessTestCase(UsersMixin, RegionTestCase):
    network_name = "access"

    def make(self, group_id, members=2, engine="redis", **more):
        return self.make_group(group_id, members, Engine=engine, EngineVersion=ENGINES[engine],
                               CacheNodeType="cache.t3.micro", **more)

    def log_in(self, endpoint, name, password=PASSWORD):
        session = self.region.session(endpoint)
        self.addCleanup(session.close)
        session.ask(f"auth {name} {password}")
        return session

    def may_log_in(self, endpoint, name, password=PASSWORD):
        with self.region.session(endpoint) as session:
            try:
                session.ask(f"auth {name} {password}")
            except RedisError as error:
                self.assertIn("WRONGPASS", str(error))
                return False
            return True

    def denied(self, session, line, code="NOPERM"):
        with self.assertRaises(RedisError) as caught:
            session.ask(line)
        self.assertTrue(str(caught.exception).startswith(code), caught.exception)

    def wait_active(self, user_id):
        eventually(lambda: self.user(user_id)["Status"] == "active", f"{user_id} is active", 20)

    def check_nodes(self, group, key_prefix="a:"):
        """Every node knows alice, who may use her keys alone, and nobody else but `default`."""
        for name, endpoint in members_of(group).items():
            with self.subTest(node=name), self.region.session(endpoint) as session:
                self.assertEqual(session.ask(f"auth alice {PASSWORD}"), "OK")
                self.assertEqual(session.ask("acl whoami"), "alice")
                session.ask(f"get {key_prefix}1")
                self.denied(session, "get z:1")
                self.denied(session, "config get maxmemory")
                self.assertFalse(self.may_log_in(endpoint, "alice", OTHER_PASSWORD))


class InForce(AccessTestCase):
    def test_on_every_node_of_both_engines(self):
        self.make_user("alice", "on ~a:* +@all")
        self.make_user("reader", "on ~* -@all +@read", passwords=(PASSWORD, OTHER_PASSWORD))
        self.make_user("locked", "off ~* +@all")
        for engine in ENGINES:
            with self.subTest(engine):
                users = [f"default-{engine}", "alice", "reader", "locked"]
                self.make_user(users[0], "off -@all", UserName="default")
                self.make_user_group(f"all-{engine}", users, engine)
                group = self.make(engine, 2, engine, UserGroupIds=[f"all-{engine}"])
                self.assertEqual(group["UserGroupIds"], [f"all-{engine}"])
                self.assertEqual(self.user_group(f"all-{engine}")["ReplicationGroups"], [engine])
                primary = shard_of(group)["PrimaryEndpoint"]
                self.log_in(primary, "alice").ask("set a:1 one")
                self.check_nodes(group)
                for name, endpoint in members_of(group).items():
                    for password in (PASSWORD, OTHER_PASSWORD):
                        reader = self.log_in(endpoint, "reader", password)
                        eventually(lambda: reader.ask("get a:1") == "one", "it is replicated", 10)
                        self.denied(reader, "set a:1 two")
                    self.assertFalse(self.may_log_in(endpoint, "locked"))
                    with self.region.session(endpoint) as nobody:
                        self.denied(nobody, "get a:1", "NOAUTH")

    def test_redis_py_logs_in_by_name(self):
        self.make_user("alice", "on ~a:* &a:* +@all")
        self.make_user_group("py", ["default", "alice"])
        group = self.make("py", 1, UserGroupIds=["py"])
        endpoint = shard_of(group)["PrimaryEndpoint"]
        program = (
            "import os, redis\n"
            f"r = redis.Redis('{self.region.resolve(endpoint['Address'])}', {endpoint['Port']},\n"
            "    username='alice', password=os.environ['WORD'], decode_responses=True)\n"
            "print(r.acl_whoami(), r.set('a:1', 'x'), r.get('a:1'))\n"
            "try:\n    r.get('b:1')\n"
            "except redis.exceptions.NoPermissionError as error:\n    print('refused')\n")
        outcome = commands.run([python_with_redis(), "-c", program],
                               env=commands.bare_environment(WORD=PASSWORD)).ok()
        self.assertEqual(outcome.out.split(), ["alice", "True", "x", "refused"])

    def test_no_user_gets_what_the_service_needs(self):
        """Whatever an access string allows: restricted commands stay refused, our users hidden."""
        self.make_user("root", "on allkeys allchannels allcommands +config +config|set "
                               "+acl|setuser +@admin +@dangerous +psync +replicaof +shutdown")
        self.make_user_group("roots", ["default", "root"])
        group = self.make("roots", 2, UserGroupIds=["roots"])
        for endpoint in members_of(group).values():
            root = self.log_in(endpoint, "root")
            for line in ("config get *", "config set maxmemory 1", "acl setuser root reset",
                         "acl deluser hikae-admin", "acl load", "acl save", "replicaof no one",
                         "shutdown nosave", "psync ? -1", "failover", "save"):
                self.denied(root, line)
            for name in ("hikae-admin", "hikae-replication"):
                self.assertFalse(self.may_log_in(endpoint, name))
                self.assertFalse(self.may_log_in(endpoint, name, OTHER_PASSWORD))
        for reserved in ("hikae-admin", "hikae-replication"):
            self.refused("InvalidParameterValue", self.cache.create_user, UserId="x",
                         UserName=reserved, Engine="redis", AccessString="on ~* +@all",
                         Passwords=[PASSWORD])

    def test_a_valkey_group_without_a_default_user(self):
        self.make_user("alice", "on ~a:* +@all")
        self.make_user_group("few", ["alice"], "valkey")
        group = self.make("few", 1, "valkey", UserGroupIds=["few"])
        with self.region.session(shard_of(group)["PrimaryEndpoint"]) as nobody:
            self.denied(nobody, "ping", "NOAUTH")
        self.check_nodes(group)

    def test_creation_is_refused(self):
        self.make_user("modern", Engine="valkey")
        self.make_user_group("valkeys", ["modern"], "valkey")
        self.make_user_group("first", ["default"])
        self.make_user_group("second", ["default"])

        def refused(code, groups, **more):
            arguments = self.network.group_arguments(
                ReplicationGroupId="x", NumCacheClusters=1, EngineVersion="7.1", **more)
            self.refused(code, self.cache.create_replication_group, UserGroupIds=groups,
                         **arguments)

        refused("UserGroupNotFound", ["absent"])
        refused("InvalidParameterCombination", ["first", "second"])
        refused("InvalidParameterCombination", ["valkeys"])


class Changes(AccessTestCase):
    def setUp(self):
        super().setUp()
        self.make_user("alice", "on ~a:* +@all")
        self.make_user_group("team", ["default", "alice"])

    def test_a_user_is_modified_under_its_connections(self):
        group = self.make("live", 2, UserGroupIds=["team"])
        pids = set(self.region.nodes())
        endpoint = shard_of(group)["PrimaryEndpoint"]
        session = self.log_in(endpoint, "alice")
        session.ask("set a:1 one")
        changed = self.cache.modify_user(UserId="alice", AccessString="on ~b:* +@all")
        self.assertIn(changed["Status"], ("modifying", "active"))
        self.wait_active("alice")
        self.denied(session, "get a:1")
        session.ask("set b:1 one")
        # Two passwords at a time: the next is added, and the old one taken away.
        self.cache.modify_user(UserId="alice", Passwords=[PASSWORD, OTHER_PASSWORD])
        self.wait_active("alice")
        for member in members_of(group).values():
            self.assertTrue(self.may_log_in(member, "alice"))
            self.assertTrue(self.may_log_in(member, "alice", OTHER_PASSWORD))
        self.cache.modify_user(UserId="alice", Passwords=[OTHER_PASSWORD])
        self.wait_active("alice")
        for member in members_of(group).values():
            self.assertFalse(self.may_log_in(member, "alice"))
            self.assertTrue(self.may_log_in(member, "alice", OTHER_PASSWORD))
        self.assertEqual(session.ask("acl whoami"), "alice")
        self.assertEqual(set(self.region.nodes()), pids, "no process was replaced")

    def test_users_join_and_leave_the_user_group(self):
        group = self.make("joins", 2, UserGroupIds=["team"])
        self.make_user("bob", "on ~* +get +ping")
        changed = self.cache.modify_user_group(UserGroupId="team", UserIdsToAdd=["bob"],
                                               UserIdsToRemove=["alice"])
        if changed["Status"] == "modifying":
            self.assertEqual(changed["PendingChanges"],
                             {"UserIdsToAdd": ["bob"], "UserIdsToRemove": ["alice"]})
        sessions = []
        eventually(lambda: self.user_group("team")["Status"] == "active", "it is active", 20)
        self.assertEqual(self.user_group("team")["UserIds"], ["default", "bob"])
        for member in members_of(group).values():
            sessions.append(self.log_in(member, "bob"))
            self.assertFalse(self.may_log_in(member, "alice"))
        # Whoever is deleted is sent away.
        self.cache.delete_user(UserId="bob")

        def gone():
            try:
                self.user("bob")
            except self.cache.exceptions.UserNotFoundFault:
                return True
            return False

        eventually(gone, "bob is gone", 20)
        self.assertEqual(self.user_group("team")["UserIds"], ["default"])
        for session in sessions:
            with self.assertRaises((ConnectionError, RedisError)):
                session.ask("get x")
        for member in members_of(group).values():
            self.assertFalse(self.may_log_in(member, "bob"))

    def test_a_group_gets_and_loses_its_user_group(self):
        group = self.make("later", 2)
        endpoint = shard_of(group)["PrimaryEndpoint"]
        with self.region.session(endpoint) as session:
            session.ask("set z:1 kept")
        self.make_user("own", "off -@all", UserName="default")
        self.make_user_group("closed", ["own", "alice"])
        changing = self.cache.modify_replication_group(
            ReplicationGroupId="later", UserGroupIdsToAdd=["closed"], ApplyImmediately=True)
        self.assertEqual(changing["ReplicationGroup"]["Status"], "modifying")
        self.assertEqual(
            changing["ReplicationGroup"]["PendingModifiedValues"]["UserGroups"],
            {"UserGroupIdsToAdd": ["closed"], "UserGroupIdsToRemove": []})
        after = self.region.wait_group("later", 2)
        self.assertEqual(after["UserGroupIds"], ["closed"])
        self.check_nodes(after)
        with self.region.session(endpoint) as session:
            self.denied(session, "get z:1", "NOAUTH")
        self.refused("InvalidUserGroupState", self.cache.delete_user_group, UserGroupId="closed")
        modify = self.cache.modify_replication_group
        self.refused("UserGroupNotFound", modify, ReplicationGroupId="later",
                     UserGroupIdsToAdd=["absent"], UserGroupIdsToRemove=["closed"], status=404)
        self.refused("InvalidParameterCombination", modify, ReplicationGroupId="later",
                     UserGroupIdsToAdd=["team"])
        self.refused("InvalidParameterValue", modify, ReplicationGroupId="later",
                     UserGroupIdsToRemove=["team"])
        modify(ReplicationGroupId="later", UserGroupIdsToAdd=["team"],
               UserGroupIdsToRemove=["closed"])
        after = self.region.wait_group("later", 2)
        self.assertEqual(after["UserGroupIds"], ["team"])
        modify(ReplicationGroupId="later", RemoveUserGroups=True)
        after = self.region.wait_group("later", 2)
        self.assertEqual(after["UserGroupIds"], [])
        for member in members_of(group).values():
            self.assertFalse(self.may_log_in(member, "alice"))
            with self.region.session(member) as session:
                self.assertEqual(session.ask("get z:1"), "kept")
        self.cache.delete_user_group(UserGroupId="closed")

    def test_after_a_failover(self):
        group = self.make("fails", 2, UserGroupIds=["team"])
        self.cache.test_failover(ReplicationGroupId="fails", NodeGroupId="0001")
        before = primary_of(group)
        after = eventually(
            lambda: next((now for now in [self.region.group("fails")]
                          if primary_of(now) != before), None), "another leads", 20)

        def both_serve():
            try:
                self.log_in(shard_of(after)["PrimaryEndpoint"], "alice").ask("set a:2 two")
                return all(self.log_in(endpoint, "alice").ask("get a:2") == "two"
                           for endpoint in members_of(after).values())
            except (OSError, RedisError):
                return False

        eventually(both_serve, "both nodes serve alice", 30)
        self.check_nodes(after)

    def test_after_restarts_of_engines_and_of_hikae(self):
        group = self.make("again", 2, UserGroupIds=["team"])
        self.cache.modify_user(UserId="alice", AccessString="on ~b:* +@all")
        self.wait_active("alice")
        pids = set(self.region.nodes())
        self.assertEqual(self.region.terminate(), 0)
        self.region.start()
        self.region.wait_group("again", 2)
        self.assertEqual(set(self.region.nodes()), pids)
        self.check_nodes(group, "b:")
        log = self.region.log_size()
        self.cache.modify_user(UserId="alice", AccessString="on ~c:* +@all")
        self.wait_active("alice")
        self.check_nodes(group, "c:")
        self.assertIn("set who may log in", self.region.log_tail(1000, log))
        replica = next(name for name in group["MemberClusters"] if name != primary_of(group))
        victim = self.region.pid_of(replica)
        os.kill(victim, signal.SIGKILL)
        endpoint = members_of(group)[replica]

        def back():
            try:
                return self.region.pid_of(replica) not in (None, victim) and \
                    self.may_log_in(endpoint, "alice")
            except (OSError, ConnectionError):
                return False

        eventually(back, "the replica is back", 20)
        self.check_nodes(group, "c:")

    def test_a_change_while_hikae_dies_is_finished(self):
        group = self.make("crash", 2, UserGroupIds=["team"])
        self.cache.modify_user(UserId="alice", AccessString="on ~b:* +@all")
        self.region.kill()
        self.region.start()
        self.wait_active("alice")
        self.check_nodes(group, "b:")

    def test_a_new_replica_has_the_users(self):
        self.make("grows", 1, UserGroupIds=["team"])
        self.cache.increase_replica_count(ReplicationGroupId="grows", NewReplicaCount=1,
                                          ApplyImmediately=True)
        self.check_nodes(self.region.wait_group("grows", 2))


class Secrets(AccessTestCase):
    def test_passwords_are_nowhere(self):
        self.make_user("alice", passwords=(PASSWORD, OTHER_PASSWORD))
        self.make_user_group("team", ["default", "alice"])
        self.make("quiet", 2, UserGroupIds=["team"])
        self.cache.modify_user(UserId="alice", Passwords=[OTHER_PASSWORD, PASSWORD])
        self.wait_active("alice")
        digests = [hashlib.sha256(word.encode()).hexdigest().encode()
                   for word in (PASSWORD, OTHER_PASSWORD)]
        words = [PASSWORD.encode(), OTHER_PASSWORD.encode()]
        holders = 0
        for root, _, names in os.walk(self.region.directory):
            for name in names:
                path = os.path.join(root, name)
                info = os.lstat(path)
                if not stat.S_ISREG(info.st_mode):
                    continue
                with open(path, "rb") as file:
                    content = file.read()
                for word in words:
                    self.assertNotIn(word, content, path)
                if any(digest in content for digest in digests):
                    holders += 1
                    self.assertEqual(stat.S_IMODE(info.st_mode) & 0o077, 0, path)
                    self.assertFalse(path.endswith(".log"), path)
        self.assertGreaterEqual(holders, 3, "the state and two nodes' files")
        for pid in [self.region.server.pid, *self.region.nodes()]:
            line = processes.command_line(pid)
            for secret in words + digests:
                self.assertNotIn(secret.decode(), str(line))
        answers = str(self.cache.describe_users()) + str(self.user("alice"))
        for secret in words + digests:
            self.assertNotIn(secret.decode(), answers)


class Judge:
    """An engine that nobody else uses: it says whether it takes an access string."""

    def __init__(self, program):
        self.directory = tempfile.mkdtemp(prefix="hikae-test-")
        self.path = os.path.join(self.directory, "socket")
        self.process = subprocess.Popen(
            [program, "--port", "0", "--unixsocket", self.path, "--save", "", "--dir",
             self.directory], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            start_new_session=True)
        eventually(lambda: self.ask("ping").startswith("PONG"), "the engine answers", 10)

    def ask(self, *words):
        return commands.run(["redis-cli", "-s", self.path, *words]).out

    def takes(self, access):
        words = [word for word in access.split(" ") if word]
        return self.ask("acl", "setuser", "probe", "reset", *words).strip() == "OK"

    def end(self):
        self.process.terminate()
        self.process.wait(10)
        shutil.rmtree(self.directory, ignore_errors=True)


class Strings(UsersMixin, RegionTestCase):
    """Whatever is taken as an access string, the engines take too."""

    def test_real_engines_judge(self):
        judges = {}
        for engine in ENGINES:
            program = shutil.which(f"{engine}-server")
            if program:
                judges[engine] = Judge(program)
                self.addCleanup(judges[engine].end)
        self.assertTrue(judges)
        seed = random.randrange(1 << 32)
        chance = random.Random(seed)
        strings = GOOD_STRINGS + [
            " ".join(chance.choices(WORDS, k=chance.randint(1, 6))) for _ in range(200)]
        accepted = 0
        for access in strings:
            with self.subTest(seed=seed, access=access):
                taken = self.is_taken(access)
                self.assertTrue(taken or access not in GOOD_STRINGS)
                accepted += taken
                for engine, judge in judges.items():
                    self.assertEqual(judge.takes(access), taken, engine)
        self.assertGreater(accepted, len(GOOD_STRINGS))

    def is_taken(self, access):
        try:
            made = self.cache.create_user(UserId="probe", UserName="probe", Engine="redis",
                                          AccessString=access, Passwords=[PASSWORD])
        except self.cache.exceptions.InvalidParameterValueException:
            return False
        self.assertEqual(made["AccessString"], access)
        self.assertEqual(self.user("probe")["AccessString"], access)
        self.cache.delete_user(UserId="probe")
        return True

    def test_every_word_of_the_model(self):
        """The engines know all commands and categories that access strings may name."""
        with open(os.path.join(ROOT, "model", "acl.json"), encoding="utf-8") as file:
            model = json.load(file)
        for engine in ENGINES:
            program = shutil.which(f"{engine}-server")
            if not program:
                continue
            judge = Judge(program)
            self.addCleanup(judge.end)
            names = model["commands"] + (model["valkey_commands"] if engine == "valkey" else [])
            words = [f"+{name}" for name in names] + [f"-@{name}" for name in model["categories"]]
            self.assertTrue(judge.takes(" ".join(words)), engine)
