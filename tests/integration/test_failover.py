"""Members die, hang and change roles; clients, names, Describe calls and events agree on it."""

import os
import signal
import threading

from support import processes
from support.case import RegionTestCase
from support.groups import failovers_of, primary_of, reports_of, shard_of
from support.inline import RedisError
from support.waiting import eventually
from support.writer import Writer

TAKEOVER_SECONDS = 5  # far above what it takes, so that a loaded machine fails nothing
WHOLE_SECONDS = 20


class NameWatch(threading.Thread):
    """Looks at a group's names and status all the time; `problems` says what must never be seen."""

    def __init__(self, region, group):
        super().__init__(daemon=True)
        self.region, self.shard = region, shard_of(group)
        self.group_id = group["ReplicationGroupId"]
        self.problems = []
        self.seen = []  # (primary's target, reader's target), where the primary stayed meanwhile
        self._end = threading.Event()

    def __enter__(self):
        self.start()
        eventually(lambda: self.seen, "the names are watched", 5)
        return self

    def __exit__(self, *_):
        self._end.set()
        self.join(10)

    def _look(self, kind):
        answer = self.region.lookup(self.shard[kind]["Address"])
        if answer.rcode != "NOERROR" or not answer.addresses():
            self.problems.append(f"{kind}: {answer.rcode} {answer.answers}")
        return next((data for _, _, record, data in answer.answers if record == "CNAME"), None)

    def run(self):
        rounds = 0
        while not self._end.is_set():
            before = self._look("PrimaryEndpoint")
            reader = self._look("ReaderEndpoint")
            if self._look("PrimaryEndpoint") == before:
                self.seen.append((before, reader))
                if reader == before:
                    self.problems.append(f"the reader endpoint names the primary {before}")
            rounds += 1
            if rounds % 10 == 0:
                status = self.region.group(self.group_id)["Status"]
                if status != "available":
                    self.problems.append(f"the group is {status}")


class FailoverTestCase(RegionTestCase):
    network_name = "failover"

    def make(self, group_id, **more):
        return self.make_group(group_id, 3, EngineVersion="7.1", **more)

    def pid_of(self, cluster_id):
        return self.region.pid_of(cluster_id)

    def status_of(self, cluster_id):
        clusters = self.cache.describe_cache_clusters(CacheClusterId=cluster_id)["CacheClusters"]
        return clusters[0]["CacheClusterStatus"]

    def events_of(self, source_type, source_id):
        """The messages, oldest first."""
        events = self.cache.describe_events(SourceType=source_type, SourceIdentifier=source_id,
                                            Duration=60)["Events"]
        return [event["Message"] for event in reversed(events)]

    def failovers_of(self, group_id):
        return failovers_of(self.region, group_id)

    def reports_of(self, group_id):
        return reports_of(self.region, group_id)

    def target(self, endpoint):
        answers = self.region.lookup(endpoint["Address"]).answers
        return next(data for _, _, kind, data in answers if kind == "CNAME")

    def ask_primary(self, group, line):
        """None while nobody answers, or the one the name leads to is only being promoted."""
        try:
            with self.region.session(shard_of(group)["PrimaryEndpoint"]) as session:
                return session.ask(line)
        except OSError:
            return None
        except RedisError as error:
            self.assertIn("READONLY", str(error))
            return None

    def write_safely(self, group, line):
        """Both replicas have it. (WAIT counts for the writes of its own connection alone.)"""
        with self.region.session(shard_of(group)["PrimaryEndpoint"]) as session:
            self.assertEqual(session.ask(line), "OK")
            self.assertEqual(session.ask("wait 2 5000"), 2)

    def replicas_online(self, group):
        info = self.ask_primary(group, "info replication") or ""
        return info.count("state=online")

    def wait_whole(self, group):
        eventually(lambda: self.replicas_online(group) == 2, "both replicas follow", WHOLE_SECONDS)

    def wait_new_primary(self, group, old):
        def moved():
            now = primary_of(self.region.group(group["ReplicationGroupId"]))
            return now if now != old else None

        return eventually(moved, f"a replica of {old} leads", TAKEOVER_SECONDS, 0.002)

    def node_address(self, group, cluster_id):
        return next(member["ReadEndpoint"]["Address"]
                    for member in shard_of(group)["NodeGroupMembers"]
                    if member["CacheClusterId"] == cluster_id)

    def sync_fulls(self, group):
        """How many full synchronisations each member has served in its life."""
        counts = {}
        for member in shard_of(group)["NodeGroupMembers"]:
            with self.region.session(member["ReadEndpoint"]) as session:
                counts[member["CacheClusterId"]] = int(session.info("stats")["sync_full"])
        return counts


