#!/usr/bin/env python3
"""Milliseconds from a fault of the primary to the first write that the new one acknowledges.

    bench/failover.py [--hikae build/release/hikae] [--sizes 1,100,1000] [--faults kill,segv,stop]
                      [--rounds 10] [--sentinel-rounds 2] [--sentinel-default] [--stages]

A group of three, real engines, for each size in MB of data. The client writes; when a write fails,
or is not answered within 100 ms, it asks again where the primary is, one UDP query to our DNS
server, and tries there. Beside it Redis Sentinel, three of them, with 1 MB, whose client asks a
Sentinel instead: with the shortest down-after-milliseconds that a loaded machine bears, a usual
one, and, where asked for, the default of 30,000.

Between two rounds both are given the time to be whole again.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import support
from engines import NODES, PORT, WHOLE_SECONDS, Group, Link, fill, followers

FAULTS = {"kill": signal.SIGKILL, "segv": signal.SIGSEGV, "stop": signal.SIGSTOP}
SENTINEL_WAITS = (200, 5000)  # down-after-milliseconds
SENTINEL_DEFAULT_WAIT = 30000
SENTINEL_PORT = 26479


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


class Hikae(Group):
    """One fault at a time."""

    show_stages = False
    reported = set()

    def round(self, number):
        old = self.resolve()
        pid = self.pid_at(old)
        wall, start = time.time(), time.perf_counter()
        os.kill(pid, number)
        end = first_write(self.resolve, old)
        self.wait_whole()
        if self.show_stages:
            print(f"# {(end - start) * 1000:.1f} ms; " + ", ".join(self.stages(wall)), flush=True)
        return (end - start) * 1000

    def stages(self, fault):
        """What the newest report says; `fault` is when it happened, as time.time() counts."""
        directory = os.path.join(self.region.data, "failovers")
        support.wait_until(lambda: os.path.isdir(directory)
                           and len(os.listdir(directory)) > len(self.reported), "a report", 60)
        newest = next(entry for entry in os.scandir(directory)
                      if entry.name not in self.reported)
        self.reported.add(newest.name)
        with open(newest.path, encoding="utf-8") as file:
            report = json.load(file)
        seen = (report["at"] - report["fenced_us"]) / 1000 - fault * 1000
        return [f"seen after {seen:.1f}, and then"] + [
            f"{name[:-3]} {time_us / 1000:.1f}" for name, time_us in report.items()
            if name.endswith("_us")]


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
        fill(NODES[0], 1)
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


def measure(name, subject, faults, rounds, rows):
    for fault in faults:
        values = [subject.round(FAULTS[fault]) for _ in range(rounds)]
        rows.append((name, fault, values))
        print(f"{name:24} {fault:8} {support.figures(values)}   N={rounds}", flush=True)


def measure_hikae(options, rows):
    for megabytes in options.sizes:
        with support.ServedRegion(options.hikae) as region:
            measure(f"hikae, {megabytes} MB", Hikae(region, "failover", megabytes), options.faults,
                    options.rounds, rows)


def measure_sentinel(options, rows):
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None or options.sentinel_rounds == 0:
        print("# no Sentinel beside it: no engine was found, or no round asked for")
        return
    for down_after in SENTINEL_WAITS:
        with Sentinel(program, down_after) as sentinel:
            measure(f"sentinel, {down_after} ms", sentinel, options.faults,
                    options.sentinel_rounds, rows)
    if options.sentinel_default:
        with Sentinel(program, SENTINEL_DEFAULT_WAIT) as sentinel:
            measure(f"sentinel, {SENTINEL_DEFAULT_WAIT} ms", sentinel, options.faults, 1, rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hikae", default=os.path.join(support.ROOT, "build/release/hikae"))
    parser.add_argument("--sizes", default=[1, 100, 1000],
                        type=lambda text: [int(word) for word in text.split(",")])
    parser.add_argument("--faults", default=list(FAULTS), type=lambda text: text.split(","))
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--sentinel-rounds", type=int, default=2)
    parser.add_argument("--sentinel-default", action="store_true")
    parser.add_argument("--stages", action="store_true", help="of each failover, by its report")
    options = parser.parse_args()

    support.print_machine()
    Hikae.show_stages = options.stages
    rows = []
    measure_hikae(options, rows)
    measure_sentinel(options, rows)
    print("\n| | fault | min ms | median ms | p99 ms | N |\n|---|---|---|---|---|---|")
    for name, fault, values in rows:
        print(f"| {name} | {fault} | {min(values):.1f} | {support.percentile(values, 0.5):.1f} | "
              f"{support.percentile(values, 0.99):.1f} | {len(values)} |")


if __name__ == "__main__":
    main()
