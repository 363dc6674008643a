"""Two writable primaries at a time, found from what single nodes answered at certain times."""

import threading
from collections import deque
from dataclasses import dataclass

KEPT = 20_000  # writes that are remembered: minutes
DISORDER = 1.0  # seconds by which a write may be told later than one that followed it


@dataclass(frozen=True)
class Accepted:
    """A node took a write: it was sent at one time and answered at another."""

    node: str
    life: str  # the same: the process was not replaced, and did not become a primary anew between
    sent: float
    answered: float
    replicas: frozenset = frozenset()  # addresses of those that followed it then


class Overlaps:
    """A node that took a write, and a later one in the same life as a primary, was a primary all
    the time between. If another node took a write in that time, there were two. That one follows
    the other is no overlap, however quickly it goes.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._pairs = deque(maxlen=KEPT)  # (the write before in the same life or None, the write)
        self._newest = {}  # node: its newest write

    def add(self, write):
        """What is wrong, as a text; None when nothing is."""
        with self._lock:
            before = self._newest.get(write.node)
            if before is not None and before.life != write.life:
                before = None
            self._newest[write.node] = write
            self._pairs.append((before, write))
            return self._inside(before, write) or self._around(write)

    def _recent(self, since):
        for pair in reversed(self._pairs):
            if pair[1].answered < since - DISORDER:
                return
            yield pair

    def _inside(self, before, write):
        if before is None:
            return None
        for _, other in self._recent(before.answered):
            if _lies_between(before, other, write):
                return _describe(before, other, write)
        return None

    def _around(self, write):
        for before, other in self._recent(write.answered):
            if before is not None and _lies_between(before, write, other):
                return _describe(before, write, other)
        return None

    def wrote_between(self, node, start, end):
        with self._lock:
            return any(write.node == node and write.sent <= end
                       for _, write in self._recent(start) if write.answered >= start)

    def nodes_since(self, start):
        """All nodes that took a write since then."""
        with self._lock:
            return {write.node for _, write in self._recent(start) if write.answered >= start}

    def followers(self, node):
        """[(time, addresses of all that followed the node then or later in the same life)], of
        each of its writes, oldest first."""
        with self._lock:
            writes = [write for _, write in self._pairs if write.node == node]
        found, life, out = frozenset(), None, []
        for write in reversed(writes):
            found = write.replicas | (found if write.life == life else frozenset())
            life = write.life
            out.append((write.answered, found))
        return out[::-1]

    def newest(self):
        """The node that was last seen to take a write; None before the first one."""
        with self._lock:
            return self._pairs[-1][1].node if self._pairs else None


def _lies_between(first, other, last):
    return (other.node != first.node and other.sent >= first.answered
            and other.answered <= last.sent)


def _describe(first, other, last):
    return (f"{first.node} took a write at {first.answered:.4f} and, without becoming a primary "
            f"anew, at {last.sent:.4f}; {other.node} took one at {other.answered:.4f}")
