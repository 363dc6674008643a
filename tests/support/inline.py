"""A Redis session typed by hand: inline commands over a TCP or TLS connection."""

import socket

REPLY_TIMEOUT = 10.0


class RedisError(Exception):
    """An error reply; str() is its text without the minus."""


class InlineSession:
    """What `telnet HOST PORT` is. say() returns raw bytes as they came, ask() the decoded reply.

    With `tls`, an ssl.SSLContext, the peer has to prove that it is `name`. With `unix` the
    connection is to the socket at that path.
    """

    def __init__(self, address, port, timeout=REPLY_TIMEOUT, tls=None, name=None, unix=None):
        self.address = address
        if unix is None:
            self._socket = socket.create_connection((address, port), timeout=timeout)
        else:
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.settimeout(timeout)
            self._socket.connect(unix)
        if tls is not None:
            self._socket = tls.wrap_socket(self._socket, server_hostname=name or address)
        self._rest = b""  # read, and from `_at` on not yet used
        self._at = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._socket.close()

    def certificate(self):
        """What the peer of a TLS connection has shown, in DER form."""
        return self._socket.getpeercert(binary_form=True)

    def _more(self):
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("the server closed the connection")
        self._rest = self._rest[self._at:] + data
        self._at = 0

    def _line(self):
        while (end := self._rest.find(b"\r\n", self._at)) < 0:
            self._more()
        line = self._rest[self._at:end]
        self._at = end + 2
        return line

    def _exactly(self, count):
        while len(self._rest) - self._at < count:
            self._more()
        data = self._rest[self._at:self._at + count]
        self._at += count
        return data

    def _read(self):
        line = self._line()
        kind, text = line[:1], line[1:].decode()
        if kind == b"+":
            return line + b"\r\n", text
        if kind == b"-":
            return line + b"\r\n", RedisError(text)
        if kind == b":":
            return line + b"\r\n", int(text)
        if kind == b"$":
            if int(text) < 0:
                return line + b"\r\n", None
            data = self._exactly(int(text) + 2)
            return line + b"\r\n" + data, data[:-2].decode(errors="replace")
        if kind == b"*":
            raw, values = line + b"\r\n", []
            for _ in range(int(text)):
                part, value = self._read()
                raw += part
                values.append(value)
            return raw, values
        raise AssertionError(f"not a reply: {line!r}")

    def say(self, line):
        """Sends one line and returns the reply's bytes, untouched."""
        self._socket.sendall(line.encode() + b"\r\n")
        return self._read()[0]

    def ask(self, line):
        """Sends one line and returns the reply's value; an error reply is raised."""
        self._socket.sendall(line.encode() + b"\r\n")
        value = self._read()[1]
        if isinstance(value, RedisError):
            raise value
        return value

    def send(self, lines):
        """Sends all lines at once; receive() has to be called for each of them."""
        self._socket.sendall(b"".join(line.encode() + b"\r\n" for line in lines))

    def receive(self):
        """The next reply's value; an error reply is returned as a RedisError."""
        return self._read()[1]

    def ask_all(self, lines):
        """Sends all lines at once; returns their values as receive() does."""
        self.send(lines)
        return [self.receive() for _ in lines]

    def info(self, section):
        """INFO's fields as a dictionary."""
        return parse_info(self.ask(f"info {section}"))


def parse_info(text):
    fields = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition(":")
            fields[name] = value
    return fields


def replicas_online(info):
    """The addresses of the replicas that a primary's INFO shows as online, sorted."""
    replicas = [dict(part.split("=", 1) for part in value.split(","))
                for name, value in info.items() if name[:5] == "slave" and name[5:].isdigit()]
    return sorted(one["ip"] for one in replicas if one["state"] == "online")
