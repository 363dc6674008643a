#!/usr/bin/env python3
"""A snapshot of 1 GB and a group made of it, beside the engine's own BGSAVE and load.

    bench/snapshots.py [--hikae build/release/hikae] [--megabytes 1000] [--rounds 3]

CreateSnapshot of a group of two, until the snapshot is available: a replica saves, and the file is
checked as a whole. Then a single node is restored from it, until it is available. Beside it an
engine started by hand, with the same values: BGSAVE until it has ended, and a start with that file
until it answers with all keys.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

import support
from engines import NODES, PORT, Dns, Link, dns_server, fill, followers

LONG_SECONDS = 600
NODE_TYPE = "cache.m5.large"
SNAPSHOT = "DescribeSnapshotsResult/Snapshots/Snapshot/SnapshotStatus"
GROUP = "DescribeReplicationGroupsResult/ReplicationGroups/ReplicationGroup/"
ENDPOINT = GROUP + "NodeGroups/NodeGroup/PrimaryEndpoint/Address"


def key_count(address):
    """0 also while it does not answer."""
    try:
        with Link(address, timeout=60) as link:
            return int(link.ask("dbsize").strip().lstrip(":"))
    except (OSError, ValueError):
        return 0


def milliseconds(operation):
    start = time.perf_counter()
    operation()
    return (time.perf_counter() - start) * 1000


class Hikae:
    def __init__(self, region, megabytes):
        self.region = region
        self.client = support.Client(region.port)
        support.make_network(self.client)
        self.make("source", 2)
        fill(self.address("source"), megabytes)
        self.wait("the replica has it all", lambda: followers(self.address("source")) == 1)
        self.keys = key_count(self.address("source"))

    def make(self, name, members, **more):
        parameters = support.group_parameters(name)
        parameters.update(NumCacheClusters=members, CacheNodeType=NODE_TYPE, **more)
        parameters["AutomaticFailoverEnabled"] = "true" if members > 1 else "false"
        self.client.text("CreateReplicationGroup", **parameters)
        self.wait(f"{name} is available", lambda: self.describe(name, GROUP + "Status")
                  == "available")

    @staticmethod
    def wait(what, condition):
        support.wait_until(condition, what, LONG_SECONDS, 0.01)

    def describe(self, name, path):
        answer = self.client.call("DescribeReplicationGroups", ReplicationGroupId=name)
        return answer.find(path).text

    def address(self, name):
        return Dns(dns_server(self.region), self.describe(name, ENDPOINT)).resolve()

    def save(self, name):
        self.client.text("CreateSnapshot", SnapshotName=name, ReplicationGroupId="source")
        self.wait("the snapshot is available",
                  lambda: self.client.call("DescribeSnapshots", SnapshotName=name)
                  .find(SNAPSHOT).text == "available")

    def restore(self, group, snapshot):
        self.make(group, 1, SnapshotName=snapshot)
        found = key_count(self.address(group))
        if found != self.keys:
            sys.exit(f"{group} holds {found} of the {self.keys} keys of the snapshot")

    def round(self, number):
        saved = milliseconds(lambda: self.save(f"s-{number}"))
        restored = milliseconds(lambda: self.restore(f"restored-{number}", f"s-{number}"))
        self.client.text("DeleteReplicationGroup", ReplicationGroupId=f"restored-{number}")
        self.client.text("DeleteSnapshot", SnapshotName=f"s-{number}")
        return saved, restored


class ByHand:
    def __init__(self, program, megabytes):
        self.program = program
        self.directory = tempfile.mkdtemp(prefix="hikae-bench-save-")
        self._start()
        support.wait_until(lambda: self._asks("ping"), "the engine answers", pause=0.01)
        fill(NODES[0], megabytes)
        self.keys = key_count(NODES[0])

    def _start(self):
        self._child = subprocess.Popen(
            [self.program, "--bind", NODES[0], "--port", str(PORT), "--save", "",
             "--protected-mode", "no"], cwd=self.directory, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @staticmethod
    def _asks(command):
        try:
            with Link(NODES[0], timeout=60) as link:
                return link.ask(command)
        except OSError:
            return ""

    def save(self):
        self._asks("bgsave")
        support.wait_until(lambda: "rdb_bgsave_in_progress:0" in self._asks("info persistence"),
                           "BGSAVE has ended", LONG_SECONDS, 0.01)

    def load(self):
        self._start()
        support.wait_until(lambda: key_count(NODES[0]) == self.keys, "all keys are there",
                           LONG_SECONDS, 0.01)

    def round(self, _):
        saved = milliseconds(self.save)
        self._child.kill()
        self._child.wait()
        return saved, milliseconds(self.load)

    def close(self):
        self._child.kill()
        self._child.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def measure(name, subject, rounds):
    results = [subject.round(number) for number in range(rounds)]
    for what, values in zip(("save", "restore"), zip(*results)):
        print(f"{name:8} {what:8} {support.figures(values)}   N={rounds}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hikae", default=os.path.join(support.ROOT, "build/release/hikae"))
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    support.print_machine()
    with support.ServedRegion(options.hikae) as region:
        measure("hikae", Hikae(region, options.megabytes), options.rounds)
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        sys.exit("no engine to compare with was found")
    engine = ByHand(program, options.megabytes)
    try:
        measure("by hand", engine, options.rounds)
    finally:
        engine.close()


if __name__ == "__main__":
    main()
