"""A region under chaos: round after round of faults, and after each the look at what is left."""

import threading
import time
from datetime import datetime, timezone

from support.groups import failovers_of, members_of, report_files, reports_of, shard_of
from support.network import Network
from support.region import Region
from support.waiting import TimedOut, eventually

from . import plan, settle
from .account import judge
from .faults import Faults
from .group import Group

# A node that is killed again and again is started with growing pauses, up to 12.8 s.
SETTLE_SECONDS = 60
REPORT_SECONDS = 15
LOG_LINES = 120

# Of the permanent groups: members, engine, version, and how they are written to.
SHAPES = {
    "alpha": (3, "redis", "7.1", "single"),
    "beta": (3, "valkey", "8.0", "pipelined"),
    "gamma": (3, "redis", "7.1", "confirmed"),
}
EXTRA_SHAPE = (2, "redis", "7.1", "single")


class Violation(AssertionError):
    """A promise was broken; the text says which one, the timeline how it came to that."""


class Conductor:
    def __init__(self, seed, timeline):
        self.seed, self.timeline = seed, timeline
        self.region = Region()
        self.groups = {}
        self.slowest = 0.0
        self._problems = []
        self._lock = threading.Lock()
        self._log_from = 0
        self.faults = Faults(self.region, self.groups, self._create, self._problem)

    def _problem(self, text):
        with self._lock:
            self._problems.append(text)
        self.timeline.say(f"VIOLATION {text}")

    # Life

    def start(self):
        self.timeline.say(f"seed {self.seed}")
        self.region.start()
        self.network = Network(self.region, "chaos")
        for group_id in SHAPES:
            self._create(group_id)
        for group_id in SHAPES:
            self._adopt(group_id)

    def run(self, seconds, first=1, only=None):
        """Rounds until the time is over, their number; `only` is one round to repeat instead."""
        end = time.monotonic() + seconds
        count = 0
        while time.monotonic() < end:
            number = only or first + count
            self._log_from = self.region.log_size()
            try:
                self._round(number, plan.make_round(self.seed, number))
            except Violation:
                raise
            except Exception as error:
                raise Violation(self._with_log(repr(error))) from error
            count += 1
        return count

    def stop(self):
        """As its user does: nothing is left behind, or it fails."""
        self._end_clients()
        self.region.stop()
        problems = self.region.model_check.take_problems()
        if problems:
            raise Violation("answers differ from the service model:\n" + "\n".join(problems[:12]))
        self.timeline.say("nothing is left behind")

    def dispose(self, keep_files=False):
        self._end_clients()
        self.region.dispose(keep_files)

    def _end_clients(self):
        for group in self.groups.values():
            group.end()

    # Groups

    def _create(self, group_id):
        members, engine, version, _ = SHAPES.get(group_id, EXTRA_SHAPE)
        self.region.elasticache.create_replication_group(**self.network.group_arguments(
            ReplicationGroupId=group_id, NumCacheClusters=members, Engine=engine,
            EngineVersion=version, AutomaticFailoverEnabled=True,
            CacheNodeType="cache.t3.micro"))

    def _adopt(self, group_id):
        described = self._wait(lambda: settle.available(self.region, group_id),
                               f"group {group_id} is available")
        load = SHAPES.get(group_id, EXTRA_SHAPE)[3]
        self.groups[group_id] = Group(self.region, described, load, self._problem)
        self.timeline.say(f"group {group_id} is written to: {load}, "
                          f"{', '.join(sorted(described['MemberClusters']))}")

    def _drop(self, group_id):
        self.groups.pop(group_id).end()
        self.timeline.say(f"group {group_id} is gone")

    # Rounds

    def _round(self, number, steps):
        self.timeline.say(f"round {number} ({len(steps)} steps)")
        self._wall = datetime.now(timezone.utc)
        self._old_reports = set(report_files(self.region))
        for group in self.groups.values():
            group.begin_round()
        for step in steps:
            at = time.monotonic() + step.after_ms / 1000
            if step.group in self.groups:
                self.groups[step.group].note_recovery()
            time.sleep(max(0.0, at - time.monotonic()))
            outcome = self.faults.do(step)
            self.timeline.say(f"  {step}: {outcome}")
        self.faults.heal()
        self._settle()
        self._raise_problems()

    def _settle(self):
        began = time.monotonic()
        self._settle_existence()
        described = {name: self._wait_whole(group) for name, group in self.groups.items()}
        every = [member for group in self.groups.values() for member in group.members]
        self._wait(lambda: settle.exactly(self.region, every), "exactly the members run")
        took = time.monotonic() - began
        self.slowest = max(self.slowest, took)
        for name, group in list(self.groups.items()):
            for problem in settle.expectations(group, described[name]):
                self._problem(problem)
            self._account(group, described[name])
        self.timeline.say(f"  whole again after {took:.2f} s")

    def _wait(self, condition, what):
        try:
            return eventually(condition, what, SETTLE_SECONDS, 0.1)
        except TimedOut as error:
            self._problem(str(error))
            self._raise_problems()

    def _wait_whole(self, group):
        return self._wait(lambda: settle.whole(self.region, group), f"{group.id} is whole")

    def _settle_existence(self):
        for name in list(plan.PERMANENT + plan.EXTRA):
            group = self.groups.get(name)
            if group is not None and group.deleted is not None:
                if group.deleted == "maybe" and not self._is_going(name):
                    group.deleted = None
                    continue
                self._wait(lambda n=name: settle.gone(self.region, n), f"{name} is gone")
                self._drop(name)
            elif group is None and self._exists(name):
                self._adopt(name)
                self.groups[name].deeds.spans[0].members = frozenset()

    def _exists(self, name):
        try:
            return bool(self.region.group(name))
        except self.region.elasticache.exceptions.ReplicationGroupNotFoundFault:
            return False

    def _is_going(self, name):
        return not self._exists(name) or self.region.group(name)["Status"] == "deleting"

    # The account

    def _account(self, group, described):
        group.note_wipe()
        self._account_failovers(group)
        group.writer.hold()
        try:
            missing, stale = self._wait(lambda: self._look(group, described),
                                        f"{group.id} can be read")
            lost = group.losses(missing)
            group.settle_numbers(missing)
        finally:
            group.writer.go()
        for member, numbers in stale.items():
            self._problem(f"{member} lacks {len(numbers)} writes that its primary has, "
                          f"like {numbers[0]}")
        explanation, complaint = judge(lost, group.deeds)
        text = f"{group.id}: {len(lost)} acknowledged writes are lost"
        if complaint:
            self._problem(f"{text}, {missing[0]} to {missing[-1]}: {complaint}")
        elif explanation:
            self.timeline.say(f"  {text}: {explanation}")

    def _look(self, group, described):
        """The acknowledged numbers that the primary lacks; {replica: those that it lacks alone}."""
        numbers = list(group.writer.acknowledged)
        stale = {}
        try:
            with self.region.session(shard_of(described)["PrimaryEndpoint"]) as session:
                session.ask_all(["set chaos:account 1", f"wait {len(group.members) - 1} 5000"])
                missing = group.writer.missing(session, numbers)
            for member, endpoint in members_of(described).items():
                with self.region.session(endpoint) as session:
                    lacks = set(group.writer.missing(session, numbers)) - set(missing)
                if lacks:
                    stale[member] = sorted(lacks)
        except OSError as error:
            # A member that was the primary until now may send its clients away.
            raise AssertionError(f"{group.id} cannot be read: {error!r}") from error
        return missing, stale

    def _account_failovers(self, group):
        events = failovers_of(self.region, group.id, self._wall)
        reports = self._reports_of(group, len(events))
        if len(reports) < len(events):
            self._problem(f"{group.id}: {len(events)} failovers, {len(reports)} reports")
        for report in reports:
            self.timeline.say(f"  {group.id}: {_in_words(report)}")
            if report["planned"]:
                continue
            group.deeds.at_risk += report["bytes_at_risk"]
            if not group.deeds.was_hit(report["old_primary"]):
                self._problem(f"{group.id}: failover from {report['old_primary']}, which was "
                              f"not hit: {report['reason']}")

    def _reports_of(self, group, expected):
        """The round's reports; waits for as many. That hikae was killed costs none."""
        def reports():
            return reports_of(self.region, group.id, self._old_reports)

        try:
            eventually(lambda: len(reports()) >= expected, "reports", REPORT_SECONDS)
        except TimedOut:
            pass  # told by the caller
        return reports()

    # Violations

    def _raise_problems(self):
        with self._lock:
            problems, self._problems = self._problems, []
        if problems:
            raise Violation(self._with_log("\n".join(problems)))

    def _with_log(self, text):
        return (f"{text}\n--- the server's log of this round\n"
                f"{self.region.log_tail(LOG_LINES, self._log_from)}")


def _milliseconds(report, stage):
    """A leader that came after the one that decided did not see every stage."""
    time_us = report[f"{stage}_us"]
    return "an unknown time" if time_us is None else f"{time_us / 1000:.1f} ms"


def _in_words(report):
    kind = "switchover" if report["planned"] else "failover"
    whole = f"whole after {report['repaired_us'] / 1000:.0f} ms"
    return (f"{kind} to {report['new_primary']} (epoch {report['epoch']}), committed after "
            f"{_milliseconds(report, 'committed')}, promoted after "
            f"{_milliseconds(report, 'promoted')}, "
            f"{whole if report['repaired'] else 'not whole'}, "
            f"{report['bytes_at_risk']} bytes at risk: {report['reason']}")
