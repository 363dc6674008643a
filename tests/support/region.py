"""A whole region for a test: its own `hikae serve`, data directory and ports."""

import os
import random
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import boto3
from botocore.config import Config

from . import commands, dnswire, processes, signing
from .inline import REPLY_TIMEOUT, InlineSession
from .model_check import ModelCheck
from .waiting import eventually

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
REGION_NAME = "ap-northeast-1"
START_TIMEOUT = 20.0
STOP_TIMEOUT = 15.0


def binary():
    return os.path.abspath(os.environ.get("HIKAE_BINARY")
                           or os.path.join(ROOT, "build", "release", "hikae"))


def free_port():
    """A port that is free for TCP and for UDP on 127.0.0.1, now.

    Below those that the kernel hands out by itself: a server that is down for a moment must not
    lose its port to the socket of some client.
    """
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="utf-8") as file:
        first_ephemeral = int(file.read().split()[0])
    choices = range(10240, first_ephemeral) if first_ephemeral > 12000 else range(61000, 65536)
    for port in random.sample(choices, 200):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port found")


class Region:
    """Starts with start(); stop() ends everything and checks that nothing is left.

    dispose() is the safety net: it kills whatever works below the directory, by pid.
    """

    def __init__(self, *arguments, region=REGION_NAME, as_user=None):
        """as_user: a uid under which all commands of the program run (needs root)."""
        # 0700 as mkdtemp makes it: a clone in root's home is as closed as that.
        self.directory = tempfile.mkdtemp(prefix="hikae-test-")
        self.prefix = []
        if as_user is not None:
            os.chown(self.directory, as_user, as_user)
            self.prefix = ["setpriv", f"--reuid={as_user}", f"--regid={as_user}", "--clear-groups"]
        self.data = os.path.join(self.directory, "data")
        self.name = region
        self.listen = ("127.0.0.1", free_port())
        self.dns = ("127.0.0.1", free_port())
        self.arguments = list(arguments)
        self.program = binary()  # of the server; another while an upgrade is tested
        self.server = None
        self.model_check = ModelCheck()
        self._clients = {}
        self._on_dispose = []
        self._log = None
        self._environment = None

    # Life

    @property
    def endpoint_url(self):
        return f"http://{self.listen[0]}:{self.listen[1]}"

    @property
    def host(self):
        return f"{self.listen[0]}:{self.listen[1]}"

    def serve_command(self):
        return [*self.prefix, self.program, "serve", "--data", self.data, "--listen", self.host,
                "--dns-listen", f"{self.dns[0]}:{self.dns[1]}", "--region", self.name,
                "--allow-test-credentials", *self.arguments]

    def start(self, wait=True, stderr=None):
        """Starts the server and waits until it answers a signed call."""
        if self._log is None:
            self._log = open(os.path.join(self.directory, "serve.log"), "ab")
        self.server = subprocess.Popen(self.serve_command(), stdin=subprocess.DEVNULL,
                                       stdout=self._log, stderr=stderr or self._log,
                                       cwd=self.directory,
                                       env=commands.bare_environment(HOME=self.directory),
                                       start_new_session=True)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self):
        def ready():
            if self.server.poll() is not None:
                raise SystemError(f"hikae serve ended with {self.server.returncode}:\n"
                                  f"{self.log_tail()}")
            return self.answers()

        eventually(ready, "hikae serve answers a signed call", START_TIMEOUT, 0.01)

    def answers(self):
        """Whether a signed call is answered, now."""
        body = "Action=GetCallerIdentity&Version=2011-06-15"
        headers = signing.v4_headers(self.host, body, "test", "test", self.name, "sts")
        try:
            return signing.send(self.listen, "POST", "/", body, headers, timeout=2).status == 200
        except OSError:
            return False

    def log_tail(self, lines=40, start=0):
        """The last lines of what the server has logged since `start` (of log_size())."""
        try:
            with open(os.path.join(self.directory, "serve.log"), encoding="utf-8",
                      errors="replace") as file:
                file.seek(start)
                return "".join(file.readlines()[-lines:])
        except FileNotFoundError:
            return "(none)"

    def log_size(self):
        return os.path.getsize(os.path.join(self.directory, "serve.log"))

    def kill(self):
        """kill -9 of the server alone."""
        self.server.send_signal(signal.SIGKILL)
        self.server.wait(STOP_TIMEOUT)

    def terminate(self):
        """SIGTERM; returns the exit code."""
        self.server.send_signal(signal.SIGTERM)
        return self.server.wait(STOP_TIMEOUT)

    def hikae(self, *arguments, **options):
        """Runs another command of the program."""
        options.setdefault("env", commands.bare_environment(HOME=self.directory))
        options.setdefault("cwd", self.directory)
        return commands.run([*self.prefix, binary(), *arguments], **options)

    def down(self):
        return self.hikae("down", "--data", self.data)

    def stop(self):
        """Ends the region as a user would, and fails when something of it is left."""
        if self.server is not None and self.server.poll() is None:
            code = self.terminate()
            assert code == 0, f"hikae serve ended with {code} after SIGTERM:\n{self.log_tail()}"
        self.down().ok()
        left = {pid: processes.command_line(pid) for pid in processes.processes_below(self.data)}
        assert not left, f"left behind by hikae down: {left}"

    def dispose(self, keep_files=False):
        """Whatever happened before: no process stays, and no file unless wished."""
        if self.server is not None and self.server.poll() is None:
            self.server.kill()
            self.server.wait(STOP_TIMEOUT)
        processes.kill_below(self.directory)
        for function in self._on_dispose:
            function()
        for client in self._clients.values():
            client.close() if hasattr(client, "close") else None
        if self._log is not None:
            self._log.close()
        if not keep_files:
            shutil.rmtree(self.directory, ignore_errors=True)

    def on_dispose(self, function):
        """Called when nothing of the region runs any more."""
        self._on_dispose.append(function)

    # Ways in

    def environment(self):
        """What `hikae env` exports, on top of a bare environment."""
        if self._environment is None:
            words = shlex.split(self.hikae("env", "--data", self.data).ok().out)
            exports = dict(word.split("=", 1) for word in words if "=" in word)
            self._environment = commands.bare_environment(**exports)
        return self._environment

    def credentials(self):
        env = self.environment()
        return env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"]

    def client(self, service, **options):
        """A boto3 client without retries whose answers are compared with the model."""
        key = (service, tuple(sorted(options.items())))
        if key not in self._clients:
            access_key, secret = options.pop("keys", None) or self.credentials()
            options.setdefault("region_name", self.name)
            client = boto3.session.Session().client(
                service, endpoint_url=self.endpoint_url, aws_access_key_id=access_key,
                aws_secret_access_key=secret,
                config=Config(retries={"max_attempts": 0}, read_timeout=20, connect_timeout=5,
                              parameter_validation=True), **options)
            self.model_check.watch(client)
            self._clients[key] = client
        return self._clients[key]

    @property
    def ec2(self):
        return self.client("ec2")

    @property
    def elasticache(self):
        return self.client("elasticache")

    @property
    def sts(self):
        return self.client("sts")

    def aws(self, *arguments, env=None):
        """The real CLI. Debian 12's does not know AWS_ENDPOINT_URL, so the flag is always given."""
        return commands.run(["aws", "--endpoint-url", self.endpoint_url, "--output", "json",
                             *arguments], env=env or self.environment())

    def dig(self, *arguments):
        """The real dig, asking this region's server."""
        return commands.run(["dig", f"@{self.dns[0]}", "-p", str(self.dns[1]), "+tries=2",
                             "+time=3", *arguments])

    def lookup(self, name, kind="A"):
        return dnswire.lookup(self.dns, name, kind)

    def resolve(self, name):
        """The first address behind a name."""
        addresses = self.lookup(name).addresses()
        assert addresses, f"{name} has no address"
        return addresses[0]

    def session(self, endpoint, timeout=REPLY_TIMEOUT):
        """An inline session to {'Address': name, 'Port': port}."""
        return InlineSession(self.resolve(endpoint["Address"]), endpoint["Port"], timeout)

    def query(self, parameters, service="elasticache", keys=None, version="2015-02-02"):
        """One signed POST with any parameters; returns the raw answer."""
        access_key, secret = keys or self.credentials()
        body = signing.encode_pairs({"Version": version, **parameters})
        headers = signing.v4_headers(self.host, body, access_key, secret, self.name, service)
        return signing.send(self.listen, "POST", "/", body, headers)

    def nodes(self):
        """{pid: directory} of the engines."""
        return processes.processes_below(os.path.join(self.data, "nodes"))

    def pid_of(self, cluster_id):
        """The engine; what it has forked works in the same directory, but is younger."""
        pids = [pid for pid, directory in self.nodes().items()
                if os.path.basename(os.path.dirname(directory)) == cluster_id]
        return min(pids, key=processes.start_time, default=None)

    def node_directories(self):
        """`HOST/CLUSTER` of every cluster that has a directory. Hosts keep theirs."""
        root = os.path.join(self.data, "nodes")
        return sorted(f"{host}/{cluster}" for host in os.listdir(root)
                      for cluster in os.listdir(os.path.join(root, host)))

    def directories_of(self, nodes):
        """The same for nodes(), from where the engines work: `HOST/CLUSTER/NODE`."""
        root = os.path.join(os.path.realpath(self.data), "nodes")
        return sorted(os.path.relpath(os.path.dirname(cwd), root) for cwd in nodes.values())

    # Conditions

    def group(self, group_id):
        return self.elasticache.describe_replication_groups(
            ReplicationGroupId=group_id)["ReplicationGroups"][0]

    def cluster(self, cluster_id):
        return self.elasticache.describe_cache_clusters(
            CacheClusterId=cluster_id, ShowCacheNodeInfo=True)["CacheClusters"][0]

    def wait_group(self, group_id, members=None, timeout=30):
        """Waits until the group and all members are available; returns the group."""
        def settled():
            group = self.group(group_id)
            names = group.get("MemberClusters", [])
            if group["Status"] != "available" or (members is not None and len(names) != members):
                return None
            states = [self.cluster(name)["CacheClusterStatus"] for name in names]
            return group if names and set(states) == {"available"} else None

        return eventually(settled, f"replication group {group_id} is available", timeout)

    def wait_cluster(self, cluster_id, timeout=30):
        def settled():
            cluster = self.cluster(cluster_id)
            return cluster if cluster["CacheClusterStatus"] == "available" else None

        return eventually(settled, f"cache cluster {cluster_id} is available", timeout)

    def wait_group_gone(self, group_id, timeout=30):
        missing = self.elasticache.exceptions.ReplicationGroupNotFoundFault
        self._wait_gone(lambda: self.group(group_id), missing, group_id, timeout)

    def wait_cluster_gone(self, cluster_id, timeout=30):
        missing = self.elasticache.exceptions.CacheClusterNotFoundFault
        self._wait_gone(lambda: self.cluster(cluster_id), missing, cluster_id, timeout)

    @staticmethod
    def _wait_gone(describe, missing, name, timeout):
        def gone():
            try:
                describe()
            except missing:
                return True
            return False

        eventually(gone, f"{name} is gone", timeout)

    def remove_everything(self):
        """Deletes all groups and clusters of the region and waits until they are gone."""
        for _ in range(3):
            groups = self.elasticache.describe_replication_groups()["ReplicationGroups"]
            for group in groups:
                name = group["ReplicationGroupId"]
                if group["Status"] != "deleting":
                    self.wait_group(name)
                    self.elasticache.delete_replication_group(ReplicationGroupId=name)
            for group in groups:
                self.wait_group_gone(group["ReplicationGroupId"])
            clusters = self.elasticache.describe_cache_clusters()["CacheClusters"]
            for cluster in clusters:
                name = cluster["CacheClusterId"]
                if cluster["CacheClusterStatus"] != "deleting":
                    self.wait_cluster(name)
                    self.elasticache.delete_cache_cluster(CacheClusterId=name)
            for cluster in clusters:
                self.wait_cluster_gone(cluster["CacheClusterId"])


def wait_until_dead(pids, timeout=10.0):
    deadline = time.monotonic() + timeout
    while any(processes.is_alive(pid) for pid in pids):
        assert time.monotonic() < deadline, f"still alive: {pids}"
        time.sleep(0.01)