class PrimaryLost(FailoverTestCase):
    def check_lost(self, group_id, number):
        group = self.make(group_id)
        old = primary_of(group)
        self.write_safely(group, "set before failover")
        pid = self.pid_of(old)
        with NameWatch(self.region, group) as watch:
            os.kill(pid, number)
            new = self.wait_new_primary(group, old)
            eventually(lambda: self.ask_primary(group, "get before") == "failover",
                       "the endpoint leads to the data", TAKEOVER_SECONDS)
            eventually(lambda: self.ask_primary(group, "set after failover") == "OK",
                       "the endpoint takes writes", TAKEOVER_SECONDS)
            self.wait_whole(group)
            eventually(lambda: "Finished recovery for cache nodes 0001"
                       in self.events_of("cache-cluster", old), f"{old} is back", WHOLE_SECONDS)
        self.assertEqual(watch.problems, [])
        self.check_names(group, old, new, watch)
        self.check_described(group, old, new)
        self.check_events(group_id, old, new)
        self.check_report(group_id, old, new)
        self.assertFalse(processes.is_alive(pid))

    def check_names(self, group, old, new, watch):
        shard = shard_of(group)
        new_name = self.node_address(group, new)
        (third,) = set(group["MemberClusters"]) - {old, new}
        self.assertEqual(self.target(shard["PrimaryEndpoint"]), new_name)
        moved = [reader for primary, reader in watch.seen if primary == new_name]
        self.assertEqual(moved[0], self.node_address(group, third),
                         "the lost node leaves the reader endpoint together with its lead")
        eventually(lambda: self.target(shard["ReaderEndpoint"]) == self.node_address(group, old),
                   "the old primary serves readers", 5)

    def check_described(self, group, old, new):
        now = self.region.wait_group(group["ReplicationGroupId"], 3)
        self.assertEqual(now["MemberClusters"], group["MemberClusters"])
        members = shard_of(now)["NodeGroupMembers"]
        self.assertEqual([member["CacheClusterId"] for member in members],
                         [member["CacheClusterId"]
                          for member in shard_of(group)["NodeGroupMembers"]])
        roles = {member["CacheClusterId"]: member["CurrentRole"] for member in members}
        self.assertEqual(roles.pop(new), "primary")
        self.assertEqual(set(roles.values()), {"replica"})
        for key in ("PrimaryEndpoint", "ReaderEndpoint"):
            self.assertEqual(shard_of(now)[key], shard_of(group)[key])
        with self.region.session(next(m["ReadEndpoint"] for m in members
                                      if m["CacheClusterId"] == old)) as session:
            self.assertEqual(session.info("replication")["role"], "slave")
            self.assertEqual(session.ask("get before"), "failover")

    def check_events(self, group_id, old, new):
        text = f"Failover from primary node {old} to replica node {new} completed"
        self.assertEqual(self.failovers_of(group_id), [text])
        mine = [message for message in self.events_of("cache-cluster", old)
                if "ailover" in message or "ecover" in message]
        self.assertEqual(mine, [text, "Recovering cache nodes 0001",
                                "Finished recovery for cache nodes 0001"])

    def check_report(self, group_id, old, new):
        (report,) = eventually(lambda: self.reports_of(group_id), "a failover report", 10)
        self.assertEqual((report["old_primary"], report["new_primary"]), (old, new))
        self.assertFalse(report["planned"])
        self.assertTrue(report["repaired"], report)
        self.assertLessEqual(0, report["confirmed_us"])
        steps = ("confirmed", "fenced", "committed", "names", "promoted", "repaired")
        times = [report[f"{step}_us"] for step in steps]
        self.assertEqual(times, sorted(times), report)
        self.assertLess(0, report["promoted_us"])
        (third,) = {f"{group_id}-00{n}" for n in (1, 2, 3)} - {old, new}
        self.assertEqual({replica["cluster"]: replica["resync"] for replica in report["replicas"]},
                         {old: "full", third: "partial"}, report)
        essence = self.events_of("replication-group", group_id)[-1]
        self.assertRegex(essence, f"^Node group 0001 failed over from {old} to {new} in epoch 2: ")
        self.assertIn(f"{third} attached", essence)

    def test_killed(self):
        self.check_lost("killed", signal.SIGKILL)

    def test_stopped(self):
        self.check_lost("stopped", signal.SIGSTOP)

    def test_crashed(self):
        self.check_lost("crashed", signal.SIGSEGV)

    def test_again_and_again(self):
        group = self.make("again")
        for number in range(4):
            old = primary_of(self.region.group("again"))
            self.write_safely(group, f"set round {number}")
            os.kill(self.pid_of(old), signal.SIGKILL)
            self.wait_new_primary(group, old)
            eventually(lambda n=number: self.ask_primary(group, "get round") == str(n),
                       "the value is there", TAKEOVER_SECONDS)
            self.wait_whole(group)
        self.assertEqual(len(self.failovers_of("again")), 4)

    def test_hikae_dies_too(self):
        """Whatever step the failover had reached: it is finished, once."""
        group = self.make("both")
        done = 0
        for delay in (0, 2, 5, 10, 20, 60):
            old = primary_of(self.region.wait_group("both", 3))
            self.write_safely(group, f"set delay {delay}")
            os.kill(self.pid_of(old), signal.SIGKILL)
            threading.Event().wait(delay / 1000)  # to strike at that time is the point
            self.region.kill()
            self.region.start()
            new = self.wait_new_primary(group, old)
            done += 1
            eventually(lambda d=delay: self.ask_primary(group, "get delay") == str(d),
                       f"the data is there after {delay} ms", TAKEOVER_SECONDS)
            self.wait_whole(group)
            self.assertEqual(primary_of(self.region.group("both")), new)
            self.assertEqual(len(self.failovers_of("both")), done, f"after {delay} ms")


