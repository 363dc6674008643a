"""What the benches with real engines share: commands to a node, our DNS as a client, groups."""

import json
import os
import socket
import struct

import support

PORT = 6479
ANSWER_SECONDS = 0.1
WHOLE_SECONDS = 60
VALUE_BYTES = 1000
FILL_BATCH = 20000  # values that one script makes; a longer one would answer nobody for seconds
FILL_SCRIPT = ("for i = ARGV[1], ARGV[2] do redis.call('set', 'value:' .. i, "
               "string.rep('x', ARGV[3])) end")
# Where by-hand engines listen: a third octet that no subnet of a region is mapped to.
NODES = ("127.250.78.1", "127.250.78.2", "127.250.78.3")


class Link:
    """Inline commands to one address."""

    def __init__(self, address, port=PORT, timeout=ANSWER_SECONDS):
        self._socket = socket.create_connection((address, port), timeout=timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def ask(self, command):
        """The reply as text; a bulk or an array is complete, too."""
        self._socket.sendall(command.encode() + b"\r\n")
        data = b""
        while not self._complete(data):
            part = self._socket.recv(65536)
            if not part:
                raise ConnectionError("closed")
            data += part
        return data.decode(errors="replace")

    @staticmethod
    def _complete(data):
        head, end, rest = data.partition(b"\r\n")
        if not end:
            return False
        if head[:1] == b"$" and head != b"$-1":
            return len(rest) >= int(head[1:]) + 2
        if head[:1] == b"*" and head != b"*-1":  # of short bulks: two lines each
            return rest.count(b"\r\n") >= 2 * int(head[1:])
        return True


def followers(address):
    """Replicas that have everything this node wrote: one may be online and still load its copy."""
    try:
        with Link(address, timeout=1) as link:
            lines = link.ask("info replication").split("\r\n")
    except OSError:
        return 0
    wrote = next((line.partition(":")[2] for line in lines
                  if line.startswith("master_repl_offset:")), "")
    return sum(line.startswith("slave") and f"offset={wrote}," in line and "state=online" in line
               for line in lines) if "role:master" in lines else 0


def fill(address, megabytes):
    values = megabytes * 1_000_000 // VALUE_BYTES
    with Link(address, timeout=60) as link:
        for first in range(0, values, FILL_BATCH):
            last = min(first + FILL_BATCH, values) - 1
            link.ask(f'eval "{FILL_SCRIPT}" 0 {first} {last} {VALUE_BYTES}')


def skip_name(message, at):
    while message[at] & 0xC0 != 0xC0:
        if message[at] == 0:
            return at + 1
        at += message[at] + 1
    return at + 2


class Dns:
    """What dig asks, without starting it."""

    def __init__(self, server, name):
        host, _, port = server.rpartition(":")
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.settimeout(1)
        self._socket.connect((host, int(port)))
        question = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
        self._query = struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + question + b"\0\0\1\0\1"

    def fileno(self):
        return self._socket.fileno()

    def resolve(self):
        self.ask()
        return self.answer()

    def ask(self):
        self._socket.send(self._query)

    def answer(self):
        """The address, or None."""
        message = self._socket.recv(4096)
        at = len(self._query)
        for _ in range(struct.unpack_from(">H", message, 6)[0]):
            at = skip_name(message, at)
            kind, _, _, length = struct.unpack_from(">HHIH", message, at)
            at += 10
            if kind == 1:
                return socket.inet_ntoa(message[at:at + length])
            at += length
        return None


def dns_server(region):
    with open(os.path.join(region.data, "serve.json"), encoding="utf-8") as file:
        return json.load(file)["dns"][0]


class Group:
    """A group of three in a region, found by its primary endpoint."""

    node_type = "cache.m3.medium"

    def __init__(self, region, name, megabytes=1):
        self.name = name
        self.region = region
        client = support.Client(region.port)
        support.make_network(client)
        parameters = {**support.group_parameters(self.name), "CacheNodeType": self.node_type}
        client.text("CreateReplicationGroup", **parameters)
        path = "DescribeReplicationGroupsResult/ReplicationGroups/ReplicationGroup/"
        support.wait_until(
            lambda: client.call("DescribeReplicationGroups", ReplicationGroupId=self.name)
            .find(path + "Status").text == "available", "the group is available", pause=0.02)
        group = client.call("DescribeReplicationGroups", ReplicationGroupId=self.name)
        self.endpoint = group.find(path + "NodeGroups/NodeGroup/PrimaryEndpoint/Address").text
        client.close()
        self.resolve = Dns(dns_server(region), self.endpoint).resolve
        fill(self.resolve(), megabytes)
        self.wait_whole()

    def wait_whole(self):
        support.wait_until(lambda: followers(self.resolve()) == 2, "two replicas follow",
                           WHOLE_SECONDS, 0.05)

    def pid_at(self, address):
        with Link(address, timeout=1) as link:
            text = link.ask("info server")
        return int(next(line for line in text.splitlines()
                        if line.startswith("process_id:")).split(":")[1])
