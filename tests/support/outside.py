"""Redis and Valkey servers that are no region's: what people have before they move."""

import os
import shutil
import subprocess

from .inline import InlineSession
from .region import free_port
from .waiting import eventually

PROGRAM = "redis-server" if shutil.which("redis-server") else "valkey-server"


class Engine:
    """Works in a directory below that of a region, so that the region's end is its end too."""

    def __init__(self, directory, *arguments):
        self.port = free_port()
        self.address = "127.0.0.1"
        self.endpoint = {"Address": self.address, "Port": self.port}
        self._directory = os.path.join(directory, f"engine-{self.port}")
        os.mkdir(self._directory)
        self._command = [PROGRAM, "--port", str(self.port), "--bind", self.address, "--save", "",
                         "--protected-mode", "no", *arguments]
        self._process = None

    def start(self):
        self._process = subprocess.Popen(self._command, cwd=self._directory,
                                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                         stderr=subprocess.DEVNULL, start_new_session=True)
        eventually(self._answers, "the server answers")
        return self

    def _answers(self):
        try:
            with self.session() as session:
                session.ask_all(["ping"])  # an error is an answer, too
                return True
        except OSError:
            return False

    def session(self, timeout=10):
        return InlineSession(self.address, self.port, timeout)

    def ask(self, line):
        with self.session() as session:
            return session.ask(line)

    def stop(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None
