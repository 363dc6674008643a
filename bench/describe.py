#!/usr/bin/env python3
"""DescribeReplicationGroups a second, signatures checked, over keep-alive connections.

    bench/describe.py [--build build/release-bench] [--groups 1,100,1000] [--seconds 3]

The server has processor 0, the client (http_load, which sends one signed request again and again
and computes nothing) processor 1. The engines are mocked, as a thousand groups would be 3,000
processes; everything else is the real thing, the agents included, which look at their 3,000 nodes
once a second on the server's processor. The processor time an answer costs is printed too: it stays
comparable when something else works on the machine. Beside it, in the same run: moto's server with
the same number of groups, where it is installed; it does not check signatures, and a group of three
is one member there.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import support

CONNECTIONS = 16
PAGE = 100  # the most that one answer of a listing holds
CREATE_LIMIT_SECONDS = 600


def status_of_all(client):
    """{status: number of groups}, over all pages."""
    counts, marker = {}, {}
    while True:
        answer = client.call("DescribeReplicationGroups", **marker)
        for group in answer.iter("ReplicationGroup"):
            status = group.find("Status").text
            counts[status] = counts.get(status, 0) + 1
        last = answer.find(".//Marker")
        if last is None or not last.text:
            return counts
        marker = {"Marker": last.text}


def grow(client, have, want, subnet_group="bench"):
    """Creates groups until there are `want`, and waits until all are available."""
    start = time.monotonic()
    for number in range(have, want):
        client.text("CreateReplicationGroup",
                    **support.group_parameters(f"group-{number:04}", subnet_group=subnet_group))
    support.wait_until(lambda: status_of_all(client) == {"available": want},
                       f"{want} groups are available", CREATE_LIMIT_SECONDS, 0.2)
    return time.monotonic() - start


class Meter:
    """Runs http_load with a request that was signed a moment ago."""

    def __init__(self, build, directory, milliseconds):
        self.program = os.path.join(build, "bench/http_load")
        self.request = os.path.join(directory, "request")
        self.milliseconds = milliseconds

    def run(self, server, port, parameters, connections):
        with open(self.request, "wb") as out:
            out.write(support.wire_request(f"127.0.0.1:{port}", parameters))
        command = [self.program, str(port), str(connections), str(self.milliseconds), self.request]
        before = support.processor_seconds(server)
        text = subprocess.run(support.pinned(1, command), check=True, stdout=subprocess.PIPE).stdout
        result = json.loads(text)
        used = support.processor_seconds(server) - before
        result["processor_us"] = used * 1e6 / result["answers"]
        if result["refused"]:
            sys.exit(f"{result['refused']} answers were refusals")
        return result


def report(who, groups, what, connections, rounds):
    rates = [r["rate"] for r in rounds]
    line = min(rounds, key=lambda r: abs(r["rate"] - support.percentile(rates, 0.5)))
    size = line["bytes"] / line["answers"]
    print(f"{who:6} {groups:5} groups  {what:8} {connections:3} conn  "
          f"{support.percentile(rates, 0.5):9.0f}/s (min {min(rates):.0f})  "
          f"min {line['min_us'] / 1000:7.2f}  median {line['median_us'] / 1000:7.2f}  "
          f"p99 {line['p99_us'] / 1000:7.2f} ms  {line['processor_us']:6.0f} us of processor, "
          f"{size:.0f} bytes each", flush=True)


REQUESTS = {
    "by id": {"Action": "DescribeReplicationGroups", "ReplicationGroupId": "group-0000"},
    "a page": {"Action": "DescribeReplicationGroups", "MaxRecords": PAGE},
}


def measure(who, server, port, groups, meter, rounds, connection_counts):
    for what, parameters in REQUESTS.items():
        for connections in connection_counts:
            results = [meter.run(server, port, parameters, connections) for _ in range(rounds)]
            report(who, groups, what, connections, results)


class Moto:
    """moto's server with groups in it, or None from start() when it is not installed."""

    def __init__(self):
        self.port = support.free_port()

    def start(self):
        program = shutil.which("moto_server")
        if program is None or subprocess.run([program, "--help"], check=False,
                                             stdout=subprocess.DEVNULL,
                                             stderr=subprocess.DEVNULL).returncode != 0:
            return None
        process = support.Process(support.pinned(0, [program, "-H", "127.0.0.1", "-p",
                                                     str(self.port)]),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        support.wait_until(lambda: support.answers(self.port), "moto answers", 60, 0.1)
        return process


def moto_group(number):
    return {"Action": "CreateReplicationGroup", "ReplicationGroupId": f"group-{number:04}",
            "ReplicationGroupDescription": "of a bench", "AutomaticFailoverEnabled": "true",
            "NumCacheClusters": 3, "CacheNodeType": "cache.m3.medium", "Engine": "redis"}


def measure_moto(sizes, meter, rounds):
    moto = Moto()
    process = moto.start()
    if process is None:
        print("moto   is not installed (pip install 'moto[server,elasticache]'): no peer")
        return
    with process:
        client, have = support.Client(moto.port), 0
        for size in sizes:
            for number in range(have, size):
                parameters = moto_group(number)
                client.text(parameters.pop("Action"), **parameters)
            have = size
            measure("moto", process.pid, moto.port, size, meter, rounds, [CONNECTIONS])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=os.path.join(support.ROOT, "build/release-bench"))
    parser.add_argument("--groups", default="1,100,1000")
    parser.add_argument("--seconds", type=float, default=3, help="of each round")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    sizes = sorted(int(size) for size in options.groups.split(","))

    support.print_machine()
    print("# engines are mocked; the rest is the real program")
    with tempfile.TemporaryDirectory(prefix="hikae-bench-") as directory:
        meter = Meter(options.build, directory, int(options.seconds * 1000))
        program = os.path.join(options.build, "bench/bench_region")
        with support.MockedRegion(program, core=0) as region:
            client, have = support.Client(region.port), 0
            support.make_network(client)
            for size in sizes:
                seconds = grow(client, have, size)
                print(f"# {size - have} more groups were available after {seconds:.1f} s")
                have = size
                measure("hikae", region.pid, region.port, size, meter, options.rounds,
                        [1, CONNECTIONS])
        measure_moto(sizes, meter, options.rounds)


if __name__ == "__main__":
    main()
