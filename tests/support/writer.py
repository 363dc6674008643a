"""A client that writes to a primary endpoint all the time and knows what it was promised."""

import threading
import time
from dataclasses import dataclass, replace

from .inline import RedisError

REPLICAS_MS = 500  # how long a confirmed write may wait for the replicas
READ_CHUNK = 500  # values asked for at once


@dataclass(frozen=True)
class Acknowledged:
    node: str  # the address that took the write
    at: float
    confirmed: int = 0  # how many replicas said that they have it


class Writer(threading.Thread):
    """Writes numbered values to the primary endpoint; knows which of them were acknowledged.

    It asks for the name again whenever a connection breaks or a write is refused. `batch` commands
    are in flight at a time; with `confirm` it asks after each batch for that many replicas.
    `open_session(endpoint, timeout)` is how it connects, where that is not plain; `region` is not
    asked then. `first` is the first number: a writer that comes after another says one that was not
    used.
    """

    def __init__(self, region, endpoint, batch=50, confirm=0, timeout=10.0, pause=0.0,
                 open_session=None, first=0):
        super().__init__(daemon=True)
        self.endpoint = endpoint
        self.open_session = open_session or region.session
        self.batch, self.confirm, self.timeout, self.pause = batch, confirm, timeout, pause
        self.acknowledged = {}  # number: how
        self.interruptions = []  # what made it ask for the name again
        self._next = first
        self._end = threading.Event()
        self._may_write = threading.Event()
        self._may_write.set()
        self._resting = threading.Event()

    def run(self):
        while not self._end.is_set():
            try:
                with self.open_session(self.endpoint, self.timeout) as session:
                    while not self._end.is_set():
                        self._rest_when_told()
                        self._write(session)
            except (OSError, AssertionError, RedisError) as error:
                self.interruptions.append(repr(error))
                self._rest_when_told()  # then ask for the name again, as a client does
                self._end.wait(0.001)

    def _rest_when_told(self):
        if not self._may_write.is_set():
            self._resting.set()
            self._may_write.wait()
            self._resting.clear()
        if self.pause:
            self._end.wait(self.pause)

    def _write(self, session):
        numbers = range(self._next, self._next + self.batch)
        self._next += self.batch  # never again the same, whatever becomes of it
        session.send([f"set n:{number} {number}" for number in numbers])
        taken, refusal = [], None
        for number in numbers:
            reply = session.receive()
            if reply == "OK":
                self.acknowledged[number] = Acknowledged(session.address, time.monotonic())
                taken.append(number)
            else:
                refusal = reply
        if refusal is not None:
            raise refusal
        if self.confirm:
            replicas = session.ask(f"wait {self.confirm} {REPLICAS_MS}")
            for number in taken:
                before = self.acknowledged[number]
                self.acknowledged[number] = replace(before, confirmed=replicas)

    def hold(self, timeout=30):
        """Returns when nothing is in flight; go() lets it write on."""
        self._resting.clear()
        self._may_write.clear()
        if not self._resting.wait(timeout):
            raise AssertionError("the writer does not come to rest")

    def go(self):
        self._may_write.set()

    def end(self):
        self._end.set()
        self._may_write.set()
        self.join(30)

    def missing(self, session, numbers):
        """Those numbers of which this node does not have the value."""
        numbers, lost = list(numbers), []
        for start in range(0, len(numbers), READ_CHUNK):
            chunk = numbers[start:start + READ_CHUNK]
            values = session.ask_all([f"get n:{number}" for number in chunk])
            lost += [number for number, value in zip(chunk, values) if value != str(number)]
        return lost

    def finish(self):
        """Ends; the acknowledged numbers that the primary does not have."""
        self.end()
        with self.open_session(self.endpoint, self.timeout) as session:
            return self.missing(session, self.acknowledged)
