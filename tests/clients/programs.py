"""The client programs: what each is started with, and what it says of its writes."""

import hashlib
import itertools
import os
import shutil
import subprocess
import sys
import threading

from support import commands
from support.region import ROOT, binary

HERE = os.path.dirname(os.path.realpath(__file__))
NPM_TIMEOUT = 150


def python_with_redis():
    """An interpreter that has redis-py: this one, or the system's with Debian's package."""
    for interpreter in (sys.executable, "/usr/bin/python3"):
        if commands.run([interpreter, "-c", "import redis"]).code == 0:
            return interpreter
    raise AssertionError("no Python has the module redis; tools/install_deps test brings it")


def path(program):
    return os.path.join(HERE, program)


def node_modules():
    """The directory with ioredis, exactly as locked; installed once for each lock."""
    with open(path("package-lock.json"), "rb") as file:
        name = hashlib.sha256(file.read()).hexdigest()[:16]
    place = os.path.join(ROOT, "build", "clients", name)
    if not os.path.isdir(place):
        unfinished = f"{place}.{os.getpid()}"
        os.makedirs(unfinished)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(path(file), unfinished)
        commands.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                     cwd=unfinished, timeout=NPM_TIMEOUT).ok()
        os.rename(unfinished, place)
    return os.path.join(place, "node_modules")


class Client:
    """A client in a `hikae shell` that writes until end(): n:1, n:2 ... each its own number."""

    def __init__(self, region, *command, **environment):
        self.acknowledged = []
        self.refused = []  # what the program said about the others
        self._process = subprocess.Popen(
            [*region.prefix, binary(), "shell", "--data", region.data, "--", *command],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            cwd=region.directory,
            env=commands.bare_environment(HOME=region.directory, **environment))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        for line in self._process.stdout:
            word, _, rest = line.strip().partition(" ")
            if word == "ok":
                self.acknowledged.append(int(rest))
            else:
                self.refused.append(line.strip())

    def end(self):
        """Ends the program as its user does, by the end of its input."""
        self._process.stdin.close()
        try:
            self._process.wait(20)
        finally:
            self._process.kill()
            self._process.wait()
            self._thread.join(10)


class RedisCli(Client):
    """redis-cli gets its commands one by one, as from somebody who types them."""

    def _run(self):
        try:
            for number in itertools.count(1):
                self._process.stdin.write(f"set n:{number} {number}\n")
                self._process.stdin.flush()
                reply = self._reply()
                if reply == "OK":
                    self.acknowledged.append(number)
                else:
                    self.refused.append(reply)
        except (OSError, ValueError, EOFError):
            return  # its input was closed, or it ended

    def _reply(self):
        """One line for each command; an error reply has an empty line behind it."""
        while True:
            line = self._process.stdout.readline()
            if not line:
                raise EOFError
            if line.strip():
                return line.strip()
