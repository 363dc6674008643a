"""One replication group under chaos: its load, its watch, and what is expected of it."""

import bisect
import time
from dataclasses import replace

from support.groups import shard_of
from support.inline import InlineSession
from support.writer import Writer

from .account import Deeds, Lost, Span
from .watch import GroupWatch

KEPT = 4_000  # numbers that are read again in every round
LOAD = {  # how each kind of client writes: commands in flight, replicas that have to confirm
    "single": {"batch": 1, "pause": 0.002},
    "pipelined": {"batch": 16, "pause": 0.008},
    "confirmed": {"batch": 4, "pause": 0.005, "confirm": 1},
}
TIMEOUT = 1.0
READING_AGE = 1.5  # seconds: how old hikae's last reading of an offset may be
# An engine answers its clients and writes to its replicas in one go, in any order: it can die
# between the two, and a busy machine makes that longer.
LAST_LOOP = 0.1
REST = 0.3  # seconds after a hit before which nobody has recovered


class Group:
    """`failover`, `descriptions` and `maybe` hold all that is possible: the answer to a call gets
    lost when hikae is killed under it, and then both are right."""

    def __init__(self, region, described, load, problem):
        self.region = region
        self.id = described["ReplicationGroupId"]
        self.members = set(described["MemberClusters"])
        self.maybe = set()  # members that may or may not exist
        self.failover = {described["AutomaticFailover"]}
        self.descriptions = {described["Description"]}
        self.deleted = None  # True: it has to go, "maybe": it may
        self.writer = Writer(region, shard_of(described)["PrimaryEndpoint"],
                             timeout=TIMEOUT, **LOAD[load])
        self.watch = GroupWatch(region, self.id, problem)
        self.watch.refresh()
        self.begin_round()
        self.watch.start()
        self.writer.start()

    def begin_round(self):
        self.deeds = Deeds([Span(frozenset(self.members))])
        self.reboots = []  # (member, before the call, after it)
        self.failover_was = set(self.failover)
        self.began = time.monotonic()
        self._hits = {}  # member: when it was hit last
        self._pids = {}  # member: the process that was

    def note_hit(self, member, pid):
        self.deeds.now.hit.add(member)
        self._hits[member] = time.monotonic()
        self._pids[member] = pid

    def note_recovery(self):
        """Before the next step: whether all members hold everything again. Those that were hit
        and run on in the same process may still have to die of it."""
        hit = self.deeds.now.hit
        if not hit or time.monotonic() - max(self._hits.values()) < REST:
            return
        try:
            with InlineSession(*self.watch.addresses[self.primary()], 0.2) as session:
                wait = f"wait {len(self.members) - 1} 100"
                if session.ask_all(["set chaos:span 1", wait])[1] != len(self.members) - 1:
                    return
        except OSError:
            return
        pending = {member for member in hit
                   if self.region.pid_of(member) in (None, self._pids[member])}
        self.deeds.spans.append(Span(frozenset(self.members), pending & self.members))

    def end(self):
        self.writer.end()
        self.watch.end()

    def primary(self):
        """The member that was last seen to take a write, whatever the control plane thinks."""
        return self.watch.writes.newest() or min(self.members)

    def replicas(self):
        return sorted(self.members - {self.primary()})

    def note_wipe(self):
        """Sees whether the owner gave up the data in this round."""
        writes = self.watch.writes
        for member, before, after in self.reboots:
            if writes.wrote_between(member, before - 1, after + 1):
                self.deeds.wiped = f"the owner rebooted the primary {member}"
        led = {member for member in writes.nodes_since(self.began - 1)
               if self.deeds.was_hit(member)}
        if led and "disabled" in self.failover_was | self.failover:
            self.deeds.wiped = f"{min(led)} was hit as the primary, and failover was off"

    def losses(self, numbers):
        """What the account has to know of the numbers that are not there."""
        names = {address: name for name, (address, _) in self.watch.addresses.items()}
        followers = {address: self.watch.writes.followers(name) for address, name in names.items()}
        hit = set().union(*(span.gone for span in self.deeds.spans))
        out = []
        for number in numbers:
            how = self.writer.acknowledged[number]
            seen = followers.get(how.node, [])
            # As its primary was seen to have them last before it took the write, or later.
            at = max(0, bisect.bisect_right(seen, how.at, key=lambda pair: pair[0]) - 1)
            holders = {names[address] for address in (seen[at][1] if seen else ())
                       if address in names} - hit
            died = self._hits.get(names.get(how.node), how.at)
            out.append(Lost(number, how.confirmed, frozenset(holders),
                            died - how.at < LAST_LOOP, died - how.at < READING_AGE))
        return out

    def settle_numbers(self, lost):
        """After a look at all members: what is there is everywhere, what is lost is accounted."""
        kept = {number: replace(how, confirmed=len(self.members) - 1)
                for number, how in self.writer.acknowledged.items() if number not in lost}
        self.writer.acknowledged = dict(list(kept.items())[-KEPT:])