class NoFailover(FailoverTestCase):
    def test_replica_lost(self):
        group = self.make("replica")
        primary = primary_of(group)
        before = self.pid_of(primary)
        lost = next(name for name in group["MemberClusters"] if name != primary)
        pid = self.pid_of(lost)
        self.assertEqual(self.ask_primary(group, "set kept yes"), "OK")
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: self.pid_of(lost) not in (None, pid), f"{lost} runs again", 10)
        self.wait_whole(group)
        with self.region.session(next(m["ReadEndpoint"] for m in shard_of(group)["NodeGroupMembers"]
                                      if m["CacheClusterId"] == lost)) as session:
            eventually(lambda: session.ask("get kept") == "yes", "it has the data", 10)
        self.assertEqual(self.pid_of(primary), before)
        self.assertEqual(self.region.wait_group("replica", 3), group)
        self.assertEqual(self.failovers_of("replica"), [])

    def test_reboot(self):
        group = self.make("reboot")
        primary = primary_of(group)
        pid = self.pid_of(primary)
        self.cache.reboot_cache_cluster(CacheClusterId=primary, CacheNodeIdsToReboot=["0001"])
        eventually(lambda: self.pid_of(primary) not in (None, pid), "it was rebooted", 10)
        self.region.wait_group("reboot", 3)
        self.wait_whole(group)
        self.assertEqual(primary_of(self.region.group("reboot")), primary)
        self.assertEqual(self.failovers_of("reboot"), [])
        self.assertEqual(self.reports_of("reboot"), [])

    def test_switched_off(self):
        group = self.make("off", AutomaticFailoverEnabled=False)
        primary = primary_of(group)
        pid = self.pid_of(primary)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: self.pid_of(primary) not in (None, pid), "it is started in place", 10)
        self.wait_whole(group)
        eventually(lambda: self.ask_primary(group, "set works again") == "OK", "it serves", 10)
        self.assertEqual(primary_of(self.region.wait_group("off", 3)), primary)
        self.assertEqual(self.failovers_of("off"), [])


