"""Waiting for a condition instead of for an amount of time."""

import time


class TimedOut(AssertionError):
    """A condition did not come true in time."""


def eventually(condition, what, timeout=20.0, interval=0.02):
    """Returns the first truthy answer of condition(); fails with `what` and the last answer.

    An AssertionError raised by the condition counts as "not yet" and is shown in the failure.
    """
    deadline = time.monotonic() + timeout
    while True:
        last = None
        try:
            last = condition()
            if last:
                return last
        except AssertionError as error:
            last = error
        if time.monotonic() > deadline:
            raise TimedOut(f"not within {timeout:.0f} s: {what} (last seen: {last!r})")
        time.sleep(interval)
