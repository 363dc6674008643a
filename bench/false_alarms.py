#!/usr/bin/env python3
"""Failovers that nobody asked for while the machine has no time: must be none.

    bench/false_alarms.py [--minutes 10] [--burners 4] [--disks 2] [--keepers]   needs root

Six hosts in three zones, two servers, three members of etcd, each a network namespace; a group of
three with default leases (1 s), and clients that write all the time. Beside them processes that
only count, several for each processor, and others that write a file and sync it without a pause.
Each minute prints how long the longest gap between two acknowledged writes was so far. Exits 1 if
there was a failover, or if a write was lost. No peer: what counts is a number that has to be zero.
"""

import argparse
import multiprocessing
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "tests"))

from support import netns  # noqa: E402 - the path comes first
from support.machines import WITHOUT_MODULE, Machines  # noqa: E402
from support.processes import die_with_parent  # noqa: E402
from support.waiting import eventually  # noqa: E402

BLOCK = b"x" * (4 << 20)
BLOCKS = 16  # a file of 64 MB, written over and over


def burn():
    die_with_parent()
    while True:
        pass


def write_and_sync(directory):
    die_with_parent()
    with open(os.path.join(directory, str(os.getpid())), "wb") as file:
        while True:
            file.seek(0)
            for _ in range(BLOCKS):
                file.write(BLOCK)
                file.flush()
                os.fsync(file.fileno())


def longest_gap(writer):
    times = sorted(one.at for one in list(writer.acknowledged.values()))
    return max((b - a for a, b in zip(times, times[1:])), default=0.0)


def run(machines, options):
    machines.wait_whole()
    before = machines.primary()
    machines.start_clients()
    end = time.monotonic() + 60 * options.minutes
    for minute in range(options.minutes):
        until = min(end, time.monotonic() + 60)
        eventually(lambda until=until: time.monotonic() > until, "a minute passes", 90, 0.5)
        gap = longest_gap(machines.writer)
        print(f"# minute {minute + 1}: load {os.getloadavg()[0]:.1f}, "
              f"{len(machines.writer.acknowledged)} writes, longest gap {1000 * gap:.0f} ms",
              flush=True)
    gap = longest_gap(machines.writer)
    account = machines.settle()
    failovers = len(account.failovers)
    print(f"{options.minutes} minutes: {failovers} failovers, primary {before} before and "
          f"{machines.primary()} after, longest gap {1000 * gap:.0f} ms")
    return account.problems() + [f"{failovers} failovers"] * bool(failovers)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--keepers", action="store_true", help="in place of the module")
    parser.add_argument("--burners", type=int, default=2 * (os.cpu_count() or 1))
    parser.add_argument("--disks", type=int, default=2)
    options = parser.parse_args()
    netns.require()
    machines = Machines(agent_arguments=WITHOUT_MODULE if options.keepers else ())
    with tempfile.TemporaryDirectory(prefix="hikae-bench-") as directory:
        load = [multiprocessing.Process(target=burn, daemon=True) for _ in range(options.burners)]
        load += [multiprocessing.Process(target=write_and_sync, args=(directory,), daemon=True)
                 for _ in range(options.disks)]
        try:
            machines.start()
            for process in load:
                process.start()
            problems = run(machines, options)
        finally:
            for process in load:
                if process.is_alive():
                    process.kill()
                    process.join()
            machines.dispose()
    if problems:
        sys.exit("\n".join(problems))
    return 0


if __name__ == "__main__":
    sys.exit(main())
