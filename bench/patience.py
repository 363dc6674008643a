#!/usr/bin/env python3
"""What keeps a large primary from answering, and must not cause a failover.

    bench/patience.py [--hikae build/release/hikae] [--millions 40] [--gigabytes 4]

A primary and a replica with many small keys and some large values, real engines: a KEYS that looks
through all of them, a script that runs as long, a third member that takes in the whole data (the
primary forks and saves), a snapshot. For each: how long it lasted, the longest time in which the
primary answered nobody, and how many failovers there were. Exits 1 if there was any. No peer: what
counts is a number that has to be zero. Needs about five times the gigabytes of memory.
"""

import argparse
import os
import sys
import threading
import time

import support
from engines import FILL_BATCH, Dns, Link, dns_server, fill

NODE_TYPE = "cache.r6g.xlarge"
LONG_SECONDS = 600
SMALL_BATCH = 10 * FILL_BATCH
SMALL_KEYS = "for i = ARGV[1], ARGV[2] do redis.call('set', i, 'x') end"
GROUP = "DescribeReplicationGroupsResult/ReplicationGroups/ReplicationGroup/"


class Listener(threading.Thread):
    """Asks the primary all the time; `longest` seconds passed between two answers."""

    def __init__(self, resolve):
        super().__init__(daemon=True)
        self.resolve = resolve
        self.done = threading.Event()
        self.longest = 0.0

    def run(self):
        newest = time.perf_counter()
        while not self.done.is_set():
            try:
                with Link(self.resolve(), timeout=LONG_SECONDS) as link:
                    while not self.done.is_set():
                        link.ask("ping")
                        now = time.perf_counter()
                        self.longest, newest = max(self.longest, now - newest), now
                        time.sleep(0.001)
            except (OSError, TypeError):
                time.sleep(0.01)

    def finish(self):
        self.done.set()
        self.join()
        return self.longest


class Patience:
    def __init__(self, region, options):
        self.region = region
        self.client = support.Client(region.port)
        support.make_network(self.client)
        parameters = support.group_parameters("patience")
        parameters.update(CacheNodeType=NODE_TYPE, NumCacheClusters=2)
        self.client.text("CreateReplicationGroup", **parameters)
        self.wait_available()
        endpoint = self.describe().find(GROUP + "NodeGroups/NodeGroup/PrimaryEndpoint/Address").text
        self.resolve = Dns(dns_server(region), endpoint).resolve
        print(f"# {options.millions} million small keys, then {options.gigabytes} GB", flush=True)
        with Link(self.resolve(), timeout=LONG_SECONDS) as link:
            for first in range(0, options.millions * 1_000_000, SMALL_BATCH):
                link.ask(f'eval "{SMALL_KEYS}" 0 {first} {first + SMALL_BATCH - 1}')
            used = self.memory(link)
        fill(self.resolve(), max(0, int(options.gigabytes * 1000 - used / 1e6)))
        self.client = support.Client(region.port)  # the first one was idle for too long

    @staticmethod
    def memory(link):
        lines = link.ask("info memory").split("\r\n")
        return int(next(line for line in lines if line.startswith("used_memory:")).split(":")[1])

    def describe(self):
        return self.client.call("DescribeReplicationGroups", ReplicationGroupId="patience")

    def wait_available(self):
        support.wait_until(lambda: self.describe().find(GROUP + "Status").text == "available",
                           "the group is available", LONG_SECONDS, 0.05)

    def failovers(self):
        directory = os.path.join(self.region.data, "failovers")
        return len(os.listdir(directory)) if os.path.isdir(directory) else 0

    def measure(self, name, act):
        before, listener = self.failovers(), Listener(self.resolve)
        listener.start()
        start = time.perf_counter()
        act()
        took = time.perf_counter() - start
        silent = listener.finish()
        failovers = self.failovers() - before
        print(f"{name:42} took {took:6.1f} s, no answer for {silent:6.3f} s, {failovers} failovers",
              flush=True)
        return failovers

    def ask(self, command):
        with Link(self.resolve(), timeout=LONG_SECONDS) as link:
            link.ask(command)

    def third_member(self):
        self.client.text("IncreaseReplicaCount", ReplicationGroupId="patience", NewReplicaCount=2,
                         ApplyImmediately="true")
        self.wait_available()

    def snapshot(self):
        self.client.text("CreateSnapshot", ReplicationGroupId="patience", SnapshotName="patience")
        path = "DescribeSnapshotsResult/Snapshots/Snapshot/SnapshotStatus"
        support.wait_until(
            lambda: self.client.call("DescribeSnapshots", SnapshotName="patience").find(path).text
            == "available", "the snapshot is available", LONG_SECONDS, 0.1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hikae", default=os.path.join(support.ROOT, "build/release/hikae"))
    parser.add_argument("--millions", type=int, default=40)
    parser.add_argument("--gigabytes", type=float, default=4)
    options = parser.parse_args()

    support.print_machine()
    with support.ServedRegion(options.hikae) as region:
        patience = Patience(region, options)
        with Link(patience.resolve(), timeout=LONG_SECONDS) as link:
            print(f"# the primary holds {patience.memory(link) / 1e9:.1f} GB", flush=True)
        failovers = sum([
            patience.measure("KEYS that looks through all keys",
                             lambda: patience.ask("keys nobody*")),
            patience.measure("a script that runs for 5 s", lambda: patience.ask(
                'eval "local t = redis.call(\'time\')[1] + 6 while redis.call(\'time\')[1] + 0 < t '
                'do end" 0')),
            patience.measure("a third member takes in the data", patience.third_member),
            patience.measure("a snapshot", patience.snapshot),
        ])
    sys.exit(1 if failovers else 0)


if __name__ == "__main__":
    main()
