#!/usr/bin/env python3
"""What the fence costs: processor time for each command of an engine with the module and a good
lease, and with the module and no lease (what the engine takes to ask a filter at all), beside the
same process without it: the module is loaded and unloaded again and again.

  bench/fence.py [--module build/release/fence.so] [--turns 3] [--rounds 25] [--requests 150000]

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
LEASE = struct.Struct("<Qq")  # epoch and end, as in module/lease.h
FILL = 400_000


class Engine:
    """Two processes differ by per cents for as long as they live, by where their memory lies, so
    one has all sides of a comparison."""

    def __init__(self, name, module):
        self.epoch = 0  # of the lease; zero: the module asks for none
        # In memory, as leases are; with it goes all that this engine has.
        self.directory = tempfile.mkdtemp(prefix="hikae-bench-", dir="/dev/shm")
        self.port = support.free_port()
        self.module = module
        self.end = threading.Event()
        self.path = os.path.join(self.directory, "lease")
        with open(self.path, "w+b") as file:
            file.write(bytes(LEASE.size))
            file.flush()
            self.lease = mmap.mmap(file.fileno(), LEASE.size)
        threading.Thread(target=self.renew, daemon=True).start()
        command = [f"{name}-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
                   "--dir", self.directory, "--logfile", "engine.log",
                   "--enable-module-command", "local"]
        self.process = subprocess.Popen(support.mortal(support.pinned(0, command)),
                                        stdout=subprocess.DEVNULL)
        self.benchmark = f"{name}-benchmark"
        support.wait_until(self.answers, "the engine answers", 10, 0.05)

    def renew(self):
        while not self.end.wait(0.25):
            self.write_lease()

    def write_lease(self):
        until = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000 + LEASE_US
        self.lease[0:LEASE.size] = LEASE.pack(self.epoch, until)

    def answers(self):
        try:
            return self.ask("ping") == "+PONG\r\n"
        except OSError:
            return False

    def ask(self, command):
        with Link("127.0.0.1", self.port, timeout=10) as link:
            return link.ask(command)

    def expect_ok(self, command):
        answer = self.ask(command)
        if answer != "+OK\r\n":
            raise RuntimeError(answer)

    def load(self, epoch):
        self.epoch = epoch
        self.write_lease()
        self.expect_ok(f"module load {self.module} {self.path} 127.0.0.1")

    def unload(self):
        self.expect_ok("module unload hikae")

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

    def measure_with(self, epoch, *what):
        self.load(epoch)
        try:
            return self.measure(*what)
        finally:
            self.unload()

    def compare(self, *what):
        """Nanoseconds with a lease, with the module alone, and without it. There and back, so that
        what changes steadily is the same for all three."""
        def go(side):
            return self.measure(*what) if side is None else self.measure_with(side, *what)

        sides = (None, 0, 1)
        there = {side: go(side) for side in sides}
        back = {side: go(side) for side in reversed(sides)}
        return tuple((there[side] + back[side]) / 2 for side in (1, 0, None))

    def dispose(self):
        self.end.set()
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def measure_process(name, options, tell):
    engine = Engine(name, options.module)
    try:
        engine.measure("set", 500, FILL)
        for pipeline, test in itertools.product(PIPELINES, ("set", "get")):
            for _ in range(options.rounds):
                tell((pipeline, test),
                     *engine.compare(test, pipeline, options.requests // PIPELINES[pipeline]))
    finally:
        engine.dispose()


def price(ratios):
    """In per cent, and how far off the median may be by chance (twice its standard error)."""
    first, median, third = statistics.quantiles(ratios, n=4)
    deviation = (third - first) / 1.349  # as of a normal distribution
    error = 2 * 1.2533 * deviation / len(ratios) ** 0.5
    return f"{100 * (median - 1):5.2f} % +- {100 * error:.2f}"


def compare(name, options):
    rounds = collections.defaultdict(list)
    for _ in range(options.turns):
        measure_process(name, options, lambda what, *times: rounds[what].append(times))
    for (pipeline, test), of_it in rounds.items():
        without = statistics.median(none for _, _, none in of_it)
        print(f"{name:7} {test} {pipeline:3} at a time {without:6.0f} ns a command without; "
              f"the fence costs {price([leased / none for leased, _, none in of_it])}, "
              f"of that without a lease {price([idle / none for _, idle, none in of_it])}",
              flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--module", default=os.path.join(support.ROOT, "build/release/fence.so"))
    parser.add_argument("--turns", type=int, default=3, help="processes of each engine")
    parser.add_argument("--rounds", type=int, default=25, help="in each process")
    parser.add_argument("--requests", type=int, default=150_000)
    support.each_engine(parser.parse_args(), compare)
    return 0


if __name__ == "__main__":
    sys.exit(main())
