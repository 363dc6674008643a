"""Asks every member of a group all the time whether it takes a write."""

import os
import threading
import time

from support.groups import members_of
from support.inline import InlineSession, RedisError, parse_info, replicas_online

from .overlap import Accepted, Overlaps

PAUSE = 0.05  # between two questions to one node
ANSWER_TIMEOUT = 0.3  # of a node that is stopped, or holds back writes
REFRESH = 0.5  # how often the members are asked for

KEY = "chaos:watch"


class _Member(threading.Thread):
    """Writes to one member, and tells which writes it took."""

    def __init__(self, name, address, port, told):
        super().__init__(daemon=True)
        self.name, self.address, self.port, self._told = name, address, port, told
        self._end = threading.Event()

    def end(self):
        self._end.set()

    def run(self):
        number = 0
        while not self._end.is_set():
            try:
                with InlineSession(self.address, self.port, ANSWER_TIMEOUT) as session:
                    while not self._end.wait(PAUSE):
                        number += 1
                        self._ask(session, number)
            except (OSError, AssertionError):
                self._end.wait(PAUSE)

    def _ask(self, session, number):
        sent = time.monotonic()
        info, wrote = session.ask_all(["info server replication",
                                     f"set {KEY} {self.name}:{number}"])
        if wrote != "OK" or isinstance(info, RedisError):
            return
        fields = parse_info(info)
        if self._is_another(fields["process_id"]):
            return
        # A new identifier of the stream comes with every promotion.
        life = f"{fields['run_id']}/{fields['master_replid']}"
        if fields["role"] != "master":
            life += f"/{number}"  # promoted in this very moment
        replicas = frozenset(replicas_online(fields))
        self._told(Accepted(self.name, life, sent, time.monotonic(), replicas))

    def _is_another(self, pid):
        """An address is given out again as soon as its node is deleted, before we know of that. A
        process that has ended since is taken for the member."""
        try:
            directory = os.readlink(f"/proc/{pid}/cwd")
        except OSError:
            return False
        return os.path.basename(os.path.dirname(directory)) != self.name


class GroupWatch(threading.Thread):
    """Two nodes of the group that take writes at the same time are a problem."""

    def __init__(self, region, group_id, problem):
        super().__init__(daemon=True)
        self.region, self.group_id, self._problem = region, group_id, problem
        self.writes = Overlaps()
        self.addresses = {}  # member: (address, port), of all that ever were
        self._watched = {}
        self._end = threading.Event()

    def end(self):
        self._end.set()
        self.join(10)
        for member in self._watched.values():
            member.end()
        for member in self._watched.values():
            member.join(10)

    def run(self):
        while not self._end.is_set():
            try:
                self.refresh()
            except Exception as error:  # noqa: BLE001 - the control plane may be away
                self.last_error = error
            self._end.wait(REFRESH)

    def refresh(self):
        endpoints = members_of(self.region.group(self.group_id))
        for name, endpoint in endpoints.items():
            if name not in self._watched:
                address = (self.region.resolve(endpoint["Address"]), endpoint["Port"])
                self.addresses[name] = address
                self._watched[name] = _Member(name, *address, self._accepted)
                self._watched[name].start()
        for name in set(self._watched) - set(endpoints):
            self._watched.pop(name).end()

    def _accepted(self, write):
        problem = self.writes.add(write)
        if problem:
            self._problem(f"two primaries in {self.group_id}: {problem}")
