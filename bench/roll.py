#!/usr/bin/env python3
"""A change that restarts every member of a group: how long it takes, the longest time without an
acknowledged write, and what was lost.

    bench/roll.py [--hikae build/release/hikae] [--rounds 5] [--writers 3] [--pipeline 16]

A group of three with 1 MB of data goes from Redis 7.1 to Valkey 8.0, member
by member, under writers as in bench/switchover.py; each round has a group of its own. Beside it the
least that any such change takes: each of three engines started by hand is ended and started again,
one after the other, until it follows; nobody's writes are kept going there.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

import support
from engines import NODES, PORT, Group, Link, dns_server, Dns, fill, followers
from switchover import SETTLE_SECONDS, Writers, longest_gap, lost_writes

CHANGE_SECONDS = 120
GROUP = "DescribeReplicationGroupsResult/ReplicationGroups/ReplicationGroup/"


class Rolled(Group):
    node_type = "cache.m5.large"  # there for both engines

    def make_resolve(self):
        return Dns(dns_server(self.region), self.endpoint).resolve

    def is_changed(self, client):
        answer = client.call("DescribeReplicationGroups", ReplicationGroupId=self.name)
        return (answer.find(GROUP + "Engine").text, answer.find(GROUP + "Status").text) == \
            ("valkey", "available")

    def change(self):
        """Seconds until it is available as something else."""
        client = support.Client(self.region.port)
        start = time.perf_counter()
        client.text("ModifyReplicationGroup", ReplicationGroupId=self.name, Engine="valkey",
                    EngineVersion="8.0", ApplyImmediately="true",
                    CacheParameterGroupName="default.valkey8")
        support.wait_until(lambda: self.is_changed(client), "the change is through",
                           CHANGE_SECONDS, 0.01)
        client.close()
        return time.perf_counter() - start


def measure_hikae(options):
    times, gaps, lost, written = [], [], 0, 0
    for number in range(options.rounds):
        with support.ServedRegion(options.hikae) as region:
            group = Rolled(region, f"roll-{number}")
            writers = Writers(group.make_resolve, options.writers, options.pipeline)
            time.sleep(SETTLE_SECONDS)
            start = time.perf_counter()
            times.append(group.change() * 1000)
            end = time.perf_counter()
            time.sleep(SETTLE_SECONDS)
            results = writers.finish()
            gaps.append(longest_gap(results, start, end))
            written += sum(len(acknowledged) for _, acknowledged, _ in results)
            lost += lost_writes(group.resolve(), results)
    print(f"hikae     takes         {support.figures(times)}   N={options.rounds}")
    print(f"          longest gap   {support.figures(gaps)}   lost {lost} of {written}", flush=True)


class ByHand:
    """Three engines without anybody who looks after them."""

    def __init__(self, program):
        self.program = program
        self.directory = tempfile.mkdtemp(prefix="hikae-bench-roll-")
        self._children = {address: self._start(address) for address in NODES}

    def _start(self, address):
        follow = [] if address == NODES[0] else ["--replicaof", NODES[0], str(PORT)]
        return subprocess.Popen(
            [self.program, "--bind", address, "--port", str(PORT), "--save", "", "--hz", "100",
             "--repl-diskless-sync-delay", "0", "--protected-mode", "no",
             "--replica-announce-ip", address, *follow],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd=self.directory)

    def __enter__(self):
        self.wait_whole()
        fill(NODES[0], 1)
        self.wait_whole()
        return self

    def __exit__(self, *_):
        for child in self._children.values():
            child.kill()
            child.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def wait_whole(self):
        support.wait_until(lambda: followers(NODES[0]) == 2, "two replicas follow", pause=0.002)

    def restart_all(self):
        start = time.perf_counter()
        for address in reversed(NODES):
            self._children[address].terminate()
            self._children[address].wait()
            self._children[address] = self._start(address)
            self.wait_whole()
        return time.perf_counter() - start


def measure_by_hand(options):
    program = shutil.which("valkey-server") or shutil.which("redis-server")
    if program is None:
        sys.exit("no engine to compare with was found")
    times = []
    for _ in range(options.rounds):
        with ByHand(program) as engines:
            times.append(engines.restart_all() * 1000)
    print(f"by hand   takes         {support.figures(times)}   N={options.rounds}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hikae", default=os.path.join(support.ROOT, "build/release/hikae"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--writers", type=int, default=3)
    parser.add_argument("--pipeline", type=int, default=16)
    options = parser.parse_args()
    support.print_machine()
    measure_hikae(options)
    measure_by_hand(options)


if __name__ == "__main__":
    main()
