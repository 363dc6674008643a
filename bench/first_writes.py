"""Many clients in one thread: when does each group take its first write?

A thread for each client would cost a processor of its own, and the figures would be Python's.
"""

import errno
import selectors
import socket
import time

PAUSE_SECONDS = 0.1  # between two tries of one client
ANSWER_SECONDS = 1  # then a try counts as failed
WRITE = b"*3\r\n$3\r\nSET\r\n$7\r\nwritten\r\n$3\r\nnow\r\n"


class Client:
    """Asks for the name, connects, writes; again and again, until a write is acknowledged."""

    def __init__(self, group, dns, port):
        self.group = group
        self.first_write = None  # milliseconds after the start
        self.next_step = 0.0  # when it tries again, or gives a try up
        self._dns = dns
        self._port = port
        self._asking = False
        self._link = None

    def advance(self, selector, now):
        """Its pause or its patience is over."""
        if self._asking or self._link is not None:
            self._end_try(selector, now)
            return
        self._dns.ask()
        self._asking = True
        selector.register(self._dns, selectors.EVENT_READ, self)
        self.next_step = now + ANSWER_SECONDS

    def ready(self, selector, events, now):
        """True with its first write."""
        written = False
        try:
            if self._asking:
                self._connect(selector)
                return False
            if events & selectors.EVENT_WRITE:
                self._link.send(WRITE)
                selector.modify(self._link, selectors.EVENT_READ, self)
                return False
            written = self._link.recv(64) == b"+OK\r\n"
        except OSError:
            pass
        self._end_try(selector, now)
        return written

    def _connect(self, selector):
        self._stop_asking(selector)
        address = self._dns.answer()
        self._link = socket.socket()
        self._link.setblocking(False)
        selector.register(self._link, selectors.EVENT_WRITE, self)
        failed = self._link.connect_ex((address, self._port)) if address else errno.ENOENT
        if failed not in (0, errno.EINPROGRESS):
            raise OSError(failed, "connect")

    def _stop_asking(self, selector):
        selector.unregister(self._dns)
        self._asking = False

    def _end_try(self, selector, now):
        if self._asking:
            self._stop_asking(selector)
        if self._link is not None:
            selector.unregister(self._link)
            self._link.close()
            self._link = None
        self.next_step = now + PAUSE_SECONDS


def follow(clients, start, limit_seconds):
    """Until each has written once, or for so long; `start` is of time.perf_counter()."""
    waiting = set(clients)
    with selectors.DefaultSelector() as selector:
        now = time.perf_counter()
        while waiting and now - start < limit_seconds:
            pause = max(0.0, min(one.next_step for one in waiting) - now)
            for key, events in selector.select(pause):
                if key.data.ready(selector, events, now):
                    key.data.first_write = (time.perf_counter() - start) * 1000
                    waiting.discard(key.data)
            now = time.perf_counter()
            for one in waiting:
                if one.next_step <= now:
                    one.advance(selector, now)
