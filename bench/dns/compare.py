#!/usr/bin/env python3
"""Queries a second of our DNS server and of NSD, side by side.

    bench/dns/compare.py --server build/release-bench/bench/dns/dns_bench_server

Both serve the same names on 127.0.0.1 from one core; dnsperf asks from another one. The rounds
alternate, so that whatever else the machine does hits both; the processor time a query costs is
printed too, because it stays comparable when dnsperf or another program is the limit. Needs the
Debian packages nsd and dnsperf; without nsd only our side is measured. Standard library only.
"""

import argparse
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

FIRST_ADDRESS = 0x7F400001
ANSWER_LIMIT_SECONDS = 20


def names(groups):
    for i in range(groups):
        yield f"rg{i}.abcdef.ng.0001.apne1.cache.bench"


def free_port():
    """A port that is free for UDP and TCP."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            udp.bind(("127.0.0.1", 0))
            try:
                tcp.bind(udp.getsockname())
            except OSError:
                continue
            return udp.getsockname()[1]


def pinned(core, command):
    if os.cpu_count() < 2 or shutil.which("taskset") is None:
        return command
    return ["taskset", "-c", str(core), *command]


def query_for(name):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + labels + b"\0\0\x01\0\x01"


def wait_for_answer(port):
    """Asks until the CNAME and the A record come."""
    deadline = time.monotonic() + ANSWER_LIMIT_SECONDS
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.2)
        client.connect(("127.0.0.1", port))
        while time.monotonic() < deadline:
            try:
                client.send(query_for(next(names(1))))
                reply = client.recv(2048)
            except (TimeoutError, ConnectionRefusedError):
                time.sleep(0.05)
                continue
            if reply[3] & 15 == 0 and reply[6:8] == b"\0\2":
                return
            time.sleep(0.05)
    sys.exit(f"the server at port {port} does not answer as expected")


def write_zone(path, groups):
    with open(path, "w", encoding="ascii") as zone:
        zone.write("$ORIGIN cache.bench.\n$TTL 5\n")
        zone.write("@ SOA ns hostmaster 1 60 10 600 1\n@ NS ns\nns A 127.0.0.1\n")
        for i, name in enumerate(names(groups)):
            address = FIRST_ADDRESS + i
            quad = ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0))
            node = f"rg{i}-001.abcdef.0001.apne1.cache.bench."
            zone.write(f"{node} A {quad}\n{name}. CNAME {node}\n")


def start_nsd(directory, groups, port):
    write_zone(os.path.join(directory, "zone"), groups)
    configuration = os.path.join(directory, "nsd.conf")
    with open(configuration, "w", encoding="ascii") as out:
        out.write(
            f"""server:
  ip-address: 127.0.0.1@{port}
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "{directory}"
  database: ""
  pidfile: "{directory}/nsd.pid"
  logfile: "{directory}/nsd.log"
  xfrdfile: "{directory}/xfrd.state"
  zonelistfile: "{directory}/zone.list"
  xfrdir: "{directory}"
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: cache.bench
  zonefile: zone
"""
        )
    nsd = shutil.which("nsd") or "/usr/sbin/nsd"
    return subprocess.Popen(pinned(0, [nsd, "-d", "-c", configuration]))


def start_ours(binary, groups, port):
    return subprocess.Popen(
        pinned(0, [binary, str(port), str(groups)]),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )


def measure(port, queries, seconds):
    """Queries a second, and the share of them that was lost."""
    command = ["dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", queries, "-l", str(seconds),
               "-c", "16", "-q", "512", "-T", "1"]
    text = subprocess.run(pinned(1, command), check=True, capture_output=True, text=True).stdout
    rate = re.search(r"Queries per second:\s+([\d.]+)", text)
    lost = re.search(r"Queries lost:\s+\d+ \(([\d.]+)%\)", text)
    codes = re.search(r"Response codes:\s+NOERROR \d+ \(100.00%\)", text)
    if rate is None or codes is None:
        sys.exit(f"dnsperf did not get what it asked for:\n{text}")
    return float(rate[1]), float(lost[1]) if lost else 0.0


def cpu_seconds(root):
    """Processor time of a process and all below it."""
    ticks = 0
    tree = {root}
    # Parents have lower numbers than their children until numbers wrap, which a bench survives.
    for pid in sorted(int(entry) for entry in os.listdir("/proc") if entry.isdigit()):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
                fields = stat.read().rpartition(")")[2].split()
        except FileNotFoundError:
            continue
        if pid in tree or int(fields[1]) in tree:
            tree.add(pid)
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", required=True, help="the dns_bench_server binary")
    parser.add_argument("--groups", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of each round")
    options = parser.parse_args()
    if shutil.which("dnsperf") is None:
        sys.exit("dnsperf is not installed: apt-get install dnsperf")

    with tempfile.TemporaryDirectory(prefix="hikae-bench-dns-") as directory:
        queries = os.path.join(directory, "queries")
        with open(queries, "w", encoding="ascii") as out:
            out.writelines(f"{name} A\n" for name in names(options.groups))
        ports = {"hikae": free_port()}
        processes = {"hikae": start_ours(options.server, options.groups, ports["hikae"])}
        if shutil.which("nsd") or os.path.exists("/usr/sbin/nsd"):
            ports["nsd"] = free_port()
            processes["nsd"] = start_nsd(directory, options.groups, ports["nsd"])
        try:
            for port in ports.values():
                wait_for_answer(port)
            rates = {name: [] for name in ports}
            costs = {name: [] for name in ports}
            for number in range(options.rounds):
                for name, port in ports.items():
                    before = cpu_seconds(processes[name].pid)
                    rate, lost = measure(port, queries, options.seconds)
                    used = cpu_seconds(processes[name].pid) - before
                    rates[name].append(rate)
                    costs[name].append(used * 1e6 / (rate * options.seconds))
                    print(f"round {number + 1} {name:6} {rate:10.0f} q/s, lost {lost:.2f}%, "
                          f"{costs[name][-1]:.2f} us of processor time a query")
        finally:
            for process in processes.values():
                process.terminate()
            for process in processes.values():
                process.wait()
    for name, values in rates.items():
        print(f"{name:6} min {min(values):10.0f}  median {statistics.median(values):10.0f}  "
              f"max {max(values):10.0f} q/s  "
              f"median {statistics.median(costs[name]):.2f} us of processor time a query")
    if "nsd" in rates:
        ratio = statistics.median(rates["hikae"]) / statistics.median(rates["nsd"])
        print(f"ratio of medians hikae/nsd {ratio:.2f}")


if __name__ == "__main__":
    main()
