"""An etcd cluster of a test's own: real processes on free ports, of 127.0.0.1 if not told
otherwise."""

import base64
import json
import os
import signal
import subprocess
import urllib.error
import urllib.request

from .processes import die_with_parent
from .region import free_port
from .waiting import eventually

START_TIMEOUT = 30.0


class Etcd:
    """Members m0, m1, ... in directories below `directory`.

    addresses, prefixes: where each is, and what is put in front of its command.
    """

    def __init__(self, directory, members=1, addresses=None, prefixes=None):
        self.directory = directory
        self.addresses = addresses or ["127.0.0.1"] * members
        self.prefixes = prefixes or [[]] * members
        self.client_ports = [free_port() for _ in range(members)]
        self.peer_ports = [free_port() for _ in range(members)]
        self.processes = [None] * members

    @property
    def url(self):
        """As --store takes it."""
        return "etcd://" + ",".join(f"{address}:{port}" for address, port
                                     in zip(self.addresses, self.client_ports))

    def start(self):
        for member in range(len(self.processes)):
            self.start_member(member)
        self.wait_ready()
        return self

    def start_member(self, member):
        client = f"http://{self.addresses[member]}:{self.client_ports[member]}"
        peer = f"http://{self.addresses[member]}:{self.peer_ports[member]}"
        cluster = ",".join(f"m{i}=http://{self.addresses[i]}:{port}"
                           for i, port in enumerate(self.peer_ports))
        with open(os.path.join(self.directory, f"etcd{member}.log"), "ab") as log:
            self.processes[member] = subprocess.Popen(
                [*self.prefixes[member], "etcd", "--name", f"m{member}",
                 "--data-dir", os.path.join(self.directory, f"m{member}"),
                 "--listen-client-urls", client, "--advertise-client-urls", client,
                 "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                 "--initial-cluster", cluster, *self.more_arguments(member)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=die_with_parent)

    def more_arguments(self, member):
        return []

    def kill_member(self, member, how=signal.SIGKILL):
        process, self.processes[member] = self.processes[member], None
        if process is not None:
            process.send_signal(how)
            process.wait(15)

    def dispose(self):
        for member in range(len(self.processes)):
            self.kill_member(member)

    def wait_ready(self, member=0):
        """Until that member is one of a majority."""
        def answers():
            try:
                return self.call(member, "/v3/kv/range", {"key": encode("/")})
            except (OSError, urllib.error.URLError):
                return None

        eventually(answers, "etcd answers", START_TIMEOUT, 0.05)

    def call(self, member, path, body):
        where = f"http://{self.addresses[member]}:{self.client_ports[member]}"
        request = urllib.request.Request(
            where + path, json.dumps(body).encode(),
            {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    def get(self, key, member=0):
        """The value of a key, or None."""
        pairs = self.call(member, "/v3/kv/range", {"key": encode(key)}).get("kvs", [])
        return base64.b64decode(pairs[0].get("value", "")).decode() if pairs else None

    def keys(self, prefix, member=0):
        """{key: value} of all keys below a prefix."""
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        pairs = self.call(member, "/v3/kv/range",
                          {"key": encode(prefix), "range_end": encode(end)}).get("kvs", [])
        return {base64.b64decode(pair["key"]).decode():
                base64.b64decode(pair.get("value", "")).decode() for pair in pairs}

    def compact(self):
        """Forgets all history, as etcd's own schedule would."""
        now = self.call(0, "/v3/kv/range", {"key": encode("/")})["header"]["revision"]
        self.call(0, "/v3/kv/compaction", {"revision": now, "physical": True})


def encode(text):
    return base64.b64encode(text.encode()).decode()
