#!/usr/bin/env python3
"""Milliseconds from what happens to a machine to the first write that is acknowledged elsewhere.

    bench/host_loss.py [--rounds 10] [--faults cut,power,kill,servers,idle] [--stages] [--keepers]
                                                           needs root, for network namespaces

Six hosts in three zones, two servers, three members of etcd, each a network namespace; a group of
three with default leases (1 s). A client that follows the primary's name writes all the time.

  cut      the primary's host loses its link: nothing gets in or out
  power    and all of its processes are killed in the same moment
  kill     the primary alone is killed (kill -9), its agent lives
  servers  both servers are killed at once: how many writes are refused in the next 10 s
  idle     nobody does anything: what passes a host's link in a second, with a node and without

The topology is that of the tests (tests/support/machines.py), and so is the account of what was
written; the bench fails when a promise was broken. The lease's length is what bounds the first two:
no other way of knowing that a machine takes no writes is as quick, so there is no peer.
"""

import argparse
import contextlib
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "tests"))

from support import netns  # noqa: E402 - the path comes first
from support.inline import RedisError  # noqa: E402
from support.machines import HOSTS, SERVERS, WITHOUT_MODULE, Machines  # noqa: E402
from support.waiting import eventually  # noqa: E402

CONTROL_LOSS_SECONDS = 10
IDLE_SECONDS = 20
LONGEST_SECONDS = 30
ANSWER_SECONDS = 0.1  # for an address that may be gone
PAUSE_SECONDS = 0.0005  # so that it leaves the processors to those it measures
PROBE = "set probe now"
FAULTS = ("cut", "power", "kill")


def first_elsewhere(machines, host, begin):
    """When another host first said OK to a client that asks for the name again at once."""
    endpoint = machines.writer.endpoint
    while time.monotonic() < begin + LONGEST_SECONDS:
        with contextlib.suppress(OSError, RedisError):
            with machines.open(endpoint, ANSWER_SECONDS) as session:
                if machines.host_at(session.address) != host and session.ask(PROBE) == "OK":
                    return time.monotonic()
        time.sleep(PAUSE_SECONDS)
    sys.exit("no other host takes writes")


def print_stages(machines, begin, took):
    """When things happened by the report of the failover, in milliseconds after the fault."""
    report = machines.reports()[-1]
    wall = time.time() - (time.monotonic() - begin)
    seen = (report["at"] - report["fenced_us"]) / 1000 - wall * 1000
    later = {name[:-3]: seen + time_us / 1000 for name, time_us in report.items()
             if name.endswith("_us") and time_us is not None}
    stages = ", ".join(f"{name} {at:.1f}" for name, at in {"seen": seen, **later}.items())
    print(f"# {1000 * took:.1f} ms; {stages}", flush=True)


def round_of(machines, fault, stages):
    machines.wait_whole()
    machines.wait_leader()
    beside = machines.start_clients()
    host = beside.host
    acts = {"cut": lambda: machines.cut(host), "power": lambda: machines.power_off(host),
            "kill": lambda: machines.kill_engine_at(host)}
    begin = acts[fault]()
    took = first_elsewhere(machines, host, begin) - begin
    problems = machines.settle().problems()
    if problems:
        sys.exit("\n".join(problems))
    if stages:
        print_stages(machines, begin, took)
    return 1000 * took


def refused_without_servers(machines):
    machines.wait_whole()
    beside = machines.start_clients()
    begin = time.monotonic()
    for server in SERVERS:
        machines.kill_server(server)
    eventually(lambda: beside.last_taken() > begin + CONTROL_LOSS_SECONDS or
               time.monotonic() > begin + 2 * CONTROL_LOSS_SECONDS, "time passes", 30)
    answers = [text for asked, _, _, text in list(beside.answers) if asked > begin]
    problems = machines.settle().problems()
    if problems:
        sys.exit("\n".join(problems))
    return len(answers), sum(text != "OK" for text in answers)


def print_idle(machines):
    machines.wait_whole()
    with_node = {machines.host_at(address) for address in machines.addresses().values()}
    before = machines.zones.hub.traffic()
    time.sleep(IDLE_SECONDS)
    after = machines.zones.hub.traffic()
    for what, hosts in (("with a node", with_node), ("without", set(HOSTS) - with_node)):
        each = [[(now - then) / IDLE_SECONDS / len(hosts) for now, then in
                 zip(after[f"to-{host}"], before[f"to-{host}"])] for host in hosts]
        size, packets = (sum(column) for column in zip(*each))
        print(f"idle    a host {what}: {size:.0f} bytes and {packets:.0f} packets a second")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--faults", default=",".join((*FAULTS, "servers", "idle")))
    parser.add_argument("--stages", action="store_true", help="of each failover, by its report")
    parser.add_argument("--keepers", action="store_true", help="in place of the module")
    options = parser.parse_args()
    netns.require()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors", flush=True)
    machines = Machines(agent_arguments=WITHOUT_MODULE if options.keepers else ())
    try:
        machines.start()
        chosen = options.faults.split(",")
        for fault in [one for one in FAULTS if one in chosen]:
            times = sorted(round_of(machines, fault, options.stages)
                           for _ in range(options.rounds))
            print(f"{fault:7} median {statistics.median(times):7.0f} ms, {times[0]:.0f} to "
                  f"{times[-1]:.0f} ms in {len(times)} rounds", flush=True)
        if "idle" in chosen:
            print_idle(machines)
        if "servers" in chosen:
            taken, refused = refused_without_servers(machines)
            print(f"servers {taken} writes without a server, {refused} refused")
    finally:
        machines.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main())
