"""Zones as network namespaces that a test makes itself: each is a network stack of its own, joined
to the others by a bridge in the hub, where the servers are and the test itself works."""

import contextlib
import ctypes
import os
import random
import shutil
import signal
import subprocess
import threading
import time
import unittest

from .agent import Agent
from .processes import die_with_parent

CLONE_NEWNET = 0x40000000
FIRST_NODE, LAST_NODE = 50, 80
HUB = 1
HUB_NAME = "hub"
NOBODY = "02:00:00:00:de:ad"
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

    def traffic(self):
        """{interface: (bytes, packets)} that came and went since it was made."""
        with self.inside(), open("/proc/thread-self/net/dev", encoding="utf-8") as file:
            lines = file.read().splitlines()[2:]
        found = {}
        for line in lines:
            name, _, numbers = line.partition(":")
            values = [int(number) for number in numbers.split()]
            found[name.strip()] = (values[0] + values[8], values[1] + values[9])
        return found

    def kill_everything(self):
        """All processes in it at once, as when a machine loses its power. Returns their pids."""
        own = os.readlink(f"/proc/{self.holder.pid}/ns/net")
        found = []
        for entry in os.listdir("/proc"):
            with contextlib.suppress(OSError):
                if (entry.isdigit() and int(entry) != self.holder.pid
                        and os.readlink(f"/proc/{entry}/ns/net") == own):
                    found.append(int(entry))
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return found

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
    """A hub and some zones, or hosts of zones whose names begin with the zone's. Until dispose()
    the thread that made it works in the hub."""

    def __init__(self, names):
        self.network = f"10.{random.randrange(64, 128)}"
        self._before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        self.hub = Namespace()
        self.hub.ip("link", "add", "br0", "type", "bridge")
        self.hub.ip("addr", "add", f"{self.network}.0.{HUB}/16", "dev", "br0")
        self.hub.ip("link", "set", "br0", "up")
        self.numbers = {name: number for number, name in enumerate(names, 1)}
        self.zones = {name: self._add(number, name) for name, number in self.numbers.items()}
        _enter(self.hub.descriptor)

    def _add(self, number, name):
        zone = Namespace()
        self.hub.ip("link", "add", f"to-{name}", "type", "veth", "peer", "name", "eth0", "netns",
                    str(zone.holder.pid))
        self.hub.ip("link", "set", f"to-{name}", "master", "br0", "up")
        zone.ip("addr", "add", f"{self.network}.{number}.1/16", "dev", "eth0")
        zone.ip("link", "set", "eth0", "up")
        # A gateway that nobody is: what is sent there is lost without a word.
        zone.ip("neigh", "add", self.nowhere, "lladdr", NOBODY, "dev", "eth0", "nud", "permanent")
        return zone

    @property
    def nowhere(self):
        return f"{self.network}.255.254"

    def address(self, name):
        return f"{self.network}.{self.numbers[name]}.1"

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

    def _subnet(self, name):
        return f"{self.network}.{0 if name == HUB_NAME else self.numbers[name]}.0/24"

    def block(self, source, target):
        """What is sent from one to the other is lost; the way back is as it was. The source of
        what the hub sends cannot be cut; its end at the other side can."""
        self.zones[source].ip("route", "replace", self._subnet(target), "via", self.nowhere,
                              "dev", "eth0")

    def unblock(self, source, target):
        subprocess.run([*self.zones[source].prefix, "ip", "route", "del", self._subnet(target),
                        "via", self.nowhere], check=False, stderr=subprocess.DEVNULL)

    def power_off(self, name):
        """Its link is cut, and all of its processes are killed at once."""
        self.cut(name)
        return self.zones[name].kill_everything()

    def power_on(self, name):
        """Again, with the addresses alone that a machine has when it starts."""
        zone = self.zones[name]
        zone.ip("addr", "flush", "dev", "eth0")
        zone.ip("addr", "add", f"{self.address(name)}/16", "dev", "eth0")
        self.heal(name)

    def dispose(self):
        _enter(self._before)
        os.close(self._before)
        for zone in self.zones.values():
            zone.dispose()
        self.hub.dispose()


class ZoneAgent(Agent):
    """A host in a zone; it adds its nodes' addresses to the zone's own network."""

    def __init__(self, region, zones, host, ports, *arguments, servers=None):
        """Its servers are `servers`, or at those ports of the hub."""
        super().__init__(region, f"host-{host}", host[0], ports, *arguments)
        self.prefix = zones.zones[host].prefix
        ports = [ports] if isinstance(ports, int) else ports
        self.servers = servers or ",".join(f"https://{zones.hub_address}:{port}" for port in ports)
        self.pool_text = zones.pool(host)

    def command(self):
        return [*self.prefix, *super().command()]


class LocalClient(threading.Thread):
    """Writes numbered values to one address from inside a zone, and keeps what it was told.

    `answers` are (time asked, time answered, number, text), in order; the text is empty where a
    connection broke.
    """

    def __init__(self, namespace, address, port, open_session, name="local", pause=0.002):
        super().__init__(daemon=True)
        self.namespace, self.address, self.port = namespace, address, port
        self.open_session = open_session
        self.name, self.pause = name, pause
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
                            self._end.wait(self.pause)
                except OSError:
                    now = time.monotonic()
                    self.answers.append((now, now, number, ""))
                    self._end.wait(0.005)

    def _write(self, session, number):
        asked = time.monotonic()
        session.send([f"set {self.name}:{number} {number}"])
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
