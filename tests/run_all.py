#!/usr/bin/env python3
"""Runs the whole-product tests.

  run_all.py [FILTER...]   tests whose full name contains one of the filters; all without filters
  run_all.py --list        only names them
  run_all.py --waiting only       tests of classes that say `mostly_waits`; `without`: all others

The last line is `N passed, N failed, N skipped`. The exit code is 0 when no test failed, 1 when one
did, 2 when no test was found.
"""

import argparse
import faulthandler
import os
import sys
import threading
import time
import traceback
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
# A test that hangs ends the run, with all stacks on stderr. One that takes longer by its nature
# says so: `longest_seconds`.
SECONDS_PER_TEST = 180

LOG_LINES = 25  # of the server, shown with each failure


def tests_of(suite):
    for entry in suite:
        if isinstance(entry, unittest.TestSuite):
            yield from tests_of(entry)
        else:
            yield entry


def reason_of(error):
    """The error and where in the tests it came from; the insides of libraries are left out."""
    kind, value, trace = error
    lines = [f"  {os.path.relpath(frame.filename, HERE)}:{frame.lineno} in {frame.name}: "
             f"{frame.line}"
             for frame in traceback.extract_tb(trace) if frame.filename.startswith(HERE)]
    return "\n".join([*lines, *traceback.format_exception_only(kind, value)])


class Reporter(unittest.TestResult):
    """One line for each test as it ends, the reasons of failures at the end."""

    def __init__(self):
        super().__init__()
        self.passed = 0
        self.reasons = []
        self._started = time.monotonic()
        self._outcome = "ok"

    def startTest(self, test):
        super().startTest(test)
        self._started = time.monotonic()
        self._outcome = "ok"
        limit = getattr(test, "longest_seconds", SECONDS_PER_TEST)
        faulthandler.dump_traceback_later(limit, exit=True)

    def stopTest(self, test):
        faulthandler.cancel_dump_traceback_later()
        if self._outcome == "ok":
            self.passed += 1
        self._line(test, self._outcome)
        super().stopTest(test)

    def _line(self, test, outcome):
        took = time.monotonic() - self._started
        print(f"{outcome:7} {took:7.2f} s  {test.id()}", flush=True)

    def _failed(self, test, error):
        text = reason_of(error)
        region = getattr(test, "region", None)
        if region is not None:
            text += f"--- the end of the server's log\n{region.log_tail(LOG_LINES)}"
        self.reasons.append((test.id(), text))
        self._outcome = "FAILED"
        if not hasattr(test, "_testMethodName"):  # setUpClass, tearDownClass
            self._line(test, "FAILED")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._failed(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self._failed(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._failed(test, err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._outcome = f"skipped ({reason})"
        if not hasattr(test, "_testMethodName"):
            self._line(test, self._outcome)

    def failed_names(self):
        return sorted({name for name, _ in self.reasons})


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("filters", nargs="*", metavar="FILTER")
    parser.add_argument("--list", action="store_true", help="name the tests and do nothing")
    parser.add_argument("--waiting", choices=("only", "without"))
    return parser.parse_args()


def is_chosen(test, options):
    waits = getattr(test, "mostly_waits", False)
    return ((not options.filters or any(text in test.id() for text in options.filters))
            and (not options.waiting or waits == (options.waiting == "only")))


def run(tests):
    """(passed, failed, skipped)"""
    result = Reporter()
    unittest.TestSuite(tests).run(result)
    for name, reason in result.reasons:
        print(f"\n=== {name}\n{reason.rstrip()}")
    return result.passed, len(result.failed_names()), len(result.skipped)


def main():
    options = parse()
    sys.path.insert(0, HERE)
    found = tests_of(unittest.TestLoader().discover(HERE, top_level_dir=HERE))
    chosen = [test for test in found if is_chosen(test, options)]
    if options.list:
        for test in chosen:
            print(test.id())
        return 0
    if not chosen:
        print("no test has such a name", file=sys.stderr)
        return 2

    from support.region import binary
    if not os.access(binary(), os.X_OK):
        print(f"{binary()} is missing: build it, or name another with HIKAE_BINARY",
              file=sys.stderr)
        return 2

    began = time.monotonic()
    passed, failed, skipped = run(chosen)
    print(f"\n{time.monotonic() - began:.0f} s, {threading.active_count()} thread(s) at the end")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
