"""hikae is killed at every single step of a failover; the next one finishes it, exactly once.

The steps are what it logs: a line stands before or behind each thing that it does.
"""

import json
import os
import signal
import sqlite3

from integration.test_failover import FailoverTestCase, primary_of
from support.steps import LinePipe
from support.waiting import eventually

MOST_STEPS = 40
QUIET_SECONDS = 0.3  # no line for that long: it has come to rest


class EveryStep(FailoverTestCase):
    network_name = "steps"

    def setUp(self):
        super().setUp()
        self.pipe = None
        self.addCleanup(lambda: self.pipe and self.pipe.close())

    def restart(self):
        """kill -9, and a new one whose lines can be held."""
        self.region.kill()
        if self.pipe is not None:
            self.pipe.close()
        self.pipe = LinePipe(self.region._log)
        self.region.start(wait=False, stderr=self.pipe.writer)
        self.pipe.started()
        self.region.wait_ready()

    def epoch_of(self, group_id):
        uri = f"file:{os.path.join(self.region.data, 'state.db')}?mode=ro"
        with sqlite3.connect(uri, uri=True) as database:
            (body,) = database.execute("select body from resource where kind = 'replication_group' "
                                       "and id = ?", (group_id,)).fetchone()
        return json.loads(body)["node_groups"][0]["epoch"]

    def strike(self, pid, fault, step):
        """The fault, then the death of hikae after so many lines; false when there are fewer."""
        self.pipe.hold()
        os.kill(pid, fault)
        for _ in range(step):
            if not self.pipe.next_line(QUIET_SECONDS):
                return False
        self.pipe.wait_until_it_stands(self.region.server.pid, QUIET_SECONDS)
        return True

    def check_report(self, group_id, epoch, old, new):
        """By whoever ended it, with the stages that it saw."""
        def told():
            return [r for r in self.reports_of(group_id) if r["epoch"] == epoch]

        (report,) = eventually(told, "a report", 10)
        self.assertEqual((report["old_primary"], report["new_primary"]), (old, new))
        self.assertTrue(report["repaired"], report)
        self.assertGreaterEqual(report["fenced_us"], report["confirmed_us"])
        if report["taken_over"]:
            self.assertIsNone(report["committed_us"])
        else:
            self.assertLess(report["committed_us"], report["promoted_us"])

    def check_every_step(self, group_id, fault):
        group = self.make(group_id)
        self.restart()
        for step in range(MOST_STEPS):
            old = primary_of(self.region.wait_group(group_id, 3))
            self.wait_whole(group)
            self.write_safely(group, f"set step {step}")
            epoch = self.epoch_of(group_id)
            more = self.strike(self.pid_of(old), fault, step)
            self.restart()
            new = self.wait_new_primary(group, old)
            with self.subTest(step=step):
                eventually(lambda s=step: self.ask_primary(group, "get step") == str(s),
                           "the data is there", 5)
                self.wait_whole(group)
                self.assertEqual(primary_of(self.region.group(group_id)), new)
                self.assertEqual(self.epoch_of(group_id), epoch + 1)
                self.assertEqual(len(self.failovers_of(group_id)), step + 1)
                self.check_report(group_id, epoch + 1, old, new)
            if not more:
                return step
        return self.fail(f"a failover of more than {MOST_STEPS} steps")

    def test_killed(self):
        self.assertGreater(self.check_every_step("steps", signal.SIGKILL), 5)

    def test_stopped(self):
        self.assertGreater(self.check_every_step("stopped", signal.SIGSTOP), 5)
