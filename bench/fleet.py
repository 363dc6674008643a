#!/usr/bin/env python3
"""Many groups on one machine: what they cost while idle, and the loss of a whole zone.

    bench/fleet.py [--hikae build/release/hikae] [--groups 300] [--idle-seconds 30]

Groups of three, real engines, one member in each of three zones. First the processor time and
memory of hikae while nothing happens; then every engine of one zone is killed in the same moment,
and a client that asks for the names again writes to each group that lost its primary until all of
them take writes. No peer: three Sentinels on this machine would watch the same engines with timers
of seconds; bench/failover.py has them beside one group.
"""

import argparse
import json
import os
import signal
import sys
import time

import first_writes
import support
from engines import PORT, Dns, dns_server

NODE_TYPE = "cache.t3.micro"  # the least maxmemory there is
AVAILABLE_SECONDS = 60
RECOVERY_SECONDS = 300
GROUPS = "DescribeReplicationGroupsResult/ReplicationGroups/ReplicationGroup"


def create(client, groups):
    for number in range(groups):
        parameters = support.group_parameters(f"fleet-{number}")
        parameters["CacheNodeType"] = NODE_TYPE
        client.text("CreateReplicationGroup", **parameters)
        if number % 10 == 9:  # a few at a time, so that starting engines do not starve each other
            wait_available(client, f"fleet-{number}")
        if number % 50 == 49:
            print(f"# {number + 1} groups", flush=True)
    for number in range(groups):
        wait_available(client, f"fleet-{number}")


def wait_available(client, group):
    support.wait_until(
        lambda: client.call("DescribeReplicationGroups", ReplicationGroupId=group)
        .find(GROUPS + "/Status").text == "available", f"{group} is available",
        AVAILABLE_SECONDS, 0.05)


def describe_all(client):
    marker, groups = None, []
    while True:
        more = {"Marker": marker} if marker else {}
        answer = client.call("DescribeReplicationGroups", MaxRecords=100, **more)
        groups += answer.findall(GROUPS)
        marker = answer.findtext("DescribeReplicationGroupsResult/Marker")
        if not marker:
            return groups


def members_in(group, zone):
    """(cluster id, role) of the members in a zone."""
    return [(member.findtext("CacheClusterId"), member.findtext("CurrentRole"))
            for member in group.iter("NodeGroupMember")
            if member.findtext("PreferredAvailabilityZone") == zone]


def engine_pids(data):
    """By cluster id: the processes that work in a node's directory."""
    pids = {}
    root = os.path.realpath(data) + os.sep
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            directory = os.readlink(f"/proc/{entry}/cwd")
        except OSError:
            continue
        if directory.startswith(root):
            pids[os.path.basename(os.path.dirname(directory))] = int(entry)
    return pids


def measure_idle(region, seconds, nodes):
    before = support.processor_seconds(region.pid)
    time.sleep(seconds)
    share = (support.processor_seconds(region.pid) - before) / seconds
    print(f"idle with {nodes} nodes: {share * 100:.1f} % of a core, "
          f"{support.resident_bytes(region.pid) / 1e6:.0f} MB resident", flush=True)


def go_before_engines():
    """900 idle engines take most of two cores: clients beside them, which have machines of their
    own elsewhere, would mostly measure how long they wait themselves. Needs root."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(10))
    except OSError as error:
        print(f"# the clients wait for a processor as long as engines do: {error}", flush=True)


def measure_zone_loss(region, client, zone):
    server, pids, clients = dns_server(region), engine_pids(region.data), []
    doomed = []
    for group in describe_all(client):
        for cluster, role in members_in(group, zone):
            doomed.append(pids[cluster])
            if role == "primary":
                endpoint = group.findtext("NodeGroups/NodeGroup/PrimaryEndpoint/Address")
                clients.append(first_writes.Client(group.findtext("ReplicationGroupId"),
                                                   Dns(server, endpoint), PORT))
    if not clients:
        sys.exit(f"no group has its primary in {zone}")
    go_before_engines()
    killed_at = time.time()
    start = time.perf_counter()
    for pid in doomed:
        os.kill(pid, signal.SIGKILL)
    first_writes.follow(clients, start, RECOVERY_SECONDS)
    moved = [one.first_write for one in clients if one.first_write is not None]
    if len(moved) < len(clients):
        sys.exit(f"{len(clients) - len(moved)} groups take no writes after {RECOVERY_SECONDS} s")
    print(f"{len(doomed)} engines of {zone} killed, {len(moved)} of them primaries; first write: "
          f"{support.figures(moved)}, the last group after {max(moved):.0f} ms", flush=True)
    return killed_at, {one.group: one.first_write for one in clients}


def print_stages(data, killed_at, written):
    """Of the failovers, by their reports: milliseconds after the engines were killed."""
    directory = os.path.join(data, "failovers")
    support.wait_until(
        lambda: os.path.isdir(directory) and len(os.listdir(directory)) >= len(written),
        "all reports", RECOVERY_SECONDS, 0.5)
    reports = []
    for entry in os.scandir(directory):
        with open(entry.path, encoding="utf-8") as file:
            reports.append(json.load(file))
    seen = {report["replication_group"]:
            (report["at"] - report["fenced_us"]) / 1000 - killed_at * 1000
            for report in reports}
    print(f"# seen           {support.figures(list(seen.values()))}", flush=True)
    for stage in ("confirmed", "fenced", "committed", "names", "promoted", "repaired"):
        values = [seen[report["replication_group"]] + report[f"{stage}_us"] / 1000
                  for report in reports]
        print(f"# {stage:14} {support.figures(values)}", flush=True)
    waited = [written[report["replication_group"]] - report["promoted_us"] / 1000
              - seen[report["replication_group"]] for report in reports]
    print(f"# first write, after the promotion {support.figures(waited)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hikae", default=os.path.join(support.ROOT, "build/release/hikae"))
    parser.add_argument("--groups", type=int, default=300)
    parser.add_argument("--idle-seconds", type=int, default=30)
    parser.add_argument("--stages", action="store_true", help="of the failovers, by their reports")
    options = parser.parse_args()

    support.print_machine()
    with support.ServedRegion(options.hikae) as region:
        client = support.Client(region.port)
        support.make_network(client)
        create(client, options.groups)
        measure_idle(region, options.idle_seconds, 3 * options.groups)
        killed_at, written = measure_zone_loss(region, client, support.REGION + "a")
        if options.stages:
            print_stages(region.data, killed_at, written)
        client.close()


if __name__ == "__main__":
    main()
