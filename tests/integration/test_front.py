"""Our front in real engines: clients with and without TLS on one port."""

import os
import random
import select
import signal
import socket
import ssl
import struct
import threading
import time
import unittest

from support.engine_modules import module, programs
from support.front import FrontedEngine
from support.waiting import eventually

CLIENTS = 400
EXCHANGE_SECONDS = 60
MOST_SENT = 300_000


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
        return [int(child) for child in file.read().split()]


def sockets_of(pid):
    """How many sockets the process holds."""
    links = []
    for entry in os.listdir(f"/proc/{pid}/fd"):
        try:
            links.append(os.readlink(f"/proc/{pid}/fd/{entry}"))
        except FileNotFoundError:
            pass
    return sum(link.startswith("socket:") for link in links)


def exchange(peer, data, size):
    """Sends `data` while it reads until it has got `size` bytes, or nothing more comes. In one
    thread: a TLS connection of Python before 3.13 bears no two."""
    peer.setblocking(False)
    waits = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
    left, got = memoryview(data), bytearray()
    deadline = time.monotonic() + EXCHANGE_SECONDS
    while len(got) < size and time.monotonic() < deadline:
        moved = False
        try:
            part = peer.recv(random.randrange(1, 300_000))
            if not part:
                break
            got += part
            moved = True
        except waits:
            pass
        try:
            sent = peer.send(left[:MOST_SENT]) if left else 0
            left, moved = left[sent:], moved or sent > 0
        except waits:
            pass
        if not moved:
            select.select([peer], [peer] if left else [], [], 1)
    return got


