#!/usr/bin/env python3
"""What the front costs: requests per second of an engine through it, and processor time of its
process for a request, beside the same engine's own port for clients without TLS, turn by turn.

  bench/front.py [--module build/release/front.so] [--turns 9] [--requests 200000]

Engine and front are one process on one processor here, the engine's own benchmark has the other:
the worst case, because the front's thread would take a processor of its own where there is one.
`--processors` binds nothing. The processor time hardly depends on what else the machine does.
"""

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile

import support

CLIENTS = "50"


class Engine:
    def __init__(self, name, options):
        self.directory = tempfile.mkdtemp(prefix="hikae-bench-")
        self.port, self.direct, tls = (support.free_port() for _ in range(3))
        self.bind = not options.processors
        command = [f"{name}-server", "--port", str(self.direct), "--bind", "127.0.0.1", "--save",
                   "", "--dir", self.directory, "--logfile", "engine.log", "--protected-mode", "no",
                   "--loadmodule", options.module, "127.0.0.1", str(self.port), "127.0.0.1",
                   str(self.direct), str(tls)]
        self.process = subprocess.Popen(support.mortal(self.pinned(0, command)),
                                        stdout=subprocess.DEVNULL)
        self.benchmark = f"{name}-benchmark"
        support.wait_until(self.answers, "the engine answers", 10, 0.05)

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as peer:
                peer.sendall(b"PING\r\n")
                return peer.recv(100) == b"+PONG\r\n"
        except OSError:
            return False

    def processor_ns(self):
        """Of all its threads."""
        total = 0
        for thread in os.listdir(f"/proc/{self.process.pid}/task"):
            path = f"/proc/{self.process.pid}/task/{thread}/schedstat"
            with open(path, encoding="utf-8") as file:
                total += int(file.read().split()[0])
        return total

    def pinned(self, core, command):
        return support.pinned(core, command) if self.bind else command

    def measure(self, port, test, pipeline, requests):
        """Requests per second, and nanoseconds of a processor for one."""
        before = self.processor_ns()
        done = subprocess.run(
            self.pinned(1, [self.benchmark, "-p", str(port), "-c", CLIENTS, "-P", str(pipeline),
                            "-n", str(requests), "-r", "100000", "-t", test, "--csv"]),
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
        lines = [line.split(",") for line in done.stdout.splitlines()]
        rates = [line[1].strip('"') for line in lines if line[0].strip('"') == test.upper()]
        return float(rates[0]), (self.processor_ns() - before) / requests

    def dispose(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def compare(name, options):
    engine = Engine(name, options)
    try:
        for test in ("set", "get"):
            for pipeline, requests in ((1, options.requests), (50, options.requests * 10)):
                ratios, rates, costs = [], [], []
                for turn in range(options.turns):
                    ports = [engine.direct, engine.port][::1 if turn % 2 else -1]
                    seen = {port: engine.measure(port, test, pipeline, requests) for port in ports}
                    ratios.append(seen[engine.port][0] / seen[engine.direct][0])
                    rates.append(seen[engine.direct][0])
                    costs.append((seen[engine.direct][1], seen[engine.port][1]))
                spread = statistics.quantiles(ratios, n=4)
                without, through = (statistics.median(column) for column in zip(*costs))
                print(f"{name:7} {test} pipeline {pipeline:2}  {statistics.median(rates):9.0f}/s "
                      f"without, {100 * statistics.median(ratios):5.1f} % of it through the front "
                      f"(middle half {100 * spread[0]:.0f} to {100 * spread[2]:.0f} %); processor "
                      f"time {without / 1000:6.2f} us without, {through / 1000:6.2f} us through it",
                      flush=True)
    finally:
        engine.dispose()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--module", default=os.path.join(support.ROOT, "build/release/front.so"))
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--processors", action="store_true")
    support.each_engine(parser.parse_args(), compare)
    return 0


if __name__ == "__main__":
    sys.exit(main())
