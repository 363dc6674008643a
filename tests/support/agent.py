"""A host of a region for a test: its own `hikae agent`, data directory and loopback addresses."""

import glob
import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile

from . import commands, processes
from .region import STOP_TIMEOUT, binary, free_port
from .waiting import eventually

ADDRESSES = 30


def free_pool():
    """A range of loopback addresses that hardly anybody else uses."""
    return f"127.{random.randrange(190, 250)}.{random.randrange(1, 250)}.1"


def agents_arguments():
    """What `hikae serve` needs for agents: (arguments, port)."""
    port = free_port()
    return ["--agents-listen", f"127.0.0.1:{port}"], port


class Agent:
    """Starts with start(); dispose() is the safety net, as for a Region."""

    def __init__(self, region, name, zone, ports, *arguments):
        self.region = region
        self.name, self.zone = name, zone
        ports = [ports] if isinstance(ports, int) else ports
        self.servers = ",".join(f"https://127.0.0.1:{port}" for port in ports)
        self.arguments = list(arguments)
        self.program = binary()  # another while an upgrade is tested
        self.directory = tempfile.mkdtemp(prefix=f"hikae-agent-{name}-")
        self.data = os.path.join(self.directory, "data")
        self.first = free_pool()
        self.pool_text = None  # another value of --addresses than the pool
        self.process = None
        self.token_file = None
        self._log = open(os.path.join(self.directory, "agent.log"), "ab")

    @property
    def pool(self):
        start, last = self.first.rsplit(".", 1)
        return f"{self.first}-{start}.{int(last) + ADDRESSES - 1}"

    def has_address(self, address):
        return address.rsplit(".", 1)[0] == self.first.rsplit(".", 1)[0]

    def command(self):
        token = ["--token-file", self.token_file] if self.token_file else []
        return [self.program, "agent", "--data", self.data, "--name", self.name,
                "--zone", self.zone, "--join", self.servers,
                "--addresses", self.pool_text or self.pool,
                "--memory", "100GiB", *token, *self.arguments]

    def take_token(self, *arguments):
        """Has the region make a token and keeps it for the next start."""
        self.token_file = os.path.join(self.directory, "token")
        self.region.hikae("host", "token", "--data", self.region.data, "--output", self.token_file,
                          *arguments).ok()
        return self

    def token(self):
        with open(self.token_file, encoding="utf-8") as file:
            return file.read().strip()

    def start(self):
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=self._log,
                                        stderr=self._log, cwd=self.directory,
                                        env=commands.bare_environment(HOME=self.directory),
                                        start_new_session=True)
        return self

    def join(self):
        """Joins with a fresh token, and waits until the region has it."""
        return self.take_token().start().wait_connected()

    def wait_connected(self):
        def connected():
            assert self.process.poll() is None, f"hikae agent ended:\n{self.log_tail()}"
            return hosts(self.region).get(self.name, {}).get("state") == "connected"

        eventually(connected, f"host {self.name} is connected")
        return self

    def wait_end(self):
        """The exit code."""
        return self.process.wait(STOP_TIMEOUT)

    def log(self):
        with open(os.path.join(self.directory, "agent.log"), encoding="utf-8",
                  errors="replace") as file:
            return file.read()

    def log_tail(self, lines=30):
        return "\n".join(self.log().splitlines()[-lines:])

    def wait_log(self, text):
        eventually(lambda: text in self.log(), f"the agent of {self.name} says {text!r}")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(STOP_TIMEOUT)

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_TIMEOUT)

    def die(self):
        """The host dies: its agent and all of its engines at once."""
        self.kill()
        processes.kill_below(self.data)

    def down(self):
        """Ends the agent and its engines as an operator does."""
        return commands.run([binary(), "down", "--data", self.data],
                            env=commands.bare_environment(HOME=self.directory),
                            cwd=self.directory)

    def nodes(self):
        """{pid: directory} of the engines."""
        return processes.processes_below(os.path.join(self.data, "nodes"))

    def leases(self):
        """The files of the engines' leases, which are named after the agent's data directory."""
        name = hashlib.sha256(os.path.realpath(self.data).encode()).hexdigest()[:8]
        return glob.glob(f"/dev/shm/hikae-{name}-*")

    def identities(self):
        """{pid: start time} of the engines."""
        return {pid: processes.start_time(pid) for pid in self.nodes()}

    def identity_file(self, name):
        return os.path.join(self.data, "agent", name)

    def dispose(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(STOP_TIMEOUT)
        processes.kill_below(self.directory)
        for path in self.leases():  # for engines and an agent that there are no more
            os.remove(path)
        self._log.close()
        shutil.rmtree(self.directory, ignore_errors=True)


def hosts(region):
    """{host: {column: text}} as `hikae host list` prints them."""
    lines = region.hikae("host", "list", "--data", region.data).ok().out.splitlines()
    columns = [(match.group().lower(), match.start()) for match in re.finditer(r"\w+", lines[0])]
    ends = [start for _, start in columns[1:]] + [None]
    found = {}
    for line in lines[1:]:
        if not line.startswith(("waiting: ", "note: ")):
            row = {name: line[start:end].strip() for (name, start), end in zip(columns, ends)}
            found[row["host"]] = row
    return found


def waiting(region):
    """What nodes without a place would need."""
    lines = region.hikae("host", "list", "--data", region.data).ok().out.splitlines()
    return [line.removeprefix("waiting: ") for line in lines if line.startswith("waiting: ")]
