"""A program with which a test talks as a user does: type a line, wait for what it shows."""

import os
import pty
import selectors
import subprocess
import time

from . import commands


class Terminal:
    """The program runs on a pseudo terminal of its own, as in a user's window."""

    def __init__(self, arguments, env=None, cwd=None):
        self._controller, terminal = pty.openpty()
        self._process = subprocess.Popen([str(a) for a in arguments], stdin=terminal,
                                         stdout=terminal, stderr=terminal, env=env, cwd=cwd,
                                         start_new_session=True)
        os.close(terminal)
        self.shown = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._controller)

    def type(self, line):
        os.write(self._controller, line.encode() + b"\n")

    def expect(self, text, timeout=commands.COMMAND_TIMEOUT / 3):
        """Waits until the text is shown after what was expected before; returns all up to it."""
        deadline = time.monotonic() + timeout
        with selectors.DefaultSelector() as selector:
            selector.register(self._controller, selectors.EVENT_READ)
            while text not in self.shown:
                left = deadline - time.monotonic()
                if left <= 0 or not selector.select(left):
                    raise AssertionError(f"{text!r} was not shown, but: {self.shown!r}")
                try:
                    data = os.read(self._controller, 65536)
                except OSError:  # the program has ended and closed its terminal
                    data = b""
                if not data:
                    raise AssertionError(f"ended before {text!r}, after: {self.shown!r}")
                self.shown += data.decode(errors="replace")
        seen, _, self.shown = self.shown.partition(text)
        return seen + text

    def wait(self, timeout=10):
        return self._process.wait(timeout)
