#!/usr/bin/env python3
"""Milliseconds from a fault of the primary to the first write that the new one acknowledges.

    bench/failover.py [--hikae build/release/hikae] [--rounds 10] [--sentinel-rounds 2]

A group of three with 1 MB of data, real engines. The client writes; when a write fails, or is not
answered within 100 ms, it asks again where the primary is, one UDP query to our DNS server, and
tries there. Beside it Redis Sentinel, three of them, whose client asks a Sentinel instead, with two
settings of down-after-milliseconds; its default of 30,000 would only add to the wait.

Between two rounds both are given the time to be whole again.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

import support

FAULTS = (("kill -9", signal.SIGKILL), ("segv", signal.SIGSEGV), ("stop", signal.SIGSTOP))
SENTINEL_WAITS = (5000, 1000)  # down-after-milliseconds
PORT = 6479
SENTINEL_PORT = 26479
ANSWER_SECONDS = 0.1
WHOLE_SECONDS = 60
VALUES, VALUE_BYTES = 1000, 1000
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


def try_write(address):
    try:
        with Link(address) as link:
            return link.ask("set written now") == "+OK\r\n"
    except OSError:
        return False


def first_write(resolve, old):
    """Waits for an acknowledged write anywhere but at the old primary."""
    deadline = time.perf_counter() + WHOLE_SECONDS
    while time.perf_counter() < deadline:
        address = resolve()
        if address is not None and try_write(address) and address != old:
            return time.perf_counter()
    sys.exit("no write was acknowledged any more")


def followers(address):
    try:
        with Link(address, timeout=1) as link:
            text = link.ask("info replication")
            return text.count("state=online") if "role:master" in text else 0
    except OSError:
        return 0


def fill(address):
    with Link(address, timeout=5) as link:
        for number in range(VALUES):
            link.ask(f"set value:{number} {'x' * VALUE_BYTES}")


# Hikae


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

    def resolve(self):
        self._socket.send(self._query)
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


class Hikae:
    def __init__(self, region):
        self.region = region
        client = support.Client(region.port)
        support.make_network(client)
        client.text("CreateReplicationGroup", **support.group_parameters("failover"))
        path = "DescribeReplicationGroupsResult/ReplicationGroups/ReplicationGroup/"
        support.wait_until(
            lambda: client.call("DescribeReplicationGroups", ReplicationGroupId="failover")
            .find(path + "Status").text == "available", "the group is available", pause=0.02)
        group = client.call("DescribeReplicationGroups", ReplicationGroupId="failover")
        name = group.find(path + "NodeGroups/NodeGroup/PrimaryEndpoint/Address").text
        client.close()
        with open(os.path.join(region.data, "serve.json"), encoding="utf-8") as file:
            self._dns = Dns(json.load(file)["dns"][0], name)
        self.resolve = self._dns.resolve
        fill(self.resolve())
        self.wait_whole()

    def wait_whole(self):
        support.wait_until(lambda: followers(self.resolve()) == 2, "two replicas follow",
                           WHOLE_SECONDS, 0.05)

    def pid_at(self, address):
        with Link(address, timeout=1) as link:
            text = link.ask("info server")
        return int(next(line for line in text.splitlines()
                        if line.startswith("process_id:")).split(":")[1])

    def round(self, number):
        old = self.resolve()
        pid = self.pid_at(old)
        start = time.perf_counter()
        os.kill(pid, number)
        end = first_write(self.resolve, old)
        self.wait_whole()
        return (end - start) * 1000


# Sentinel


class Sentinel:
    """Three engines and three Sentinels by hand."""

    def __init__(self, program, down_after):
        self.program = program
        self.directory = tempfile.mkdtemp(prefix="hikae-bench-sentinel-")
        self.nodes, self.sentinels = {}, []
        try:
            self._start_all(down_after)
        except BaseException:
            self.__exit__()
            raise

    def _start_all(self, down_after):
        for address in NODES:
            self.start_node(address, None if address == NODES[0] else NODES[0])
        support.wait_until(lambda: followers(NODES[0]) == 2, "two replicas follow", pause=0.02)
        fill(NODES[0])
        for number in range(len(NODES)):
            self.start_sentinel(number, down_after)
        support.wait_until(self.all_known, "the Sentinels know each other", WHOLE_SECONDS, 0.1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in [*self.nodes.values(), *self.sentinels]:
            child.kill()
            child.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _start(self, arguments):
        return subprocess.Popen([self.program, *arguments], stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                cwd=self.directory)

    def start_node(self, address, primary):
        follow = ["--replicaof", primary, str(PORT)] if primary else []
        self.nodes[address] = self._start(
            ["--bind", address, "--port", str(PORT), "--save", "", "--appendonly", "no",
             "--repl-diskless-sync-delay", "0", "--protected-mode", "no",
             "--replica-announce-ip", address, *follow])

    def start_sentinel(self, number, down_after):
        path = os.path.join(self.directory, f"sentinel-{number}.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(f"bind {NODES[number]}\nport {SENTINEL_PORT}\nprotected-mode no\n"
                       f"sentinel announce-ip {NODES[number]}\n"
                       f"dir {self.directory}\nsentinel monitor group {NODES[0]} {PORT} 2\n"
                       f"sentinel down-after-milliseconds group {down_after}\n"
                       # The shortest that lets one round follow another soon.
                       "sentinel failover-timeout group 3000\n")
        self.sentinels.append(self._start([path, "--sentinel"]))

    def _ask(self, number, command):
        try:
            with Link(NODES[number], SENTINEL_PORT, timeout=1) as link:
                return link.ask(command)
        except OSError:
            return ""

    def all_known(self):
        """Every Sentinel knows both others and both replicas."""
        return all("slaves=2,sentinels=3" in self._ask(number, "info sentinel")
                   for number in range(len(NODES)))

    def resolve(self):
        words = self._ask(0, "sentinel get-master-addr-by-name group").split("\r\n")
        return words[2] if len(words) > 4 else None

    def round(self, number):
        support.wait_until(self.all_known, "the Sentinels are ready", WHOLE_SECONDS, 0.1)
        old = self.resolve()
        start = time.perf_counter()
        self.nodes[old].send_signal(number)
        end = first_write(self.resolve, old)
        self.nodes[old].kill()
        self.nodes[old].wait()
        self.start_node(old, self.resolve())
        support.wait_until(lambda: followers(self.resolve()) == 2, "two replicas follow",
                           WHOLE_SECONDS, 0.1)
        time.sleep(6)  # twice the failover timeout: sooner a Sentinel refuses another failover
        return (end - start) * 1000


def measure(name, subject, rounds, rows):
    for fault, number in FAULTS:
        values = [subject.round(number) for _ in range(rounds)]
        rows.append((name, fault, values))
        print(f"{name:24} {fault:8} {support.figures(values)}   N={rounds}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hikae", default=os.path.join(support.ROOT, "build/release/hikae"))
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--sentinel-rounds", type=int, default=2)
    options = parser.parse_args()

    support.print_machine()
    rows = []
    with support.ServedRegion(options.hikae) as region:
        measure("hikae", Hikae(region), options.rounds, rows)
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None or options.sentinel_rounds == 0:
        return
    for down_after in SENTINEL_WAITS:
        with Sentinel(program, down_after) as sentinel:
            measure(f"sentinel, {down_after} ms", sentinel, options.sentinel_rounds, rows)
    print("\n| | fault | min ms | median ms | p99 ms | N |\n|---|---|---|---|---|---|")
    for name, fault, values in rows:
        print(f"| {name} | {fault} | {min(values):.1f} | {support.percentile(values, 0.5):.1f} | "
              f"{support.percentile(values, 0.99):.1f} | {len(values)} |")


if __name__ == "__main__":
    main()
