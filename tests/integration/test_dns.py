"""The DNS server, asked with dig and with packets that dig would not send."""

import random
import socket
import struct

from support import dnswire
from support.case import RegionTestCase
from support.waiting import eventually

DOMAIN = "cache.hikae.internal"


class Dns(RegionTestCase):
    network_name = "dns"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.region.elasticache.create_replication_group(**cls.network.group_arguments(
            ReplicationGroupId="named", NumCacheClusters=3, AutomaticFailoverEnabled=True))
        cls.shard = cls.region.wait_group("named", 3)["NodeGroups"][0]
        cls.primary = cls.shard["PrimaryEndpoint"]["Address"]
        cls.reader = cls.shard["ReaderEndpoint"]["Address"]
        cls.members = [m["ReadEndpoint"]["Address"] for m in cls.shard["NodeGroupMembers"]]

    @classmethod
    def tearDownClass(cls):
        cls.region.remove_everything()
        super().tearDownClass()

    def alive(self):
        return self.region.lookup(self.primary).rcode == "NOERROR"

    def test_udp_and_tcp_agree(self):
        over_udp = self.region.dig("+noall", "+answer", self.primary).ok().lines()
        over_tcp = self.region.dig("+tcp", "+noall", "+answer", self.primary).ok().lines()
        self.assertEqual(over_udp, over_tcp)
        self.assertEqual([line.split()[3] for line in over_udp], ["CNAME", "A"])

    def test_flags(self):
        text = self.region.dig(self.primary).ok().out
        self.assertIn("status: NOERROR", text)
        flags = text.split("flags:")[1].split(";")[0].split()
        self.assertIn("aa", flags)
        self.assertNotIn("ra", flags)

    def test_edns(self):
        self.assertIn("EDNS: version: 0", self.region.dig("+edns=0", self.primary).ok().out)
        self.assertNotIn("EDNS:", self.region.dig("+noedns", self.primary).ok().out)
        self.assertIn("BADVERS", self.region.dig("+edns=1", "+noednsnegotiation",
                                                 self.primary).ok().out)

    def test_case_is_kept(self):
        mixed = "".join(random.choice((c.upper(), c)) for c in self.primary)
        answer = dnswire.Answer(dnswire.ask_udp(self.region.dns, dnswire.query(mixed)))
        self.assertEqual(answer.questions[0][0], mixed)
        self.assertEqual(answer.answers[0][0].lower(), self.primary)
        self.assertTrue(answer.addresses())

    def test_no_data(self):
        for name in (self.members[0], self.primary):
            answer = self.region.lookup(name, "AAAA")
            self.assertEqual(answer.rcode, "NOERROR")
            self.assertEqual([kind for _, _, kind, _ in answer.answers if kind == "AAAA"], [])
        self.assertEqual([kind for _, _, kind, _ in
                          self.region.lookup(self.members[0], "AAAA").authority], ["SOA"])

    def test_unknown_name(self):
        answer = self.region.lookup(f"nobody.{DOMAIN}")
        self.assertEqual((answer.rcode, [r[2] for r in answer.authority]), ("NXDOMAIN", ["SOA"]))
        self.assertTrue(answer.aa)

    def test_empty_non_terminals_exist(self):
        """A name that has names below it is not NXDOMAIN (RFC 8020)."""
        above = self.primary.split(".", 1)[1]
        self.assertEqual(self.region.lookup(above).rcode, "NOERROR")

    def test_outside(self):
        for name in ("example.com", "internal", "xcache.hikae.internal"):
            answer = self.region.lookup(name)
            self.assertEqual((answer.rcode, answer.answers), ("REFUSED", []), name)

    def test_soa_and_ns(self):
        apex = ".".join(self.members[0].split(".")[-4:])
        self.assertTrue(apex.endswith(DOMAIN))
        kinds = set()
        for name in (DOMAIN, apex):
            for kind in ("SOA", "NS"):
                kinds |= {record[2] for record in self.region.lookup(name, kind).answers}
        self.assertEqual(kinds, {"SOA", "NS"})

    def test_ttl(self):
        answer = self.region.lookup(self.primary)
        alias = next(r for r in answer.answers if r[2] == "CNAME")
        self.assertLessEqual(alias[1], 5)

    def test_reader_rotates_over_replicas(self):
        seen = {tuple(self.region.lookup(self.reader).addresses()) for _ in range(40)}
        firsts = {addresses[0] for addresses in seen}
        replicas = {self.region.resolve(name) for name in self.members[1:]}
        self.assertEqual(firsts, replicas)

    def test_reader_of_a_group_without_replicas(self):
        shard = self.make_group("onlyone", 1)["NodeGroups"][0]
        self.assertEqual(self.region.resolve(shard["ReaderEndpoint"]["Address"]),
                         self.region.resolve(shard["PrimaryEndpoint"]["Address"]))

    def test_names_go_with_their_nodes(self):
        group = self.make_group("leaving", 2)["NodeGroups"][0]
        name = group["NodeGroupMembers"][1]["ReadEndpoint"]["Address"]
        self.assertEqual(self.region.lookup(name).rcode, "NOERROR")
        self.drop_group("leaving")
        for gone in (name, group["PrimaryEndpoint"]["Address"]):
            eventually(lambda n=gone: self.region.lookup(n).rcode == "NXDOMAIN",
                       f"{gone} is NXDOMAIN", 5)

    def test_malformed_packets(self):
        randomness = random.Random(53)
        good = dnswire.query(self.primary, edns=True)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
            channel.connect(self.region.dns)
            for _ in range(500):
                packet = bytearray(good)
                for _ in range(randomness.randrange(1, 6)):
                    packet[randomness.randrange(len(packet))] = randomness.randrange(256)
                channel.send(bytes(packet[:randomness.randrange(len(packet) + 1)]))
            for packet in (b"", b"\0", b"\0" * 11, good[:-3], b"\xff" * 512,
                           struct.pack(">6H", 1, 0, 9, 0, 0, 0) + b"\xc0\x0c\0\1\0\1",
                           struct.pack(">6H", 2, 0x8000, 1, 0, 0, 0) + good[12:]):
                channel.send(packet)
        self.assertTrue(self.alive())

    def test_malformed_tcp(self):
        for data in (b"\0", b"\0\0", b"\xff\xff" + b"x" * 100, b"\0\5abc"):
            with socket.create_connection(self.region.dns, timeout=3) as channel:
                channel.sendall(data)
        idle = [socket.create_connection(self.region.dns, timeout=3) for _ in range(20)]
        try:
            answer = dnswire.Answer(dnswire.ask_tcp(self.region.dns, dnswire.query(self.primary)))
            self.assertEqual(answer.rcode, "NOERROR")
        finally:
            for channel in idle:
                channel.close()

    def test_several_questions_on_one_connection(self):
        with socket.create_connection(self.region.dns, timeout=5) as channel:
            for number in range(3):
                message = dnswire.query(self.primary, identifier=number)
                channel.sendall(struct.pack(">H", len(message)) + message)
            data = b""
            while len(data) < 2 or self.complete(data) < 3:
                part = channel.recv(65536)
                self.assertTrue(part)
                data += part

    @staticmethod
    def complete(data):
        """How many whole messages the bytes hold."""
        count = 0
        while len(data) >= 2:
            length = struct.unpack(">H", data[:2])[0]
            if len(data) < 2 + length:
                break
            count += 1
            data = data[2 + length:]
        return count

    def test_other_operations(self):
        message = bytearray(dnswire.query(self.primary))
        message[2] |= 0x28  # opcode 5, update
        reply = dnswire.ask_udp(self.region.dns, bytes(message))
        self.assertEqual(dnswire.Answer(reply).rcode, "NOTIMP")
