"""Faults of machines by chance: rounds of up to three at a time, and after each an account of all
that clients were promised. What a round does is a function of the seed and its number alone."""

import random
import signal
import time
from dataclasses import dataclass

from .machines import ETCDS, SERVERS
from .waiting import eventually

LONGEST_PAUSE = 1.5  # between the faults of a round
LONGEST_HOLD = 5.0  # and after the last one


class Broken(Exception):
    """A promise was broken."""


@dataclass(frozen=True)
class Step:
    pause: float
    act: str
    role: str = ""  # "primary", "replica", "leader", or ""
    number: int = 0


KINDS = (
    ("cut", ("primary", "replica", "leader", "etcd")),
    ("deafen", ("primary", "replica")),  # nothing gets to it
    ("mute", ("primary", "replica")),  # nothing gets away from it
    ("mute to servers", ("primary", "replica")),
    ("mute to peers", ("primary", "replica")),
    ("power off", ("primary", "replica", "leader", "etcd")),
    ("kill engine", ("primary", "replica")),
    ("kill agent", ("primary", "replica")),
    ("stop agent", ("primary", "replica")),
    ("kill server", ("leader",)),
    ("stop server", ("leader",)),
    ("kill etcd", ("one", "two")),
)


def make_round(seed, number):
    """(steps, seconds that the last fault is left alone)"""
    draw = random.Random(f"{seed}/{number}")
    steps = []
    for _ in range(draw.choice((1, 1, 2, 2, 3))):
        act, roles = draw.choice(KINDS)
        steps.append(Step(draw.uniform(0, LONGEST_PAUSE), act, draw.choice(roles),
                          draw.randrange(6)))
    return steps, draw.uniform(0.3, LONGEST_HOLD)


class Storm:
    def __init__(self, machines, seed, say=lambda line: None):
        self.m, self.seed, self.say = machines, seed, say
        self.writes = self.lost = self.failovers = 0
        self.slowest = 0.0

    def run(self, seconds, first=1, only=None):
        """Rounds until so many seconds are over; how many there were."""
        end = time.monotonic() + seconds
        number = only or first
        rounds = 0
        while time.monotonic() < end:
            self.round(number)
            rounds += 1
            number += 0 if only else 1
        return rounds

    def round(self, number):
        steps, hold = make_round(self.seed, number)
        self.say(f"round {number}")
        self.m.wait_whole()
        self.m.start_clients()
        self._touched = set()
        self._primary = self.m.host_of(self.m.primary())
        self._replicas = sorted({c.host for c in self.m.clients.values()} - {self._primary})
        leader = self.m.leader()
        self._leader = leader.machine if leader else SERVERS[0]
        for step in steps:
            _pass(step.pause)
            self.say(f"  {step.act} {step.role}")
            self._do(step)
        _pass(hold)
        healed = time.monotonic()
        account = self.m.settle()
        self.slowest = max(self.slowest, time.monotonic() - healed)
        self.say(account.describe())
        self.writes += len(account.writes)
        self.lost += len(account.lost)
        self.failovers += len(account.failovers)
        problems = account.problems()
        if problems:
            raise Broken("\n".join([f"seed {self.seed}, round {number}", *problems,
                                    account.describe(), self.m.log_tail(60)]))

    def _machine(self, step):
        if step.role == "primary":
            return self._primary
        if step.role == "replica":
            return self._replicas[step.number % len(self._replicas)]
        if step.role == "leader":
            return self._leader
        return ETCDS[2]

    def _do(self, step):
        machine = self._machine(step)
        key = "etcd" if step.act == "kill etcd" else machine
        parts = {key} | ({"etcd"} if machine in ETCDS and step.act in ("cut", "power off")
                         else set())
        if parts & self._touched:
            return  # struck already in this round
        self._touched |= parts
        m = self.m
        everybody = [other for other in m.zones.zones if other != machine]
        peers = [other for other in (self._primary, *self._replicas) if other != machine]
        acts = {
            "cut": lambda: m.cut(machine),
            "deafen": lambda: m.block(everybody, [machine]),
            "mute": lambda: m.block([machine], everybody),
            "mute to servers": lambda: m.block([machine], ETCDS),
            "mute to peers": lambda: m.block([machine], peers),
            "power off": lambda: m.power_off(machine),
            "kill engine": lambda: m.kill_engine_at(machine),
            "kill agent": lambda: m.kill_agent(machine),
            "stop agent": lambda: m.signal_agent(machine, signal.SIGSTOP, signal.SIGCONT),
            "kill server": lambda: m.kill_server(machine),
            "stop server": lambda: m.stop_server(machine),
            "kill etcd": lambda: m.kill_etcd(*range(1 if step.role == "one" else 2)),
        }
        acts[step.act]()


def _pass(seconds):
    """The one kind of test that strikes at chosen moments."""
    end = time.monotonic() + seconds
    eventually(lambda: time.monotonic() >= end, "the moment", seconds + 5, 0.005)
