"""DNS messages by hand: for names without starting dig, and for packets that dig would not send."""

import random
import socket
import struct

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "AAAA": 28, "TXT": 16, "ANY": 255}
NAMES = {number: name for name, number in TYPES.items()}
RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}


def encode_name(name):
    out = b""
    for label in name.rstrip(".").split("."):
        out += bytes([len(label)]) + label.encode()
    return out + b"\0"


def query(name, kind="A", identifier=None, edns=False):
    identifier = random.randrange(65536) if identifier is None else identifier
    header = struct.pack(">HHHHHH", identifier, 0x0000, 1, 0, 0, 1 if edns else 0)
    message = header + encode_name(name) + struct.pack(">HH", TYPES[kind], 1)
    if edns:
        message += b"\0" + struct.pack(">HHIH", 41, 1232, 0, 0)
    return message


def _read_name(message, at):
    labels, end, jumps = [], None, 0
    while True:
        length = message[at]
        if length & 0xC0 == 0xC0:
            end = at + 2 if end is None else end
            at = struct.unpack_from(">H", message, at)[0] & 0x3FFF
            jumps += 1
            if jumps > 64:
                raise AssertionError("compression loop")
            continue
        at += 1
        if length == 0:
            return ".".join(labels), at if end is None else end
        labels.append(message[at:at + length].decode())
        at += length


class Answer:
    """A decoded message: rcode, aa, tc, question, and records as (name, ttl, type, data)."""

    def __init__(self, message):
        self.id, flags, questions, answers, authorities, more = struct.unpack_from(">6H", message)
        self.rcode = RCODES.get(flags & 15, flags & 15)
        self.aa = bool(flags & 0x0400)
        self.tc = bool(flags & 0x0200)
        self.qr = bool(flags & 0x8000)
        at, self.questions = 12, []
        for _ in range(questions):
            name, at = _read_name(message, at)
            self.questions.append((name, struct.unpack_from(">HH", message, at)))
            at += 4
        self.answers, at = self._records(message, at, answers)
        self.authority, at = self._records(message, at, authorities)
        self.additional, at = self._records(message, at, more)

    @staticmethod
    def _records(message, at, count):
        records = []
        for _ in range(count):
            name, at = _read_name(message, at)
            kind, _, ttl, length = struct.unpack_from(">HHIH", message, at)
            at += 10
            if kind == 1:
                data = socket.inet_ntoa(message[at:at + 4])
            elif kind in (2, 5, 6):
                data = _read_name(message, at)[0]
            else:
                data = message[at:at + length]
            records.append((name, ttl, NAMES.get(kind, kind), data))
            at += length
        return records, at

    def addresses(self):
        return [data for _, _, kind, data in self.answers if kind == "A"]


def ask_udp(server, message, timeout=3.0):
    """The raw reply to one datagram, or None when nothing came in time."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.settimeout(timeout)
        channel.connect(server)
        channel.send(message)
        try:
            return channel.recv(65535)
        except (TimeoutError, socket.timeout):
            return None


def ask_tcp(server, message, timeout=3.0):
    with socket.create_connection(server, timeout=timeout) as channel:
        channel.sendall(struct.pack(">H", len(message)) + message)
        data = b""
        while len(data) < 2 or len(data) < 2 + struct.unpack(">H", data[:2])[0]:
            part = channel.recv(65535)
            if not part:
                raise ConnectionError("the server closed the connection")
            data += part
        return data[2:]


def lookup(server, name, kind="A"):
    """Asks once over UDP (three tries) and decodes."""
    for _ in range(3):
        reply = ask_udp(server, query(name, kind))
        if reply is not None:
            return Answer(reply)
    raise AssertionError(f"{server[0]}:{server[1]} did not answer for {name}")
