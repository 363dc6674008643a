"""`hikae store export` and `import`: a region moves between SQLite and etcd, and back; etcd with
TLS and a password."""

import hashlib
import json
import os
import shutil
import stat
import subprocess
import tempfile
import unittest

from support import commands, processes
from support.etcd import Etcd, encode
from support.network import Network
from support.region import Region, binary, free_port
from support.waiting import eventually


USER_PASSWORD = "a-password-of-carol"


class SecureEtcd(Etcd):
    """TLS with a CA of its own, and users."""

    def make_certificates(self):
        def openssl(*arguments):
            subprocess.run(["openssl", *arguments], cwd=self.directory, check=True,
                           capture_output=True)

        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test",
                "-keyout", "ca.key", "-out", "ca.pem")
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=etcd", "-keyout",
                "server.key", "-out", "server.csr")
        with open(os.path.join(self.directory, "names"), "w", encoding="utf-8") as file:
            file.write("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "server.pem")

    @property
    def url(self):
        return f"etcds://127.0.0.1:{self.tls_port}/secured"

    def start(self):
        self.make_certificates()
        self.tls_port = free_port()
        return super().start()

    def start_member(self, member):
        """The plain port is the test's own way in, the other is the servers'."""
        plain = f"http://127.0.0.1:{self.client_ports[0]}"
        secure = f"https://127.0.0.1:{self.tls_port}"
        peer = f"http://127.0.0.1:{self.peer_ports[0]}"
        with open(os.path.join(self.directory, "etcd.log"), "ab") as log:
            self.processes[0] = subprocess.Popen(
                ["etcd", "--data-dir", os.path.join(self.directory, "m0"),
                 "--listen-client-urls", f"{plain},{secure}", "--advertise-client-urls", secure,
                 "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                 "--initial-cluster", f"default={peer}",
                 "--cert-file", os.path.join(self.directory, "server.pem"),
                 "--key-file", os.path.join(self.directory, "server.key")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def protect(self, user, password, prefix):
        """A user who may use the prefix alone."""
        self.call(0, "/v3/auth/user/add", {"name": "root", "password": "root-word"})
        self.call(0, "/v3/auth/user/grant", {"user": "root", "role": "root"})
        self.call(0, "/v3/auth/user/add", {"name": user, "password": password})
        self.call(0, "/v3/auth/role/add", {"name": "region"})
        self.call(0, "/v3/auth/role/grant", {"name": "region", "perm": {
            "permType": "READWRITE", "key": encode(prefix),
            "range_end": encode(prefix[:-1] + chr(ord(prefix[-1]) + 1))}})
        self.call(0, "/v3/auth/user/grant", {"user": user, "role": "region"})
        self.call(0, "/v3/auth/enable", {})


class StoreTestCase(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="hikae-test-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.addCleanup(processes.kill_below, self.directory)
        self.file = os.path.join(self.directory, "region.export")

    def make_region(self, *arguments):
        region = Region(*arguments)
        self.addCleanup(region.dispose)
        self.region = region
        return region

    def refused(self, outcome, text):
        self.assertEqual(outcome.code, 1, outcome)
        self.assertIn(text, outcome.err)


class Move(StoreTestCase):
    def setUp(self):
        super().setUp()
        self.etcd = Etcd(self.directory)
        self.addCleanup(self.etcd.dispose)
        self.etcd.start()

    def test_there_and_back_with_running_engines(self):
        region = self.make_region().start()
        network = Network(region, "moved")
        region.elasticache.create_replication_group(**network.group_arguments(
            ReplicationGroupId="moved", NumCacheClusters=2, AutomaticFailoverEnabled=True))
        group = region.wait_group("moved", 2)
        endpoint = group["NodeGroups"][0]["PrimaryEndpoint"]
        with region.session(endpoint) as session:
            session.ask("set kept yes")
        engines = set(region.nodes())
        export = ["store", "export", "--data", region.data, self.file]
        self.assertIn("region ap-northeast-1", region.hikae(*export).ok().out)
        self.assertEqual(stat.S_IMODE(os.stat(self.file).st_mode), 0o600)
        with open(self.file, encoding="utf-8") as file:
            first = json.loads(file.readline())
        self.assertEqual((first["secret"], first["secret_access_key"]), ("", ""))
        self.refused(region.hikae(*export), "is there already")
        self.assertEqual(region.terminate(), 0)
        os.remove(self.file)
        region.hikae(*export).ok()

        into_etcd = ["store", "import", "--data", region.data, "--store", self.etcd.url, self.file]
        region.hikae(*into_etcd).ok()
        self.refused(region.hikae(*into_etcd), "nothing was changed")
        region.arguments += ["--store", self.etcd.url, "--local-agents", region.data]
        region.start()
        self.assertEqual(region.wait_group("moved", 2), group)
        self.assertEqual(set(region.nodes()), engines)
        with region.session(endpoint) as session:
            self.assertEqual(session.ask("get kept"), "yes")
        eventually(lambda: "this server leads now" in region.log_tail(1000), "it leads", 20)
        region.elasticache.create_cache_cluster(
            **network.cluster_arguments(CacheClusterId="in-etcd"))
        region.wait_cluster("in-etcd")
        self.assertEqual(region.terminate(), 0)

        os.remove(self.file)
        region.hikae("store", "export", "--data", region.data, "--store", self.etcd.url,
                     self.file).ok()
        self.refused(region.hikae("store", "import", "--data", region.data, self.file),
                     "nothing was changed")
        os.rename(os.path.join(region.data, "state.db"), os.path.join(region.data, "state.old"))
        for rest in ("state.db-wal", "state.db-shm"):
            if os.path.exists(os.path.join(region.data, rest)):
                os.remove(os.path.join(region.data, rest))
        region.hikae("store", "import", "--data", region.data, self.file).ok()
        region.arguments = []
        region.start()
        self.assertEqual(region.wait_group("moved", 2), group)
        region.wait_cluster("in-etcd")
        self.assertEqual(len(region.nodes()), 3)
        region.remove_everything()
        region.stop()

    def test_secrets_travel_only_when_asked(self):
        region = self.make_region().start()
        keys = region.credentials()
        account = region.sts.get_caller_identity()["Account"]
        region.elasticache.create_user(UserId="carol", UserName="carol", Engine="redis",
                                       AccessString="on ~* +@all", Passwords=[USER_PASSWORD])
        digest = hashlib.sha256(USER_PASSWORD.encode()).hexdigest()
        bare = os.path.join(self.directory, "bare.export")
        outcome = region.hikae("store", "export", "--data", region.data, bare).ok()
        self.assertIn("passwords of 1 users were left out", outcome.out)
        region.hikae("store", "export", "--data", region.data, "--with-secrets", self.file).ok()
        region.stop()
        with open(bare, encoding="utf-8") as file:
            text = file.read()
        self.assertNotIn(keys[1], text)
        self.assertNotIn(digest, text)
        with open(self.file, encoding="utf-8") as file:
            self.assertIn(digest, file.read())

        other = self.make_region()
        self.refused(other.hikae("store", "import", "--data", other.data, bare),
                     "lacks the region's secret")
        other.hikae("store", "import", "--data", other.data, self.file).ok()
        other.start()
        self.assertEqual(other.credentials(), keys)
        self.assertEqual(other.sts.get_caller_identity()["Account"], account)
        (carol,) = other.elasticache.describe_users(UserId="carol")["Users"]
        self.assertEqual(carol["Authentication"], {"Type": "password", "PasswordCount": 1})
        other.stop()

        stranger = self.make_region().start()
        stranger.stop()
        os.remove(os.path.join(stranger.data, "state.db"))
        self.refused(stranger.hikae("store", "import", "--data", stranger.data, bare),
                     "is not that of the exported region")
        self.refused(stranger.hikae("store", "import", "--data", stranger.data, self.file),
                     "of another region")

    def test_files_that_are_no_export(self):
        region = self.make_region().start()
        region.hikae("store", "export", "--data", region.data, "--with-secrets", self.file).ok()
        region.stop()
        with open(self.file, "rb") as file:
            whole = file.read()
        empty = self.make_region()
        for damaged in (b"", b"junk", whole[:len(whole) // 2], whole.replace(b"vpc-", b"vpx-")):
            with open(self.file, "wb") as file:
                file.write(damaged)
            self.refused(empty.hikae("store", "import", "--data", empty.data, self.file),
                         "not a whole export")
        self.refused(empty.hikae("store", "import", "--data", empty.data, "/nowhere/x"),
                     "/nowhere/x")
        self.refused(empty.hikae("store", "export", "--data", empty.data, self.file + "2"),
                     "there is no region")
        with open(self.file, "wb") as file:
            file.write(whole)
        self.refused(empty.hikae("store", "import", "--data", empty.data, "--region", "eu-west-1",
                                 self.file), "give --region ap-northeast-1")


class Secure(StoreTestCase):
    def setUp(self):
        super().setUp()
        self.etcd = SecureEtcd(self.directory)
        self.addCleanup(self.etcd.dispose)
        self.etcd.start()
        self.etcd.protect("hikae", "pass-word", "/secured/")
        self.password = os.path.join(self.directory, "password")
        with open(self.password, "w", encoding="utf-8") as file:
            file.write("pass-word\n")

    def secure_arguments(self, ca="ca.pem"):
        return ["--store", self.etcd.url, "--etcd-user", "hikae",
                "--etcd-ca-file", os.path.join(self.directory, ca)]

    def test_with_tls_and_a_password(self):
        region = self.make_region(*self.secure_arguments(), "--etcd-password-file", self.password,
                                  "--local-agents", os.path.join(self.directory, "engines"))
        region.start()
        eventually(lambda: "this server leads now" in region.log_tail(1000), "it leads", 20)
        region.elasticache.create_cache_parameter_group(
            CacheParameterGroupName="safe", CacheParameterGroupFamily="redis7", Description="d")
        with open(f"/proc/{region.server.pid}/cmdline", "rb") as file:
            self.assertNotIn(b"pass-word", file.read())
        self.assertNotIn("pass-word", region.log_tail(1000))
        # The watch works with both too: what another server changes arrives.
        second = self.make_region(*self.secure_arguments(), "--etcd-password-file", self.password)
        os.makedirs(second.data)
        for name in ("secret", "credentials"):
            shutil.copy(os.path.join(region.data, name), second.data)
        second.start()
        region.elasticache.create_cache_parameter_group(
            CacheParameterGroupName="later", CacheParameterGroupFamily="redis7", Description="d")

        def arrived():
            groups = second.elasticache.describe_cache_parameter_groups(MaxRecords=100)
            return any(g["CacheParameterGroupName"] == "later"
                       for g in groups["CacheParameterGroups"])

        eventually(arrived, "the change arrives")
        self.assertEqual(second.terminate(), 0)
        self.assertEqual(region.terminate(), 0)

    def start_and_fail(self, arguments, text, **environment):
        region = self.make_region()
        outcome = commands.run([binary(), "serve", "--data", region.data, "--listen",
                                "127.0.0.1:0", "--dns-listen", "127.0.0.1:0", *arguments],
                               env=commands.bare_environment(**environment))
        self.assertEqual(outcome.code, 1, outcome)
        self.assertIn(text, outcome.err)

    def test_what_is_wrong_is_named(self):
        wrong = os.path.join(self.directory, "wrong")
        with open(wrong, "w", encoding="utf-8") as file:
            file.write("no-such-word")
        arguments = self.secure_arguments()
        self.start_and_fail(arguments, "HIKAE_ETCD_PASSWORD")
        self.start_and_fail([*arguments, "--etcd-password-file", wrong],
                            "does not take user hikae with that password")
        self.start_and_fail(arguments, "does not take user", HIKAE_ETCD_PASSWORD="other")
        self.start_and_fail([*arguments, "--etcd-password-file", wrong + "-missing"],
                            "wrong-missing")
        self.start_and_fail(["--store", self.etcd.url], "no TLS")
        self.start_and_fail([*self.secure_arguments("server.csr"), "--etcd-password-file",
                             self.password], "server.csr")
        # The right word, for keys that the user has no right to.
        elsewhere = [word.replace("/secured", "/elsewhere") for word in arguments]
        self.start_and_fail([*elsewhere, "--etcd-password-file", self.password],
                            "permission denied")


if __name__ == "__main__":
    unittest.main()
