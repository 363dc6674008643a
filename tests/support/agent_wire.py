"""The agents' protocol spoken by hand: a WebSocket over TLS with an agent's own certificate."""

import base64
import json
import os
import socket
import ssl
import struct

TIMEOUT = 10


def _exactly(stream, count):
    data = b""
    while len(data) < count:
        more = stream.recv(count - len(data))
        if not more:
            raise ConnectionError("the server closed the connection")
        data += more
    return data


class AgentWire:
    """A connection that presents the certificate in `<data>/agent`."""

    def __init__(self, port, data):
        own = os.path.join(data, "agent")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False  # servers are known by the region's CA, not by a name
        context.load_verify_locations(os.path.join(own, "ca.pem"))
        context.load_cert_chain(os.path.join(own, "certificate.pem"), os.path.join(own, "key.pem"))
        plain = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self._stream = context.wrap_socket(plain)
        key = base64.b64encode(os.urandom(16)).decode()
        self._stream.sendall((f"GET /agent HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
                              "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                              f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n")
                             .encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += _exactly(self._stream, 1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise ConnectionError(head.decode(errors="replace"))

    def say(self, kind, body):
        text = json.dumps({"type": kind, "body": body}).encode()
        mask = os.urandom(4)
        size = (struct.pack("!B", 0x80 | len(text)) if len(text) < 126
                else struct.pack("!BH", 0x80 | 126, len(text)))
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(text))
        self._stream.sendall(b"\x81" + size + mask + masked)

    def hear(self):
        """The next message: (type, body)."""
        size = _exactly(self._stream, 2)[1] & 0x7f
        if size == 126:
            size = struct.unpack("!H", _exactly(self._stream, 2))[0]
        elif size == 127:
            size = struct.unpack("!Q", _exactly(self._stream, 8))[0]
        message = json.loads(_exactly(self._stream, size))
        return message["type"], message["body"]

    def close(self):
        self._stream.close()
