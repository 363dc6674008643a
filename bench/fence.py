#!/usr/bin/env python3
"""What the fence costs: processor time for each command of an engine with the module and a good
lease, beside the same engine without it, turn by turn, each with two new processes.

  bench/fence.py [--module build/release/fence.so] [--turns 15] [--requests 500000]

The engine has one processor and the engine's own benchmark the other. An engine does one thing at a
time, so its processor time for a command is what bounds its throughput; unlike throughput it hardly
depends on what else the machine does. Measured for clients that wait for each answer, and for
pipelines, which keep the share of the sockets so low that the price is the highest there can be.
"""

import argparse
import collections
import itertools
import mmap
import os
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

import support
from engines import Link

CLIENTS = "50"
PIPELINES = {1: 5, 500: 1}  # what its requests are divided by, so that neither takes minutes
LEASE_US = 1_000_000


def renew(memory, end):
    while not end.wait(0.25):
        until = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000 + LEASE_US
        memory[0:16] = struct.pack("<Qq", 1, until)


class Engine:
    def __init__(self, name, module):
        self.directory = tempfile.mkdtemp(prefix="hikae-bench-")
        self.port = support.free_port()
        self.end = threading.Event()
        command = [f"{name}-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
                   "--dir", self.directory, "--logfile", "engine.log"]
        if module:
            path = os.path.join("/dev/shm", os.path.basename(self.directory))
            self.lease = open(path, "w+b")
            self.lease.write(struct.pack("<Qq", 1, 2 ** 62))
            self.lease.flush()
            threading.Thread(target=renew, args=(mmap.mmap(self.lease.fileno(), 16), self.end),
                             daemon=True).start()
            command += ["--loadmodule", module, path, "127.0.0.1"]
        self.path = path if module else None
        self.process = subprocess.Popen(support.mortal(support.pinned(0, command)),
                                        stdout=subprocess.DEVNULL)
        self.benchmark = f"{name}-benchmark"
        support.wait_until(self.answers, "the engine answers", 10, 0.05)

    def answers(self):
        try:
            with Link("127.0.0.1", self.port) as link:
                return link.ask("ping") == "+PONG\r\n"
        except OSError:
            return False

    def processor_ns(self):
        with open(f"/proc/{self.process.pid}/schedstat", encoding="utf-8") as file:
            return int(file.read().split()[0])

    def measure(self, test, pipeline, requests):
        """Nanoseconds of a processor for a command."""
        before = self.processor_ns()
        subprocess.run(
            support.pinned(1, [self.benchmark, "-p", str(self.port), "-c", CLIENTS,
                               "-P", str(pipeline), "-n", str(requests), "-r", "100000",
                               "-t", test, "-q"]),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        return (self.processor_ns() - before) / requests

    def dispose(self):
        self.end.set()
        self.process.kill()
        self.process.wait()
        if self.path:
            os.unlink(self.path)
        shutil.rmtree(self.directory, ignore_errors=True)


def compare_once(name, options, turn, tell):
    """One pair of engines: two processes differ by per cents for as long as they live, by where
    their memory lies, so every turn has a new pair."""
    with_fence, without = Engine(name, options.module), Engine(name, None)
    pair = [with_fence, without] if turn % 2 else [without, with_fence]
    try:
        for pipeline, test in itertools.product(PIPELINES, ("set", "get")):
            requests = options.requests // PIPELINES[pipeline]
            time_of = {engine: engine.measure(test, pipeline, requests) for engine in pair}
            tell((pipeline, test), time_of[with_fence], time_of[without])
    finally:
        with_fence.dispose()
        without.dispose()


def compare(name, options):
    ratios, times = collections.defaultdict(list), collections.defaultdict(list)

    def tell(what, with_fence, without):
        ratios[what].append(with_fence / without)
        times[what].append(without)

    for turn in range(options.turns):
        compare_once(name, options, turn, tell)
    for pipeline, test in ratios:
        of_it = ratios[pipeline, test]
        spread = statistics.quantiles(of_it, n=4)
        print(f"{name:7} {test} {pipeline:3} at a time "
              f"{statistics.median(times[pipeline, test]):6.0f} ns a command without; the fence "
              f"costs {100 * (statistics.median(of_it) - 1):5.2f} % "
              f"(quartiles {spread[0]:.3f} to {spread[2]:.3f})", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--module", default=os.path.join(support.ROOT, "build/release/fence.so"))
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--requests", type=int, default=500_000)
    support.each_engine(parser.parse_args(), compare)
    return 0


if __name__ == "__main__":
    sys.exit(main())
