"""What clients on several machines were promised, and whether all of it was kept: never two nodes
take writes at once, and an acknowledged write is lost only where a failover admits it."""

import bisect
import calendar
import glob
import json
import os
import re
import time
from dataclasses import dataclass, field

from .writer import READ_CHUNK

FAILOVER = re.compile("Failover from primary node (.*) to replica node (.*) completed")
LAG = 0.3  # replication on a busy machine: what was taken so long before a fault may be under way


@dataclass
class Fault:
    what: str
    machines: frozenset  # whose engines or links it touches
    begin: float
    end: float = None


@dataclass(frozen=True)
class Taken:
    """An acknowledged write."""

    host: str
    key: str
    value: str
    sent: float
    answered: float

    @property
    def size(self):
        words = ("set", self.key, self.value)
        return len("*3\r\n") + sum(len(f"${len(w)}\r\n{w}\r\n") for w in words)


@dataclass
class Failover:
    """What a report says, by our own clock."""

    at: float
    old_host: str
    planned: bool
    report: dict = field(repr=False)


def lives_of(client):
    """[[writes]] that one node took without refusing one or losing its client in between."""
    lives, life = [], []
    for sent, answered, number, text in client.answers:
        if text == "OK":
            life.append(Taken(client.host, f"{client.name}:{number}", str(number), sent, answered))
        elif life:
            lives.append(life)
            life = []
    return lives + ([life] if life else [])


def overlaps(lives):
    """Pairs (life, write of another node) where the write was taken in the midst of the life."""
    writes = sorted((w for life in lives for w in life), key=lambda w: w.sent)
    sent = [w.sent for w in writes]
    found = []
    for life in lives:
        first, last = life[0].answered, life[-1].sent
        for write in writes[bisect.bisect_left(sent, first):bisect.bisect_right(sent, last)]:
            if write.host != life[0].host and write.answered <= last:
                found.append((life, write))
                break
    return found


class Account:
    def __init__(self, wall):
        self.wall = wall  # wall clock less monotonic clock
        self.began = time.monotonic()
        self.faults = []
        self.old_events = set()  # that were there before
        self.lives = []
        self.writes = []
        self.failovers = []
        self.lost = []
        self.stale = 0
        self.hosts = {}  # member: host

    def add_clients(self, clients):
        for member, client in clients.items():
            self.hosts[member] = client.host
            self.lives += lives_of(client)
        self.writes += [write for life in self.lives for write in life]

    def add_writer(self, writer, host_at):
        self.writes += [Taken(host_at(one.node), f"n:{number}", str(number), one.at, one.at)
                        for number, one in writer.acknowledged.items()]

    def read_reports(self, servers, group):
        for server in servers:
            for path in glob.glob(os.path.join(server.data, "failovers", "*.json")):
                with open(path, encoding="utf-8") as file:
                    report = json.load(file)
                at = _instant(report["at"]) - self.wall
                if report["replication_group"] == group and at > self.began:
                    host = self.hosts.get(report["old_primary"], "")
                    self.failovers.append(Failover(at, host, report["planned"], report))
        self.failovers.sort(key=lambda failover: failover.at)

    def read_events(self, elasticache, group):
        """Failovers whose report went with the server that had it in hand."""
        told = {(f.report["old_primary"], f.report["new_primary"]) for f in self.failovers}
        for date, message in events_of(elasticache, group) - self.old_events:
            found = FAILOVER.match(message)
            at = date.timestamp() - self.wall
            if found and found.groups() not in told:
                report = {"old_primary": found[1], "new_primary": found[2], "last_heard_us": -1,
                          "reason": "(reported by an event alone)", "bytes_at_risk": -1}
                # Events are told by the second.
                self.failovers.append(Failover(at + 1, self.hosts.get(found[1], ""), False,
                                               report))

    def _missing(self, session):
        for start in range(0, len(self.writes), READ_CHUNK):
            chunk = self.writes[start:start + READ_CHUNK]
            values = session.ask_all([f"get {write.key}" for write in chunk])
            yield from (w for w, value in zip(chunk, values) if value != w.value)

    def read_back(self, session):
        """What the primary lacks."""
        with session:
            self.lost = list(self._missing(session))
        self.stale = 0

    def same_at(self, session):
        """A replica lacks the same and no more."""
        with session:
            self.stale += len(set(self._missing(session)) ^ set(self.lost))

    def _admitted(self, write):
        touching = [f.begin for f in self.faults if write.host in f.machines]
        return bool(touching) and write.answered >= min(touching) - LAG and any(
            f.old_host == write.host and not f.planned and f.at >= write.sent
            for f in self.failovers)

    def problems(self):
        """Broken promises, as texts."""
        found = [f"two primaries: {life[0].host} took writes from {life[0].answered:.3f} to "
                 f"{life[-1].sent:.3f}, {write.host} took one from {write.sent:.3f} to "
                 f"{write.answered:.3f}" for life, write in overlaps(self.lives)]
        bare = [write for write in self.lost if not self._admitted(write)]
        if bare:
            found.append(f"{len(bare)} of {len(self.writes)} acknowledged writes are lost and no "
                         f"failover admits it, like {bare[0]}")
        if self.stale:
            found.append(f"replicas differ from their primary by {self.stale} writes")
        for failover in self.failovers:
            found += self._beyond(failover)
        return found

    def _beyond(self, failover):
        """More is lost of what the old primary had told of than the report says."""
        report = failover.report
        if failover.planned or report["last_heard_us"] < 0:
            return []
        heard = failover.at - (report["fenced_us"] + report["last_heard_us"]) / 1e6
        early = sum(w.size for w in self.lost
                    if w.host == failover.old_host and w.answered < heard - 0.05)
        if early <= report["bytes_at_risk"]:
            return []
        return [f"{early} bytes lost of {failover.old_host} were known, and the report admits "
                f"{report['bytes_at_risk']}"]

    def describe(self):
        lines = [f"  {f.begin - self.began:7.3f} to "
                 f"{(f.end or time.monotonic()) - self.began:7.3f} {f.what}" for f in self.faults]
        lines += [f"  {f.at - self.began:7.3f} failover from {f.old_host}: {f.report['reason']}, "
                  f"{f.report['bytes_at_risk']} bytes at risk" for f in self.failovers]
        lines += [f"  {life[0].answered - self.began:7.3f} to {life[-1].sent - self.began:7.3f} "
                  f"{life[0].host} took writes" for life in self.lives]
        return "\n".join([*lines, f"  {len(self.writes)} writes, {len(self.lost)} lost"])


def events_of(elasticache, group):
    """{(date, message)} of the last hour."""
    pages = elasticache.get_paginator("describe_events").paginate(
        SourceType="replication-group", SourceIdentifier=group, Duration=60)
    return {(event["Date"], event["Message"]) for page in pages for event in page["Events"]}


def _instant(text):
    """Seconds since 1970 of a time such as 2026-11-26T15:41:39.123Z, or a number of those."""
    if isinstance(text, (int, float)):
        return text / 1e6 if text > 1e14 else text / 1e3 if text > 1e11 else text
    whole, _, rest = text.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float(f"0.{rest or 0}")
