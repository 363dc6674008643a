"""Does the steps of a plan to a region, and keeps what follows from each for the account."""

import os
import signal
import threading
import time

from botocore.exceptions import BotoCoreError, ClientError

from support import processes
from support.groups import primary_of

# Refusals that a client has to expect while members come and go.
EXPECTED_REFUSALS = {
    "CacheClusterNotFound", "InvalidCacheClusterState", "InvalidParameterValue",
    "InvalidReplicationGroupState", "ReplicationGroupNotFoundFault",
}
MOST_MEMBERS = 4


class Faults:
    """Each action is a method; its words come back as what was done, for the timeline."""

    def __init__(self, region, groups, create, problem):
        self.region, self.groups = region, groups
        self._create, self._problem = create, problem
        self._stopped = []  # timers by which stopped processes go on
        self._added = 0

    def heal(self):
        """No fault lasts: nothing is stopped, and hikae runs."""
        for timer in self._stopped:
            timer.join()
        self._stopped.clear()
        if not self.is_up():
            self.start_hikae(None)

    def _stop(self, pid, milliseconds):
        """Stops the process for so long. Whoever has its pid by then is left alone."""
        started = processes.start_time(pid)
        os.kill(pid, signal.SIGSTOP)
        timer = threading.Timer(milliseconds / 1000, self._resume, (pid, started))
        self._stopped.append(timer)
        timer.start()

    @staticmethod
    def _resume(pid, started):
        try:
            if processes.start_time(pid) == started:
                os.kill(pid, signal.SIGCONT)
        except OSError:
            pass  # it was killed meanwhile

    def do(self, step):
        """Does it; returns what that came to."""
        method = getattr(self, step.action.replace(" ", "_"))
        return method(step)

    # The control plane

    def is_up(self):
        return self.region.server is not None and self.region.server.poll() is None

    def kill_hikae(self, _):
        self.region.kill()
        return "killed"

    def terminate_hikae(self, _):
        code = self.region.terminate()
        if code != 0:
            self._problem(f"hikae ended with {code} after SIGTERM")
        return f"exit {code}"

    def start_hikae(self, _):
        if self.is_up():
            return "it runs"
        self.region.start()
        return "answers again"

    def freeze_hikae(self, step):
        if not self.is_up():
            return "it does not run"
        self._stop(self.region.server.pid, step.argument)
        return f"for {step.argument} ms"

    # Engines

    def hit_primary(self, step):
        group = self.groups[step.group]
        return self._strike(group, [group.primary()], step.argument)

    def hit_replica(self, step):
        group = self.groups[step.group]
        replicas = group.replicas()
        return self._strike(group, [replicas[step.choice % len(replicas)]], step.argument)

    def hit_everyone(self, step):
        group = self.groups[step.group]
        return self._strike(group, sorted(group.members), step.argument)

    def _strike(self, group, members, how):
        word, _, milliseconds = how.partition(" ")
        said = []
        for member, pid in [(member, self.region.pid_of(member)) for member in members]:
            group.note_hit(member, pid)
            try:
                if pid is not None and milliseconds:
                    self._stop(pid, int(milliseconds))
                elif pid is not None:
                    os.kill(pid, getattr(signal, f"SIG{word}"))
            except OSError:
                pid = None
            said.append(f"{member} ({f'pid {pid}' if pid else 'none runs'})")
        return f"{how}: {', '.join(said)}"

    # What the owner asks for

    def _call(self, function, **arguments):
        """done, unknown (hikae went away under it), away, or the code of the refusal."""
        if not self.is_up():
            return "away"
        try:
            function(**arguments)
            return "done"
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code not in EXPECTED_REFUSALS:
                self._problem(f"unexpected refusal: {error}")
            return code
        except (BotoCoreError, OSError) as error:
            if self.is_up():
                self._problem(f"a call broke while hikae ran: {error!r}")
            return "unknown"

    @property
    def _cache(self):
        return self.region.elasticache

    def switch_over(self, step):
        group = self.groups[step.group]
        replicas = group.replicas()
        target = replicas[step.choice % len(replicas)]
        outcome = self._call(self._cache.modify_replication_group, ReplicationGroupId=group.id,
                             PrimaryClusterId=target, ApplyImmediately=True)
        return f"to {target}: {outcome}"

    def test_failover(self, step):
        group = self.groups[step.group]
        before = self._described_primary(group) or group.primary()
        pids = {member: self.region.pid_of(member) for member in group.members}
        outcome = self._call(self._cache.test_failover, ReplicationGroupId=group.id,
                             NodeGroupId="0001")
        if outcome in ("done", "unknown"):
            for member in {before, group.primary()}:
                group.note_hit(member, pids.get(member))
        return f"of {before}: {outcome}"

    def _described_primary(self, group):
        described = {}
        outcome = self._call(lambda: described.update(self.region.group(group.id)))
        return primary_of(described) if outcome == "done" else None

    def reboot_primary(self, step):
        group = self.groups[step.group]
        return self._reboot(group, group.primary())

    def reboot_replica(self, step):
        group = self.groups[step.group]
        replicas = group.replicas()
        return self._reboot(group, replicas[step.choice % len(replicas)])

    def _reboot(self, group, member):
        before, pid = time.monotonic(), self.region.pid_of(member)
        outcome = self._call(self._cache.reboot_cache_cluster, CacheClusterId=member,
                             CacheNodeIdsToReboot=["0001"])
        if outcome in ("done", "unknown"):
            group.note_hit(member, pid)
            group.reboots.append((member, before, time.monotonic()))
        return f"{member}: {outcome}"

    def describe(self, step):
        group = self.groups[step.group]
        wanted = f"description {step.choice}"
        outcome = self._call(self._cache.modify_replication_group, ReplicationGroupId=group.id,
                             ReplicationGroupDescription=wanted, ApplyImmediately=True)
        _expect(outcome, group.descriptions, wanted)
        return f"{wanted!r}: {outcome}"

    def switch_failover_off(self, step):
        return self._switch_failover(self.groups[step.group], False)

    def switch_failover_on(self, step):
        return self._switch_failover(self.groups[step.group], True)

    def _switch_failover(self, group, on):
        outcome = self._call(self._cache.modify_replication_group, ReplicationGroupId=group.id,
                             AutomaticFailoverEnabled=on, ApplyImmediately=True)
        _expect(outcome, group.failover, "enabled" if on else "disabled")
        group.failover_was |= group.failover
        return outcome

    def add_replica(self, step):
        group = self.groups[step.group]
        if len(group.members | group.maybe) >= MOST_MEMBERS:
            return "it has enough members"
        self._added += 1
        name = f"{group.id}-more-{self._added}"
        outcome = self._call(self._cache.create_cache_cluster, CacheClusterId=name,
                             ReplicationGroupId=group.id)
        if outcome == "done":
            group.members.add(name)
        elif outcome == "unknown":
            group.maybe.add(name)
        return f"{name}: {outcome}"

    def delete_replica(self, step):
        group = self.groups[step.group]
        replicas = group.replicas()
        if len(replicas) < 2:
            return "it has only one"
        name = replicas[step.choice % len(replicas)]
        outcome = self._call(self._cache.delete_cache_cluster, CacheClusterId=name)
        if outcome in ("done", "unknown"):
            group.deeds.now.removed.add(name)
            group.members.discard(name)
        if outcome == "unknown":
            group.maybe.add(name)
        return f"{name}: {outcome}"

    def toggle_group(self, step):
        """Further groups come and go."""
        group = self.groups.get(step.group)
        if group is None:
            return f"create: {self._call(self._create, group_id=step.group)}"
        outcome = self._call(self._cache.delete_replication_group, ReplicationGroupId=group.id)
        if outcome in ("done", "unknown"):
            group.deleted = True if outcome == "done" else "maybe"
        return f"delete: {outcome}"


def _expect(outcome, possible, wanted):
    if outcome == "done":
        possible.clear()
    if outcome in ("done", "unknown"):
        possible.add(wanted)
