#!/usr/bin/env python3
"""A thousand mixed API calls a second while a hundred groups reconcile.

    bench/calls.py [--hikae build/release/hikae] [--groups 100] [--rate 1000] [--seconds 20]

Groups of two, real engines. A second client gives them another replica and takes it away again, one
after the other, so that engines start, synchronise and end all the time. The calls come at a steady
rate over eight connections: nine of ten describe, one in ten changes a description; they are signed
beforehand. Told are the time from when a call was due to its answer, and what was refused (a change
of a group that is not at rest). No peer: nothing else reconciles anything meanwhile;
bench/describe.py has moto beside plain calls.
"""

import argparse
import collections
import os
import selectors
import socket
import threading
import time

import support

CONNECTIONS = 8
NODE_TYPE = "cache.t3.micro"  # the least maxmemory there is
AVAILABLE_SECONDS = 120
GROUPS = "DescribeReplicationGroupsResult/ReplicationGroups/ReplicationGroup"


def group_name(number):
    return f"calls-{number}"


class Churn(threading.Thread):
    """Keeps the groups busy until `stop` is set."""

    def __init__(self, port, groups):
        super().__init__(daemon=True)
        self._client = support.Client(port)
        self._groups = groups
        self.stop = threading.Event()
        self.changes = 0

    def make_all(self):
        support.make_network(self._client)
        for number in range(self._groups):
            parameters = support.group_parameters(group_name(number))
            parameters.update(NumCacheClusters=2, CacheNodeType=NODE_TYPE)
            self._client.text("CreateReplicationGroup", **parameters)
        for number in range(self._groups):
            support.wait_until(lambda name=group_name(number): self._is_available(name),
                               "all groups are available", AVAILABLE_SECONDS, 0.05)

    def _is_available(self, name):
        answer = self._client.call("DescribeReplicationGroups", ReplicationGroupId=name)
        return answer.find(GROUPS + "/Status").text == "available"

    def run(self):
        number = 0
        while not self.stop.is_set():
            name = group_name(number % self._groups)
            try:
                if number // self._groups % 2:
                    self._client.text("DecreaseReplicaCount", ReplicationGroupId=name,
                                      NewReplicaCount=1, ApplyImmediately="true")
                else:
                    self._client.text("IncreaseReplicaCount", ReplicationGroupId=name,
                                      NewReplicaCount=2, ApplyImmediately="true")
                self.changes += 1
            except support.Refused:
                pass  # not at rest
            number += 1
            time.sleep(0.01)


def mixed(number, groups):
    """The parameters of the call with that number."""
    name = group_name(number % groups)
    kind = number % 10
    if kind < 5:
        return {"Action": "DescribeReplicationGroups", "ReplicationGroupId": name}
    if kind < 7:
        return {"Action": "DescribeCacheClusters", "CacheClusterId": f"{name}-001",
                "ShowCacheNodeInfo": "true"}
    if kind == 7:
        return {"Action": "DescribeEvents", "MaxRecords": 20}
    if kind == 8:
        return {"Action": "DescribeReplicationGroups", "MaxRecords": 20}
    return {"Action": "ModifyReplicationGroup", "ReplicationGroupId": name,
            "ReplicationGroupDescription": f"change {number}", "ApplyImmediately": "true"}


class Connection:
    """One call at a time."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due = None  # of the call that is under way
        self._answer = b""

    def send(self, request, due):
        self.due, self._answer = due, b""
        self.socket.sendall(request)

    def receive(self):
        """The status, once the answer is complete."""
        part = self.socket.recv(1 << 20)
        if not part:
            raise ConnectionError("the server closed the connection")
        self._answer += part
        head, end, body = self._answer.partition(b"\r\n\r\n")
        if not end:
            return None
        lines = head.lower().split(b"\r\n")
        length = next(int(line.split(b":")[1]) for line in lines
                      if line.startswith(b"content-length:"))
        return int(lines[0].split()[1]) if len(body) >= length else None


class Load:
    def __init__(self, port, requests, rate):
        self._free = [Connection(port) for _ in range(CONNECTIONS)]
        self._requests, self._rate = requests, rate
        self.latencies, self.statuses = [], collections.Counter()

    def run(self, seconds):
        selector = selectors.DefaultSelector()
        for connection in self._free:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        start, sent, total = time.perf_counter(), 0, int(seconds * self._rate)
        while len(self.latencies) < total:
            now = time.perf_counter()
            while sent < total and self._free and start + sent / self._rate <= now:
                self._free.pop().send(self._requests[sent % len(self._requests)],
                                      start + sent / self._rate)
                sent += 1
            for key, _ in selector.select(0.0005):
                status = key.data.receive()
                if status is not None:
                    self.latencies.append((time.perf_counter() - key.data.due) * 1000)
                    self.statuses[status] += 1
                    self._free.append(key.data)
        selector.close()
        return total / (time.perf_counter() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hikae", default=os.path.join(support.ROOT, "build/release/hikae"))
    parser.add_argument("--groups", type=int, default=100)
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=20)
    options = parser.parse_args()
    support.print_machine()
    with support.ServedRegion(options.hikae) as region:
        churn = Churn(region.port, options.groups)
        churn.make_all()
        requests = [support.wire_request(f"127.0.0.1:{region.port}", mixed(n, options.groups))
                    for n in range(10 * options.groups)]
        before = support.processor_seconds(region.pid)
        churn.start()
        load = Load(region.port, requests, options.rate)
        answered = load.run(options.seconds)
        churn.stop.set()
        churn.join()
        used = (support.processor_seconds(region.pid) - before) / options.seconds
    print(f"{answered:.0f} calls/s, {used * 100:.0f} % of a core; answered after "
          f"{support.figures(load.latencies)}")
    print(f"answers by status: {dict(load.statuses)}; {churn.changes} changes of replica counts "
          f"meanwhile")


if __name__ == "__main__":
    main()
