"""Two minutes of chaos, each time another two; and the checks that chaos trusts in."""

import os
import random
import unittest

from .account import Deeds, Lost, Span, judge, stream_bytes
from .conductor import Conductor
from .overlap import Accepted, Overlaps
from .plan import make_round
from .timeline import Timeline

SECONDS = 110  # and the time to end the last round
TIMELINE_LINES = 80


class Chaos(unittest.TestCase):
    longest_seconds = 420  # on a machine on which each group needs the longest time it may

    def test_two_minutes(self):
        seed = int(os.environ.get("HIKAE_CHAOS_SEED") or random.SystemRandom().randrange(1_000_000))
        timeline = Timeline()
        conductor = Conductor(seed, timeline)
        self.addCleanup(conductor.dispose)
        try:
            conductor.start()
            rounds = conductor.run(SECONDS)
            conductor.stop()
        except Exception as error:
            raise AssertionError(f"seed {seed} (tests/chaos/run.py --seed {seed})\n"
                                 f"{timeline.tail(TIMELINE_LINES)}\n{error}") from error
        self.assertGreater(rounds, 0)


class Plan(unittest.TestCase):
    def test_a_round_is_a_function_of_seed_and_number(self):
        self.assertEqual(make_round(7, 3), make_round(7, 3))
        self.assertNotEqual(make_round(7, 3), make_round(7, 4))
        self.assertNotEqual(make_round(7, 3), make_round(8, 3))

    def test_hikae_comes_back_in_the_round_in_which_it_went(self):
        for number in range(1, 300):
            actions = [step.action for step in make_round(1, number)]
            goes = [i for i, action in enumerate(actions)
                    if action in ("kill hikae", "terminate hikae")]
            comes = [i for i, action in enumerate(actions) if action == "start hikae"]
            self.assertEqual(len(goes), len(comes), actions)
            self.assertEqual(sorted(goes + comes), goes + comes, actions)


class Overlap(unittest.TestCase):
    """`a` is written to at 1-2 and 5-6, `b` between, before or behind."""

    def problem_of(self, *writes):
        overlaps = Overlaps()
        return [problem for problem in map(overlaps.add, writes) if problem]

    first = Accepted("a", "x", 1, 2)
    last = Accepted("a", "x", 5, 6)

    def test_two_at_once(self):
        inside = Accepted("b", "y", 3, 4)
        self.assertEqual(len(self.problem_of(self.first, inside, self.last)), 1)

    def test_told_late(self):
        inside = Accepted("b", "y", 3, 5)
        self.assertEqual(len(self.problem_of(self.first, self.last, inside)), 1)

    def test_one_follows_the_other(self):
        behind = Accepted("b", "y", 6, 7)
        self.assertEqual(self.problem_of(self.first, self.last, behind), [])

    def test_it_may_have_been_before_or_behind(self):
        for other in (Accepted("b", "y", 1.5, 3), Accepted("b", "y", 4, 5.5)):
            self.assertEqual(self.problem_of(self.first, other, self.last), [])

    def test_a_primary_again(self):
        inside = Accepted("b", "y", 3, 4)
        again = Accepted("a", "z", 5, 6)
        self.assertEqual(self.problem_of(self.first, inside, again), [])


class Account(unittest.TestCase):
    three = frozenset("abc")

    def complaint(self, lost, *spans, **more):
        """Of one lost write, and spans given as (hit, removed)."""
        spans = [Span(self.three, set(hit), set(removed)) for hit, removed in spans]
        explanation, complaint = judge([lost], Deeds(spans, **more))
        self.assertNotEqual(bool(explanation), bool(complaint))
        return complaint

    def test_without_a_fault_nothing_is_lost(self):
        self.assertIn("no member was hit", self.complaint(Lost(7), ("", ""), at_risk=1000))

    def test_as_many_bytes_as_were_reported(self):
        size = stream_bytes(7)
        self.assertEqual(size, len("*3\r\n$3\r\nset\r\n$3\r\nn:7\r\n$1\r\n7\r\n"))
        self.assertEqual(self.complaint(Lost(7), ("a", ""), at_risk=size), "")
        self.assertIn("reported", self.complaint(Lost(7), ("a", ""), at_risk=size - 1))
        self.assertEqual(self.complaint(Lost(7, late=True), ("a", "")), "")

    def test_a_confirmed_write_is_on_a_member_that_was_not_hit(self):
        self.assertIn("confirmed", self.complaint(Lost(7, 1), ("a", ""), at_risk=1000))
        self.assertEqual(self.complaint(Lost(7, 1), ("ab", ""), at_risk=1000), "")
        self.assertIn("confirmed", self.complaint(Lost(7, 2), ("a", "b"), at_risk=1000))

    def test_a_replica_that_followed_has_it(self):
        lost = Lost(7, holders=frozenset("b"))
        self.assertIn("followed", self.complaint(lost, ("a", ""), at_risk=1000))

    def test_it_may_have_died_before_it_sent_it(self):
        lost = Lost(7, holders=frozenset("b"), last=True, late=True)
        self.assertEqual(self.complaint(lost, ("a", "")), "")

    def test_nobody_is_left(self):
        self.assertEqual(self.complaint(Lost(7, 2), ("ab", "c")), "")

    def test_members_that_were_whole_between_two_hits(self):
        self.assertIn("confirmed", self.complaint(Lost(7, 2), ("ab", ""), ("c", "")))

    def test_the_owner_gave_it_up(self):
        self.assertEqual(self.complaint(Lost(7, 2), ("", ""), wiped="it was rebooted"), "")
        self.assertEqual(judge([], Deeds([Span(self.three)])), ("", ""))
