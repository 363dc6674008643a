"""Engines with our module, and the leases that they read, without an agent."""

import mmap
import os
import shutil
import struct
import subprocess
import tempfile
import time

from .engine_modules import module
from .inline import InlineSession, RedisError
from .processes import die_with_parent
from .region import free_port
from .waiting import eventually


class FencedEngine:
    """One engine. lease(ms) is what an agent does; without it the fence is open."""

    def __init__(self, program, *arguments, address="127.0.0.1", with_module=True):
        self.directory = tempfile.mkdtemp(prefix="hikae-fence-")
        self.address, self.port = address, free_port()
        self.socket = os.path.join(self.directory, "admin.sock")
        path = os.path.join(self.directory, "lease")
        with open(path, "wb") as file:
            file.write(bytes(16))
        self._file = open(path, "r+b")
        self._memory = mmap.mmap(self._file.fileno(), 16)
        self._command = [program, "--bind", address, "--port", str(self.port),
                         "--dir", self.directory, "--unixsocket", self.socket, "--save", "",
                         "--repl-diskless-sync-delay", "0", "--logfile", "engine.log", *arguments]
        self._fence = ["--loadmodule", module("fence"), path, address]
        self._start(with_module)

    def _start(self, with_module):
        self.process = subprocess.Popen(
            [*self._command, *(self._fence if with_module else [])],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=die_with_parent)
        eventually(self._answers, f"{self._command[0]} answers: {self.log()}", 10)

    def restart(self, with_module):
        self.process.kill()
        self.process.wait(10)
        self._start(with_module)

    def append_only(self):
        """All that is in the files of its append-only directory."""
        found = b""
        for place, _, names in os.walk(self.directory):
            for name in sorted(names):
                if "appendonly" in place + name:
                    with open(os.path.join(place, name), "rb") as file:
                        found += file.read()
        return found

    def _answers(self):
        assert self.process.poll() is None, self.log()
        try:
            with self.session() as session:
                return session.ask("ping") == "PONG"
        except (OSError, RedisError):  # it may be loading
            return False

    def log(self):
        try:
            with open(os.path.join(self.directory, "engine.log"), encoding="utf-8") as file:
                return file.read()[-2000:]
        except OSError:
            return ""

    def session(self):
        return InlineSession(self.address, self.port)

    def ask(self, *lines):
        """The answers to lines on one connection; an error is its text."""
        with self.session() as session:
            return [str(answer) for answer in session.ask_all(list(lines))]

    def agent(self, *lines):
        """The same by the unix socket, where agents come."""
        with InlineSession(self.address, self.port, unix=self.socket) as session:
            return [str(answer) for answer in session.ask_all(list(lines))]

    def lease(self, ms, epoch=1):
        until = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000 + ms * 1000
        self._memory[0:16] = struct.pack("<Qq", epoch, until)

    def no_lease_needed(self):
        self._memory[0:16] = bytes(16)

    def info(self):
        with self.session() as session:
            return session.info("hikae")

    def dispose(self):
        self.process.kill()
        self.process.wait(10)
        self._memory.close()
        self._file.close()
        shutil.rmtree(self.directory, ignore_errors=True)
