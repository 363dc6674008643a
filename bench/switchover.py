#!/usr/bin/env python3
"""The longest time without an acknowledged write in a planned switchover, and what was lost.

    bench/switchover.py [--hikae build/release/hikae] [--rounds 20] [--writers 3] [--pipeline 16]

A group of three with 1 MB of data, real engines. Writers, a process each, send numbered values as
fast as they are answered; when one is refused or its connection ends, the writer asks for the name
again and goes on with the next number. Beside it the engine's own FAILOVER command, on three
engines started by hand, whose writers ask the engines who leads. The second line of each says what
the same writers waited in the same time before, while nothing happened: on few processors they keep
the engine, and one another, from working for milliseconds.
"""

import argparse
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import support
from engines import NODES, PORT, Dns, Group, Link, dns_server, fill, followers

MEMBERS = ("switch-001", "switch-002", "switch-003")
SETTLE_SECONDS = 0.3  # of writing before and after each switchover
SOCKET_SECONDS = 5
LOOK_SECONDS = 0.02  # whoever looks all the time takes the processor from those who are measured


class Pipeline:
    """One connection that has `depth` numbered writes in flight."""

    def __init__(self, address, depth):
        self._socket = socket.create_connection((address, PORT), timeout=SOCKET_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb")
        self.depth = depth

    def write(self, writer, first):
        """The numbers that were acknowledged, and whether all were."""
        numbers = range(first, first + self.depth)
        self._socket.sendall(b"".join(b"set w%d:%d %d\r\n" % (writer, n, n) for n in numbers))
        done = []
        for number in numbers:
            line = self._file.readline()
            if line == b"+OK\r\n":
                done.append(number)
            elif not line:
                return done, False
        return done, len(done) == self.depth

    def close(self):
        self._file.close()
        self._socket.close()


def run_writer(number, resolve, depth, stop, results):
    """Puts (acknowledged numbers, times of the acknowledgements) when `stop` is set."""
    acknowledged, times, following, link = [], [], 0, None
    while not stop.is_set():
        try:
            link = link or Pipeline(resolve(), depth)
            done, whole = link.write(number, following)
        except (OSError, TypeError):
            done, whole = [], False
        following += depth
        acknowledged += done
        if done:
            times.append(time.perf_counter())
        if not whole and link is not None:
            link.close()
            link = None
    results.put((number, acknowledged, times))


class Writers:
    """Several of them, from entering the with-block until finish()."""

    def __init__(self, make_resolve, count, depth):
        self._stop = multiprocessing.Event()
        self._results = multiprocessing.Queue()
        self._children = [
            multiprocessing.Process(target=self._run, args=(make_resolve, number, depth),
                                    daemon=True)
            for number in range(count)]
        for child in self._children:
            child.start()

    def _run(self, make_resolve, number, depth):
        run_writer(number, make_resolve(), depth, self._stop, self._results)

    def finish(self):
        self._stop.set()
        results = [self._results.get(timeout=60) for _ in self._children]
        for child in self._children:
            child.join()
        return results


def longest_gap(results, start, end):
    """In ms, of the writer that waited longest of all that waited at some time in between."""
    gaps = [later - earlier for _, _, times in results for earlier, later in zip(times, times[1:])
            if later > start and earlier < end]
    return max(gaps, default=0.0) * 1000


def lost_writes(address, results):
    lost = 0
    with socket.create_connection((address, PORT), timeout=SOCKET_SECONDS) as connection:
        answers = connection.makefile("rb")
        for number, acknowledged, _ in results:
            for first in range(0, len(acknowledged), 1000):
                part = acknowledged[first:first + 1000]
                connection.sendall(b"".join(b"exists w%d:%d\r\n" % (number, n) for n in part))
                lost += sum(answers.readline() != b":1\r\n" for _ in part)
        connection.sendall(b"flushall\r\n")
        answers.readline()
    return lost


def measure(name, rounds, options, subject):
    gaps, usual, lost, written = [], [], 0, 0
    for number in range(rounds):
        writers = Writers(subject.make_resolve, options.writers, options.pipeline)
        time.sleep(SETTLE_SECONDS)
        start = time.perf_counter()
        subject.switch(number)
        end = time.perf_counter()
        time.sleep(SETTLE_SECONDS)
        results = writers.finish()
        gaps.append(longest_gap(results, start, end))
        usual.append(longest_gap(results, start - (end - start), start))
        lost += lost_writes(subject.resolve(), results)
        written += sum(len(acknowledged) for _, acknowledged, _ in results)
        subject.wait_whole()
    print(f"{name:24} longest gap {support.figures(gaps)}   lost {lost} of {written}   N={rounds}",
          flush=True)
    print(f"  just before, as long   {support.figures(usual)}", flush=True)


class Hikae(Group):
    """Switchovers by ModifyReplicationGroup."""

    def make_resolve(self):
        return Dns(dns_server(self.region), self.endpoint).resolve

    def switch(self, number):
        old = self.resolve()
        client = support.Client(self.region.port)
        target = MEMBERS[(number + 1) % len(MEMBERS)]
        client.text("ModifyReplicationGroup", ReplicationGroupId=self.name,
                    PrimaryClusterId=target, ApplyImmediately="true")
        support.wait_until(lambda: self.resolve() != old, "the primary has moved",
                           pause=LOOK_SECONDS)
        client.close()


class ByHand:
    """Three engines, and FAILOVER."""

    def __init__(self, program):
        self.directory = tempfile.mkdtemp(prefix="hikae-bench-failover-")
        self._children = []
        for address in NODES:
            follow = [] if address == NODES[0] else ["--replicaof", NODES[0], str(PORT)]
            self._children.append(subprocess.Popen(
                [program, "--bind", address, "--port", str(PORT), "--save", "", "--hz", "100",
                 "--repl-diskless-sync-delay", "0", "--protected-mode", "no",
                 "--replica-announce-ip", address, *follow],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                cwd=self.directory))

    def __enter__(self):
        self.wait_whole()
        fill(self.resolve(), 1)
        self.wait_whole()
        return self

    def __exit__(self, *_):
        for child in self._children:
            child.kill()
            child.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def make_resolve(self):
        return self.resolve

    def resolve(self):
        for address in NODES:
            try:
                with Link(address, timeout=1) as link:
                    if "role:master" in link.ask("info replication"):
                        return address
            except OSError:
                continue
        return None

    def wait_whole(self):
        def whole():
            primary = self.resolve()
            return primary is not None and followers(primary) == 2
        support.wait_until(whole, "two replicas follow", pause=0.05)

    def switch(self, number):
        old = self.resolve()
        target = next(address for address in NODES if address != old)
        with Link(old, timeout=1) as link:
            link.ask(f"failover to {target} {PORT}")
        support.wait_until(lambda: self.resolve() not in (None, old), "the primary has moved",
                           pause=LOOK_SECONDS)
        # The command leaves the third where it was, behind the former primary.
        third = next(address for address in NODES if address not in (old, target))
        with Link(third, timeout=1) as link:
            link.ask(f"replicaof {target} {PORT}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hikae", default=os.path.join(support.ROOT, "build/release/hikae"))
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--writers", type=int, default=3)
    parser.add_argument("--pipeline", type=int, default=16)
    options = parser.parse_args()

    support.print_machine()
    with support.ServedRegion(options.hikae) as region:
        measure("hikae", options.rounds, options, Hikae(region, "switch"))
    program = shutil.which("valkey-server") or shutil.which("redis-server")
    if program is None:
        sys.exit("no engine to compare with was found")
    with ByHand(program) as engines:
        measure("FAILOVER command", options.rounds, options, engines)


if __name__ == "__main__":
    main()
