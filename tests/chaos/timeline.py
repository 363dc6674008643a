"""What happened when, in lines that a person can read."""

import time


class Timeline:
    """`show` gets each line as it comes; all are kept for the end."""

    def __init__(self, show=None):
        self._show = show
        self._start = time.monotonic()
        self.lines = []

    def say(self, text):
        line = f"{time.monotonic() - self._start:9.3f}  {text}"
        self.lines.append(line)
        if self._show:
            self._show(line)

    def tail(self, count):
        return "\n".join(self.lines[-count:])
