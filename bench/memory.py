#!/usr/bin/env python3
"""Resident memory of hikae with a thousand groups (3,000 nodes) in the state.

    bench/memory.py [--build build/release-bench] [--groups 1000]

The engines are mocked, so what is counted is the control plane with its agents and the state in
SQLite; the mock's own tables (a few kilobytes for each node) are in the figure. Beside it, where it
is installed, moto's server with the same groups.
"""

import argparse
import os

import describe
import support


def megabytes(size):
    return f"{size / 1e6:8.1f} MB"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=os.path.join(support.ROOT, "build/release-bench"))
    parser.add_argument("--groups", type=int, default=1000)
    options = parser.parse_args()

    support.print_machine()
    print("# engines are mocked; the rest is the real program")
    program = os.path.join(options.build, "bench/bench_region")
    with support.MockedRegion(program) as region:
        client = support.Client(region.port)
        support.make_network(client)
        print(f"hikae  no groups          {megabytes(support.resident_bytes(region.pid))}")
        before = support.resident_bytes(region.pid)
        seconds = describe.grow(client, 0, options.groups)
        after = support.resident_bytes(region.pid)
        print(f"hikae  {options.groups:5} groups       {megabytes(after)}   "
              f"({(after - before) / options.groups / 1000:.1f} kB a group of 3; "
              f"available after {seconds:.1f} s)")
        database = os.path.join(region.directory, "data", "state.db")
        print(f"hikae  state.db           {megabytes(os.path.getsize(database))}")
        client.close()
    moto = describe.Moto()
    process = moto.start()
    if process is None:
        print("moto   is not installed (pip install 'moto[server,elasticache]'): no peer")
        return
    with process:
        client = support.Client(moto.port)
        print(f"moto   no groups          {megabytes(support.resident_bytes(process.pid))}")
        for number in range(options.groups):
            parameters = describe.moto_group(number)
            client.text(parameters.pop("Action"), **parameters)
        print(f"moto   {options.groups:5} groups       "
              f"{megabytes(support.resident_bytes(process.pid))}   (the peer; no nodes, no agents)")


if __name__ == "__main__":
    main()
