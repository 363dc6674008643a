"""Engines behind our front, without an agent."""

import os
import shutil
import ssl
import subprocess
import tempfile

from .engine_modules import module
from .inline import REPLY_TIMEOUT, InlineSession
from .processes import die_with_parent
from .region import free_port
from .waiting import eventually


class FrontedEngine:
    """One engine whose front listens on `port`; the engine's own ports are `plain` and `tls`."""

    def __init__(self, program, *arguments, address="127.0.0.1", descriptors=None):
        self.directory = tempfile.mkdtemp(prefix="hikae-front-")
        self.address = address
        self.port, self.plain, self.tls = free_port(), free_port(), free_port()
        self.socket = os.path.join(self.directory, "admin.sock")
        self._make_certificate()
        self._program, self._arguments, self._descriptors = program, arguments, descriptors
        self.start_again()

    def start_again(self):
        """With the ports that it has now."""
        pem, address = os.path.join(self.directory, "tls.pem"), self.address
        command = [self._program, "--bind", address, "--port", str(self.plain), "--tls-port",
                   str(self.tls), "--tls-cert-file", pem, "--tls-key-file", pem,
                   "--tls-ca-cert-file", pem, "--tls-auth-clients", "no", "--protected-mode", "no",
                   "--dir", self.directory, "--unixsocket", self.socket, "--save", "",
                   "--logfile", "engine.log", "--repl-diskless-sync-delay", "0", *self._arguments,
                   "--loadmodule", module("front"), address, str(self.port), address,
                   str(self.plain), str(self.tls)]
        if self._descriptors:
            command = ["prlimit", f"--nofile={self._descriptors}", *command]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        preexec_fn=die_with_parent)

    def started(self):
        eventually(self._answers, f"the engine answers: {self.log()}", 10)
        self.context = ssl.create_default_context(cafile=os.path.join(self.directory, "tls.pem"))
        return self

    def _make_certificate(self):
        key, certificate = (os.path.join(self.directory, name) for name in ("key", "certificate"))
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=engine",
             "-addext", f"subjectAltName=IP:{self.address}"],
            check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        with open(os.path.join(self.directory, "tls.pem"), "w", encoding="utf-8") as out:
            for path in (key, certificate):
                with open(path, encoding="utf-8") as part:
                    out.write(part.read())

    def _answers(self):
        assert self.process.poll() is None, self.log()
        try:
            with self.session() as session:
                return session.ask("ping") == "PONG"
        except OSError:
            return False

    def log(self):
        try:
            with open(os.path.join(self.directory, "engine.log"), encoding="utf-8") as file:
                return file.read()[-2000:]
        except OSError:
            return ""

    def session(self, tls=False, port=None, timeout=REPLY_TIMEOUT):
        """Through the front, unless a port is named."""
        return InlineSession(self.address, port or self.port, timeout,
                             self.context if tls else None)

    def administrator(self):
        """By the unix socket, where agents come."""
        return InlineSession(self.address, self.port, unix=self.socket)

    def info(self, section="hikaefront"):
        with self.administrator() as session:
            return session.info(section)

    def descriptors(self, pid=None):
        return len(os.listdir(f"/proc/{pid or self.process.pid}/fd"))

    def dispose(self):
        self.process.kill()
        self.process.wait(10)
        shutil.rmtree(self.directory, ignore_errors=True)