class Asked(FailoverTestCase):
    def test_test_failover(self):
        group = self.make("tested")
        old = primary_of(group)
        pid = self.pid_of(old)
        answer = self.cache.test_failover(ReplicationGroupId="tested", NodeGroupId="0001")
        self.assertEqual(answer["ReplicationGroup"]["ReplicationGroupId"], "tested")
        new = self.wait_new_primary(group, old)
        self.wait_whole(group)
        self.assertFalse(processes.is_alive(pid), "the primary is really killed")
        text = f"Failover from primary node {old} to replica node {new} completed"
        self.assertEqual([message for message in self.events_of("replication-group", "tested")
                          if "ailover from" in message or "Test" in message],
                         ["Test Failover API called for node group 0001", text])
        eventually(lambda: self.events_of("cache-cluster", old)[-1]
                   == "Finished recovery for cache nodes 0001", f"{old} is back", WHOLE_SECONDS)

    def test_refused(self):
        self.refused("ReplicationGroupNotFoundFault", self.cache.test_failover,
                     ReplicationGroupId="nobody", NodeGroupId="0001", status=404)
        group = self.make("refused", AutomaticFailoverEnabled=False)
        self.refused("InvalidReplicationGroupState", self.cache.test_failover,
                     ReplicationGroupId="refused", NodeGroupId="0001", status=400)
        self.cache.modify_replication_group(ReplicationGroupId="refused", ApplyImmediately=True,
                                            AutomaticFailoverEnabled=True)
        self.region.wait_group("refused", 3)
        self.refused("NodeGroupNotFoundFault", self.cache.test_failover,
                     ReplicationGroupId="refused", NodeGroupId="0002", status=404)
        self.refused("CacheClusterNotFound", self.cache.modify_replication_group, status=404,
                     ReplicationGroupId="refused", PrimaryClusterId="stranger-001",
                     ApplyImmediately=True)
        self.assertEqual(primary_of(self.region.group("refused")), primary_of(group))
        self.assertEqual(self.failovers_of("refused"), [])

    def test_the_target_dies_in_a_switchover(self):
        """Whatever step it had reached: who holds everything leads, and no empty member."""
        group = self.make_group("target", 2, EngineVersion="7.1")
        for number, delay in enumerate((0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30)):
            old = primary_of(self.region.wait_group("target", 2))
            (target,) = set(group["MemberClusters"]) - {old}
            eventually(lambda: self.replicas_online(group) == 1, f"{target} follows", WHOLE_SECONDS)
            with self.region.session(shard_of(group)["PrimaryEndpoint"]) as session:
                self.assertEqual(session.ask_all([f"set round {number}", "wait 1 5000"]), ["OK", 1])
            pid = self.pid_of(target)
            # It follows some milliseconds before that is noted.
            eventually(lambda t=target: self.is_switching_to(t), f"{target} may lead",
                       WHOLE_SECONDS)
            threading.Event().wait(delay / 1000)  # to strike at that time is the point
            os.kill(pid, signal.SIGKILL)
            eventually(lambda n=number: self.ask_primary(group, "get round") == str(n),
                       f"the data is there when {target} died after {delay} ms", TAKEOVER_SECONDS)
            eventually(lambda t=target, p=pid: self.pid_of(t) not in (None, p)
                       and self.status_of(t) == "available", f"{target} is back", WHOLE_SECONDS)

    def is_switching_to(self, target):
        try:
            self.cache.modify_replication_group(
                ReplicationGroupId="target", PrimaryClusterId=target, ApplyImmediately=True)
        except self.cache.exceptions.InvalidCacheClusterStateFault:
            return False
        return True

    def test_switchover_loses_nothing(self):
        group = self.make("planned")
        first = primary_of(group)
        fulls = self.sync_fulls(group)
        pids = set(self.region.nodes())
        writer = Writer(self.region, shard_of(group)["PrimaryEndpoint"])
        writer.start()
        try:
            for target in [name for name in group["MemberClusters"] if name != first] + [first]:
                written = len(writer.acknowledged)
                eventually(lambda w=written: len(writer.acknowledged) > w + 200, "it writes", 10)
                self.cache.modify_replication_group(
                    ReplicationGroupId="planned", PrimaryClusterId=target, ApplyImmediately=True)
                eventually(lambda t=target: primary_of(self.region.group("planned")) == t,
                           f"{target} leads", TAKEOVER_SECONDS)
                self.region.wait_group("planned", 3)
                self.wait_whole(group)
            written = len(writer.acknowledged)
            eventually(lambda: len(writer.acknowledged) > written + 200, "it writes on", 10)
        finally:
            lost = writer.finish()
        self.assertEqual(lost, [], f"of {len(writer.acknowledged)} acknowledged writes")
        self.assertEqual(self.sync_fulls(group), fulls)
        self.assertEqual(set(self.region.nodes()), pids, "no process was replaced")
        self.assertEqual(len(self.failovers_of("planned")), 3)
        reports = eventually(lambda: len(self.reports_of("planned")) == 3
                             and self.reports_of("planned"), "three reports", 10)
        self.assertEqual([(report["planned"], report["bytes_at_risk"]) for report in reports],
                         [(True, 0)] * 3)
