"""Zones as network namespaces that a test makes itself: each is a network stack of its own, joined
to the others by a bridge in the hub, where the servers are and the test itself works."""

import contextlib
import ctypes
import os
import random
import shutil
import subprocess
import threading
import time
import unittest

from .agent import Agent
from .processes import die_with_parent

CLONE_NEWNET = 0x40000000
FIRST_NODE, LAST_NODE = 50, 80
HUB = 1
_libc = ctypes.CDLL(None, use_errno=True)


def require():
    """Skips the test where namespaces cannot be made."""
    if os.geteuid() != 0:
        raise unittest.SkipTest("needs root, to make network namespaces")
    for program in ("unshare", "nsenter", "ip", "sleep"):
        if shutil.which(program) is None:
            raise unittest.SkipTest(f"needs {program}, to make network namespaces")
    probe = subprocess.run(["unshare", "--net", "ip", "link", "set", "lo", "up"],
                           stderr=subprocess.PIPE, check=False, text=True)
    if probe.returncode != 0:
        raise unittest.SkipTest(f"network namespaces cannot be made here: {probe.stderr.strip()}")


def _enter(descriptor):
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Namespace:
    """One network stack, for as long as the process that holds it lives."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"],
                                       preexec_fn=die_with_parent)
        own = os.readlink("/proc/self/ns/net")
        path = f"/proc/{self.holder.pid}/ns/net"
        while os.readlink(path) == own and self.holder.poll() is None:
            pass  # until unshare has done its part
        self.descriptor = os.open(path, os.O_RDONLY)
        self.ip("link", "set", "lo", "up")

    @property
    def prefix(self):
        """In front of a command, runs it there; its pid is the command's."""
        return ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net", "--"]

    def ip(self, *arguments):
        subprocess.run([*self.prefix, "ip", *arguments], check=True)

    @contextlib.contextmanager
    def inside(self):
        """What this thread opens meanwhile is opened there."""
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            _enter(self.descriptor)
            yield self
        finally:
            _enter(before)
            os.close(before)

    def dispose(self):
        os.close(self.descriptor)
        self.holder.kill()
        self.holder.wait(10)


class Zones:
    """A hub and some zones. Until dispose() the thread that made it works in the hub."""

    def __init__(self, names):
        self.network = f"10.{random.randrange(64, 128)}"
        self._before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        self.hub = Namespace()
        self.hub.ip("link", "add", "br0", "type", "bridge")
        self.hub.ip("addr", "add", f"{self.network}.0.{HUB}/16", "dev", "br0")
        self.hub.ip("link", "set", "br0", "up")
        self.zones = {}
        for number, name in enumerate(names, 1):
            self.zones[name] = self._add(number, name)
        self.numbers = {name: number for number, name in enumerate(names, 1)}
        _enter(self.hub.descriptor)

    def _add(self, number, name):
        zone = Namespace()
        self.hub.ip("link", "add", f"to-{name}", "type", "veth", "peer", "name", "eth0", "netns",
                    str(zone.holder.pid))
        self.hub.ip("link", "set", f"to-{name}", "master", "br0", "up")
        zone.ip("addr", "add", f"{self.network}.{number}.1/16", "dev", "eth0")
        zone.ip("link", "set", "eth0", "up")
        return zone

    @property
    def hub_address(self):
        return f"{self.network}.0.{HUB}"

    def pool(self, name):
        first = f"{self.network}.{self.numbers[name]}"
        return f"{first}.{FIRST_NODE}-{first}.{LAST_NODE}@eth0"

    def cut(self, name):
        """From now on nothing gets in or out."""
        self.hub.ip("link", "set", f"to-{name}", "down")

    def heal(self, name):
        self.hub.ip("link", "set", f"to-{name}", "up")

    def dispose(self):
        _enter(self._before)
        os.close(self._before)
        for zone in self.zones.values():
            zone.dispose()
        self.hub.dispose()


class ZoneAgent(Agent):
    """A host in a zone; it adds its nodes' addresses to the zone's own network."""

    def __init__(self, region, zones, zone, ports, *arguments):
        super().__init__(region, f"host-{zone}", zone, ports, *arguments)
        self.prefix = zones.zones[zone].prefix
        ports = [ports] if isinstance(ports, int) else ports
        self.servers = ",".join(f"https://{zones.hub_address}:{port}" for port in ports)
        self.pool_text = zones.pool(zone)

    def command(self):
        return [*self.prefix, *super().command()]


class LocalClient(threading.Thread):
    """Writes numbered values to one address from inside a zone, and keeps what it was told.

    `answers` are (time asked, time answered, number, text), in order.
    """

    def __init__(self, namespace, address, port, open_session):
        super().__init__(daemon=True)
        self.namespace, self.address, self.port = namespace, address, port
        self.open_session = open_session
        self.answers = []
        self._end = threading.Event()

    def run(self):
        number = 0
        with self.namespace.inside():
            while not self._end.is_set():
                try:
                    with self.open_session(self.address, self.port) as session:
                        while not self._end.is_set():
                            number += 1
                            self._write(session, number)
                            self._end.wait(0.002)
                except OSError:
                    self._end.wait(0.005)

    def _write(self, session, number):
        asked = time.monotonic()
        session.send([f"set local:{number} {number}"])
        self.answers.append((asked, time.monotonic(), number, str(session.receive())))

    def acknowledged(self):
        return [number for _, _, number, text in self.answers if text == "OK"]

    def refused(self):
        """When the first write was refused for want of a lease; None: none was."""
        return next((answered for _, answered, _, text in self.answers if "READONLY" in text), None)

    def last_taken(self):
        """When the newest write was asked for that was taken."""
        return max((asked for asked, _, _, text in self.answers if text == "OK"), default=0.0)

    def end(self):
        self._end.set()
        self.join(30)
