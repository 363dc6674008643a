"""Stops a program at every line that it logs, without its knowledge.

Its stderr is a pipe that holds one line: while a line waits there to be read, whoever writes the
next one stands still. So a test that has not read on knows how far the program has come.
"""

import fcntl
import glob
import os
import select
import threading
import time

ONE_SLOT = 4096  # the smallest pipe: one page, which in packet mode holds one write


class LinePipe:
    """Passes lines on as they come, until hold(); then only those that are asked for."""

    def __init__(self, copy_to):
        self._copy = copy_to
        self._reader, self.writer = os.pipe2(os.O_DIRECT | os.O_CLOEXEC)
        fcntl.fcntl(self.writer, fcntl.F_SETPIPE_SZ, ONE_SLOT)
        self._held = threading.Event()
        self._thread = threading.Thread(target=self._pass_on, daemon=True)

    def started(self):
        """The program has its end now."""
        os.close(self.writer)
        self._thread.start()

    def hold(self):
        self._held.set()
        self._thread.join()

    def _pass_on(self):
        while not self._held.is_set():
            self.next_line(0.01)

    def next_line(self, seconds):
        """The next line; "" when there is none within that time, or none any more."""
        ready, _, _ = select.select([self._reader], [], [], seconds)
        line = os.read(self._reader, 65536) if ready else b""
        self._copy.write(line)
        self._copy.flush()
        return line.decode(errors="replace")

    def wait_until_it_stands(self, pid, seconds):
        """Until the program wants to say more than was read, or for that long."""
        deadline = time.monotonic() + seconds
        while not _waits_for_pipe(pid) and time.monotonic() < deadline:
            time.sleep(0.001)

    def close(self):
        self.hold()
        os.close(self._reader)


def _waits_for_pipe(pid):
    for path in glob.glob(f"/proc/{pid}/task/*/wchan"):
        try:
            with open(path, encoding="ascii") as file:
                if "pipe_write" in file.read():
                    return True
        except OSError:
            continue  # a thread that has ended
    return False
