#!/usr/bin/env python3
"""Milliseconds from CreateReplicationGroup to `available`, for a group of three.

    bench/create.py [--hikae build/release/hikae] [--rounds 15]

Real engines. Beside it, in turn: the same engine program started three times and linked by hand,
until both replicas have their link up; what no control plane can go below. A round of ours ends
when DescribeReplicationGroups, asked every millisecond on one connection, says `available`; then
the primary itself is asked until it shows both replicas, which is where a round of the peer ends.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import support

PORT = 6479
LINK_LIMIT_SECONDS = 20
ONLINE_LIMIT_SECONDS = 2
PAUSE_SECONDS = 0.001  # between two looks: exact enough, and leaves the processor to the others
# Where by-hand engines listen: a third octet that no subnet of a region is mapped to.
BARE_ADDRESSES = ("127.250.77.1", "127.250.77.2", "127.250.77.3")
BARE_DIRECTIVES = ("--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0",
                   "--hz", "100", "--protected-mode", "no", "--daemonize", "no")


class Resp:
    """One inline command at a time."""

    def __init__(self, address, port):
        self._socket = socket.create_connection((address, port), timeout=5)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, command):
        self._socket.sendall(command.encode() + b"\r\n")
        data = self._socket.recv(65536)
        if data.startswith(b"$"):
            head, _, _ = data.partition(b"\r\n")
            while len(data) < len(head) + 4 + int(head[1:]):
                data += self._socket.recv(65536)
        return data.decode(errors="replace")

    def close(self):
        self._socket.close()


def both_links_up(primary):
    text = primary.ask("INFO replication")
    return "role:master" in text and text.count("state=online") == 2


class ByHand:
    """Three bare engines: the peer."""

    def __init__(self, engine):
        self.engine = engine
        self.directory = tempfile.mkdtemp(prefix="hikae-bench-bare-")

    def round(self):
        """Milliseconds until both links are up."""
        children, connections = [], []
        try:
            start = time.perf_counter()
            for address in BARE_ADDRESSES:
                children.append(subprocess.Popen(
                    [self.engine, "--bind", address, "--port", str(PORT), "--dir", self.directory,
                     *BARE_DIRECTIVES],
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL))
            for address in BARE_ADDRESSES:
                connections.append(support.wait_until(
                    lambda address=address: self.connect(address), "an engine listens",
                    pause=PAUSE_SECONDS))
            for replica in connections[1:]:
                replica.ask(f"REPLICAOF {BARE_ADDRESSES[0]} {PORT}")
            support.wait_until(lambda: both_links_up(connections[0]), "both links are up",
                               LINK_LIMIT_SECONDS, PAUSE_SECONDS)
            return (time.perf_counter() - start) * 1000
        finally:
            for connection in connections:
                connection.close()
            for child in children:
                child.kill()
            for child in children:
                child.wait()

    @staticmethod
    def connect(address):
        try:
            return Resp(address, PORT)
        except OSError:
            return None

    def close(self):
        shutil.rmtree(self.directory, ignore_errors=True)


class Groups:
    """Ours."""

    def __init__(self, region):
        self.region = region
        self.client = support.Client(region.port)
        # Away from the subnets that tests and examples use, as addresses are shared on loopback.
        support.make_network(self.client, third_octet=240, prefix=24)

    def round(self, number):
        """Milliseconds until the answer of the create call, until `available`, until the primary
        shows both replicas, and of the deletion until nothing is left of the group."""
        group = f"bench-{number}"
        start = time.perf_counter()
        self.client.text("CreateReplicationGroup", **support.group_parameters(group, PORT))
        answered = time.perf_counter()
        support.wait_until(lambda: self.status(group) == "available", f"{group} is available",
                           LINK_LIMIT_SECONDS, PAUSE_SECONDS)
        available = time.perf_counter()
        self.online(group)
        deleting = time.perf_counter()
        self.client.text("DeleteReplicationGroup", ReplicationGroupId=group)
        support.wait_until(lambda: self.status(group) is None, f"{group} is gone",
                           LINK_LIMIT_SECONDS, PAUSE_SECONDS)
        gone = time.perf_counter()
        return [1000 * t for t in (answered - start, available - start, deleting - start,
                                   gone - deleting)]

    def status(self, group):
        try:
            text = self.client.text("DescribeReplicationGroups", ReplicationGroupId=group)
        except support.Refused as refused:
            if refused.code == "ReplicationGroupNotFoundFault":
                return None
            raise
        return text.partition("</Description><Status>")[2].partition("<")[0]

    def online(self, group):
        """Waits until the primary itself shows both replicas in step, as the peer's rounds do. The
        API goes by the replicas, whose links are up a moment before the primary notices."""
        answer = self.client.call("DescribeReplicationGroups", ReplicationGroupId=group)
        primary = next(member.find("ReadEndpoint/Address").text
                       for member in answer.iter("NodeGroupMember")
                       if member.find("CurrentRole").text == "primary")
        engine = Resp(self.address(primary), PORT)
        try:
            support.wait_until(lambda: both_links_up(engine), f"{group}: both links are up",
                               ONLINE_LIMIT_SECONDS, PAUSE_SECONDS)
        finally:
            engine.close()

    def address(self, name):
        lines = self.client.get("/_hikae/names").splitlines()
        return next(line.split()[0] for line in lines if line.split()[1] == name)


def engine_program():
    """What serves engine `redis`: Redis itself, or Valkey where that is all there is."""
    for name in ("redis-server", "valkey-server"):
        path = shutil.which(name)
        if path is not None:
            return path
    sys.exit("neither redis-server nor valkey-server is installed")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hikae", default=os.path.join(support.ROOT, "build/release/hikae"))
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()

    support.print_machine()
    engine = engine_program()
    by_hand = ByHand(engine)
    answered, available, online, gone, bare = [], [], [], [], []
    try:
        with support.ServedRegion(options.hikae) as region:
            groups = Groups(region)
            groups.round(0)  # warms the page cache for both
            for number in range(1, options.rounds + 1):
                times = groups.round(number)
                for values, value in zip((answered, available, online, gone), times):
                    values.append(value)
                bare.append(by_hand.round())
                print(f"round {number:2}  hikae {times[1]:7.1f} ms   by hand {bare[-1]:7.1f} ms",
                      flush=True)
    finally:
        by_hand.close()
    print(f"a group of 3, {options.rounds} rounds in turn, engine {os.path.basename(engine)}")
    print(f"hikae    create answered     {support.figures(answered)}")
    print(f"hikae    create to available {support.figures(available)}")
    print(f"hikae    create to links up  {support.figures(online)}")
    print(f"by hand  start to links up   {support.figures(bare)}   (the peer)")
    print(f"hikae    delete to gone      {support.figures(gone)}")
    ratio = support.percentile(available, 0.5) / support.percentile(bare, 0.5)
    print(f"ratio of medians hikae/by hand {ratio:.2f}")


if __name__ == "__main__":
    main()