class Front(unittest.TestCase):
    """Every test runs with every engine that is installed."""

    @classmethod
    def setUpClass(cls):
        if not programs():
            raise unittest.SkipTest("no engine is installed")
        assert os.path.exists(module("front")), f"{module('front')} is built with hikae"

    def engines(self, *arguments, **more):
        for program in programs():
            engine = FrontedEngine(program, *arguments, **more)
            self.addCleanup(engine.dispose)
            yield engine.started()

    def connect(self, engine):
        peer = socket.create_connection((engine.address, engine.port), timeout=10)
        self.addCleanup(peer.close)
        return peer

    def wait_clients(self, engine, count):
        eventually(lambda: int(engine.info()["hikaefront_clients"]) == count,
                   f"{count} clients are counted", 10)

    def test_both_kinds_on_one_port(self):
        for engine in self.engines():
            with engine.session() as plain, engine.session(tls=True) as tls:
                self.assertEqual(plain.ask("set k plain"), "OK")
                self.assertEqual(tls.ask("get k"), "plain")
                self.assertEqual(tls.ask("set k tls"), "OK")
                self.assertEqual(plain.ask("get k"), "tls")
                laddr = f"laddr={engine.address}:"
                self.assertIn(laddr + str(engine.tls), tls.ask("client info"))
                self.assertIn(laddr + str(engine.plain), plain.ask("client info"))
                self.wait_clients(engine, 2)
            self.wait_clients(engine, 0)

    def test_who_comes_by_the_front_is_no_agent(self):
        """The fence believes the unix socket; nobody gets there through the front."""
        for engine in self.engines():
            with engine.session() as client, engine.administrator() as agent:
                self.assertNotIn("flags=U", client.ask("client info"))
                self.assertIn("flags=U", agent.ask("client info"))

    def test_a_silent_client_costs_the_engine_nothing(self):
        for engine in self.engines():
            peers = [self.connect(engine) for _ in range(50)]
            self.wait_clients(engine, 50)
            with engine.administrator() as agent:
                self.assertEqual(agent.info("clients")["connected_clients"], "1")
                peers[7].sendall(b"PING\r\n")
                self.assertEqual(peers[7].recv(100), b"+PONG\r\n")
                self.assertEqual(agent.info("clients")["connected_clients"], "2")
            for peer in peers:
                peer.close()
            self.wait_clients(engine, 0)

    def test_the_first_bytes_may_come_one_by_one(self):
        for engine in self.engines():
            peer = self.connect(engine)
            for byte in b"PING\r\n":
                peer.sendall(bytes([byte]))
            self.assertEqual(peer.recv(100), b"+PONG\r\n")

    def test_a_client_that_ends_its_half_gets_its_answers(self):
        for engine in self.engines():
            with engine.session() as session:
                session.ask(f"set big {'x' * 3000}")
            peer = self.connect(engine)
            peer.sendall(b"GET big\r\n" * 10)
            peer.shutdown(socket.SHUT_WR)
            got = b""
            while part := peer.recv(65536):
                got += part
            self.assertEqual(got.count(b"x"), 30_000)

    def test_much_at_once_in_both_directions(self):
        """Bytes arrive whole and in order when neither side reads as fast as the other writes."""
        for engine in self.engines():
            for tls in (False, True):
                value = random.Random(7).randbytes(8 * 1024 * 1024)
                peer = self.connect(engine)
                if tls:
                    peer = engine.context.wrap_socket(peer, server_hostname=engine.address)
                request = b"*2\r\n$4\r\nECHO\r\n$%d\r\n%s\r\n" % (len(value), value)
                wanted = (b"$%d\r\n%s\r\n" % (len(value), value)) * 3
                got = exchange(peer, request * 3, len(wanted))
                self.assertEqual(bytes(got), wanted)
                peer.close()

    def test_a_client_that_does_not_read_keeps_nobody_waiting(self):
        for engine in self.engines("--client-output-buffer-limit", "normal 33554432 0 0"):
            with engine.session() as session:
                session.ask(f"setrange big {4 * 1024 * 1024} x")
            slow = self.connect(engine)
            slow.sendall(b"GET big\r\n" * 4)
            before = self.resident(engine)
            for tls in (False, True):
                with engine.session(tls=tls) as session:
                    for number in range(200):
                        self.assertEqual(session.ask(f"set k {number}"), "OK")
            # What it does not read is kept where it would be kept without a front.
            self.assertLess(self.resident(engine) - before, 40 * 1024 * 1024)
            # Past the engine's own limit the engine gives it up, and so do we when it reads on.
            slow.sendall(b"GET big\r\n" * 20)
            eventually(lambda engine=engine: engine.info("clients")["connected_clients"] == "1",
                       "the engine gives it up", 10)
            while self.is_open(slow):
                pass
            self.wait_clients(engine, 0)

    @staticmethod
    def resident(engine):
        with open(f"/proc/{engine.process.pid}/statm", encoding="utf-8") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def test_many_clients_of_both_kinds_come_and_go(self):
        for engine in self.engines():
            problems = []

            def come_and_go(tls, number, engine=engine, problems=problems):
                try:
                    for turn in range(10):
                        with engine.session(tls=tls) as session:
                            if session.ask(f"echo {number}-{turn}") != f"{number}-{turn}":
                                problems.append((number, turn))
                except (OSError, AssertionError) as error:
                    problems.append((number, repr(error)))

            threads = [threading.Thread(target=come_and_go, args=(number % 4 == 0, number))
                       for number in range(40)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
            self.assertEqual(problems, [])
            self.wait_clients(engine, 0)
            held = engine.descriptors()
            open_ones = []
            for number in range(CLIENTS):
                session = engine.session(tls=number % 8 == 0)
                self.addCleanup(session.close)
                open_ones.append(session)
            for number, session in enumerate(open_ones):
                self.assertEqual(session.ask(f"echo {number}"), str(number))
            for session in open_ones:
                session.close()
            self.wait_clients(engine, 0)
            eventually(lambda engine=engine, held=held: engine.descriptors() <= held + 2,
                       "no descriptor is left behind", 10)

    def test_no_more_clients_than_there_are_descriptors(self):
        for engine in self.engines("--maxclients", "5000", descriptors=1000):
            most = int(engine.info()["hikaefront_most_clients"])
            self.assertLess(most * 3, 1000)
            peers = [self.connect(engine) for _ in range(most)]
            for peer in peers:
                peer.sendall(b"PING\r\n")
                self.assertEqual(peer.recv(100), b"+PONG\r\n")
            self.assertEqual(self.connect(engine).recv(100), b"", "one too many is turned away")
            self.assertEqual(engine.info()["hikaefront_turned_away"], "1")
            peers.pop().close()
            self.wait_clients(engine, most - 1)
            with engine.session() as session:
                self.assertEqual(session.ask("ping"), "PONG")

    def test_the_engines_own_limit_of_clients_counts(self):
        """Descriptors of the front are beyond those of which the engine's event loop takes care."""
        for engine in self.engines("--maxclients", "100"):
            peers = []
            for _ in range(90):
                peers.append(engine.session(tls=len(peers) % 10 == 0))
                self.addCleanup(peers[-1].close)
                self.assertEqual(peers[-1].ask("ping"), "PONG")
            for _ in range(20):
                peers.append(engine.session())
                self.addCleanup(peers[-1].close)
            with self.assertRaisesRegex(Exception, "max number of clients|closed|reset"):
                for peer in peers:
                    self.assertEqual(peer.ask("ping"), "PONG")

    def test_a_kill_resets_all_clients(self):
        for engine in self.engines():
            peers = [self.connect(engine) for _ in range(20)]
            for peer in peers[:15]:
                peer.sendall(b"PING\r\n")
                self.assertEqual(peer.recv(100), b"+PONG\r\n")
            with engine.session(tls=True) as tls:
                self.assertEqual(tls.ask("ping"), "PONG")
                engine.process.kill()
                for peer in peers:
                    self.assertTrue(self.is_over(peer))
                self.assertRaises(OSError, tls.ask, "ping")

    @staticmethod
    def is_over(peer):
        try:
            return peer.recv(100) == b""
        except ConnectionError:
            return True

    @staticmethod
    def is_open(peer):
        try:
            return peer.recv(1024 * 1024) != b""
        except ConnectionError:
            return False

    def test_it_stands_still_with_the_engine(self):
        for engine in self.engines():
            with engine.session() as session:
                self.assertEqual(session.ask("ping"), "PONG")
            os.kill(engine.process.pid, signal.SIGSTOP)
            try:
                peer = self.connect(engine)
                peer.sendall(b"PING\r\n")
                peer.settimeout(0.3)
                self.assertRaises(TimeoutError, peer.recv, 100)
            finally:
                os.kill(engine.process.pid, signal.SIGCONT)
            peer.settimeout(10)
            self.assertEqual(peer.recv(100), b"+PONG\r\n")

    def test_a_child_that_saves_holds_no_clients(self):
        for engine in self.engines("--rdb-key-save-delay", "20000"):
            peers = [self.connect(engine) for _ in range(10)]
            for number, peer in enumerate(peers):
                peer.sendall(b"SET k%d v\r\n" % number)
                self.assertEqual(peer.recv(100), b"+OK\r\n")
            with engine.administrator() as agent:
                agent.ask_all([f"set key:{number} v" for number in range(5000)])
                self.assertIn("started", agent.ask("bgsave"))
                (child,) = eventually(
                    lambda engine=engine: children_of(engine.process.pid), "it saves", 5)
                # A child keeps those of the engine's own sockets, and none of the front's: not the
                # ten of clients, not the ten towards the engine, not the one that listens.
                most = sockets_of(engine.process.pid) - 21
                eventually(lambda child=child, most=most: sockets_of(child) <= most,
                           "the child has closed them", 5)
                for tls in (False, True):
                    with engine.session(tls=tls) as session:
                        self.assertEqual(session.ask("get k3"), "v")
                self.assertEqual(children_of(engine.process.pid), [child], "it saves still")
            engine.process.kill()
            engine.process.wait(10)
            try:
                for peer in peers:
                    self.assertTrue(self.is_over(peer))
                with self.assertRaises(ConnectionError):
                    self.connect(engine)
                os.kill(child, 0)  # all that while it lives on
            finally:
                os.kill(child, signal.SIGKILL)

    def test_a_client_that_breaks_off_is_gone_at_the_engine(self):
        for engine in self.engines():
            peer = self.connect(engine)
            peer.sendall(b"SUBSCRIBE news\r\n")
            self.assertIn(b"subscribe", peer.recv(100))
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.close()
            with engine.administrator() as agent:
                eventually(lambda agent=agent: agent.ask("pubsub numsub news")[1] == 0,
                           "nobody listens to news", 10)
            self.wait_clients(engine, 0)

    def test_noise_harms_nobody(self):
        for engine in self.engines():
            generator = random.Random(5)
            with engine.session() as witness, engine.session(tls=True) as tls_witness:
                for _ in range(200):
                    peer = socket.create_connection((engine.address, engine.port), timeout=10)
                    first = generator.choice([b"\x16", b"\x16\x03\x01", b"\x80", b"\x00", b""])
                    try:
                        peer.sendall(first + generator.randbytes(generator.randrange(300)))
                    except OSError:
                        pass
                    peer.close()
                self.assertEqual(witness.ask("ping"), "PONG")
                self.assertEqual(tls_witness.ask("ping"), "PONG")
            self.wait_clients(engine, 0)

    def test_a_handshake_that_is_refused_tells_so(self):
        for engine in self.engines():
            stranger = ssl.create_default_context()
            with self.assertRaises(ssl.SSLCertVerificationError):
                stranger.wrap_socket(self.connect(engine), server_hostname=engine.address)
            self.wait_clients(engine, 0)

    def test_an_engine_does_not_start_where_it_cannot_listen(self):
        for program in programs():
            with socket.socket() as other:
                other.bind(("127.0.0.1", 0))
                other.listen()
                port = other.getsockname()[1]
                engine = FrontedEngine(program).started()
                self.addCleanup(engine.dispose)
                engine.process.kill()
                engine.process.wait(10)
                engine.port = port
                engine.start_again()
                self.assertNotEqual(engine.process.wait(10), 0)
                self.assertIn("hikae front: it cannot listen on 127.0.0.1 port "
                              f"{port}: Address already in use", engine.log())

    def test_replicas_come_through_it(self):
        for program in programs():
            first, second = (FrontedEngine(program) for _ in range(2))
            for engine in (first, second):
                self.addCleanup(engine.dispose)
                engine.started()
            for tls in ("no", "yes"):
                with second.administrator() as agent:
                    agent.ask(f"config set tls-ca-cert-file {first.directory}/tls.pem")
                    self.assertEqual(agent.ask(f"config set tls-replication {tls}"), "OK")
                    agent.ask("replicaof no one")
                    agent.ask(f"replicaof {first.address} {first.port}")
                with first.session() as session:
                    self.assertEqual(session.ask(f"set by {tls}"), "OK")
                eventually(lambda second=second, tls=tls: self.ask(second, "get by") == tls,
                           "the replica has it", 20)

    @staticmethod
    def ask(engine, line):
        with engine.administrator() as agent:
            return agent.ask(line)
