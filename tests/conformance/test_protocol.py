"""The Query protocol itself: actions, versions, spellings, bounds, and junk."""

import json
import os
import random
import re
import socket
import xml.etree.ElementTree as ElementTree

from support import signing
from support.case import RegionTestCase
from support.network import ZONES
from support.region import ROOT


class Protocol(RegionTestCase):
    network_name = "proto"

    def expect(self, reply, status, code, *fragments):
        self.assertEqual(reply.status, status, reply)
        self.assertIn(f"<Code>{code}</Code>", reply.text)
        for fragment in fragments:
            self.assertIn(fragment, reply.text)

    def test_envelope(self):
        reply = self.region.query({"Action": "DescribeCacheClusters"})
        self.assertEqual(reply.status, 200)
        self.assertTrue(reply.headers["content-type"].startswith("text/xml"))
        root = ElementTree.fromstring(reply.text)
        space = "{http://elasticache.amazonaws.com/doc/2015-02-02/}"
        self.assertEqual(root.tag, space + "DescribeCacheClustersResponse")
        self.assertEqual([child.tag for child in root],
                         [space + "DescribeCacheClustersResult", space + "ResponseMetadata"])
        self.assertEqual(root[1][0].text, reply.headers["x-amzn-requestid"])

    def test_no_result_where_the_action_has_none(self):
        self.cache.create_cache_parameter_group(CacheParameterGroupName="gone",
                                                CacheParameterGroupFamily="redis2.8",
                                                Description="d")
        reply = self.region.query({"Action": "DeleteCacheParameterGroup",
                                   "CacheParameterGroupName": "gone"})
        root = ElementTree.fromstring(reply.text)
        self.assertEqual([child.tag.split("}")[1] for child in root], ["ResponseMetadata"])

    def test_unknown_action(self):
        self.expect(self.region.query({"Action": "MakeCoffee"}), 400, "InvalidAction", "MakeCoffee")
        self.expect(self.region.query({"NoAction": "1"}), 400, "MissingAction")

    def test_actions_not_built_say_so(self):
        with open(os.path.join(ROOT, "model", "elasticache.json"), encoding="utf-8") as file:
            actions = json.load(file)["actions"]
        for action in sorted(a for a, facts in actions.items()
                             if facts["handler"] == "unsupported"):
            with self.subTest(action):
                reply = self.region.query({"Action": action})
                self.assertEqual(reply.status, 400, reply)
                self.assertRegex(reply.text, rf"<Message>[^<]*\b{action}\b[^<]*</Message>")
                self.assertNotIn("<Code>InternalFailure</Code>", reply.text)

    def test_versions(self):
        for version in ("2014-09-30", "2015-02-02", "2012-11-15", "2013-06-15", "2014-03-24",
                        "2014-07-15"):
            with self.subTest(version):
                reply = self.region.query({"Action": "DescribeCacheClusters"}, version=version)
                self.assertEqual(reply.status, 200, reply)
                self.assertIn(f'xmlns="http://elasticache.amazonaws.com/doc/{version}/"',
                              reply.text)
        self.expect(self.region.query({"Action": "DescribeCacheClusters"}, version="yesterday"),
                    400, "InvalidAction")

    def test_client_of_2014(self):
        """The model of that year: no member of it may be missing, and no later one appear."""
        old = self.region.client("elasticache", api_version="2014-09-30")
        arguments = self.network.group_arguments(
            ReplicationGroupId="of2014", NumCacheClusters=2, AutomaticFailoverEnabled=True,
            PreferredCacheClusterAZs=list(ZONES))
        group = old.create_replication_group(**arguments)["ReplicationGroup"]
        self.addCleanup(self.drop_group, "of2014")
        self.assertEqual((group["Status"], group["AutomaticFailover"], group["MemberClusters"]),
                         ("creating", "enabling", ["of2014-001", "of2014-002"]))
        self.region.wait_group("of2014", 2)
        group = old.describe_replication_groups(ReplicationGroupId="of2014")["ReplicationGroups"][0]
        self.assertEqual(group["AutomaticFailover"], "enabled")
        self.assertIn("PrimaryEndpoint", group["NodeGroups"][0])
        cluster = old.describe_cache_clusters(CacheClusterId="of2014-001",
                                              ShowCacheNodeInfo=True)["CacheClusters"][0]
        self.assertEqual(cluster["EngineVersion"], "2.8.6")
        old.describe_events()
        old.describe_cache_subnet_groups()
        old.describe_cache_parameters(CacheParameterGroupName="default.redis2.8")
        reply = self.region.query({"Action": "DescribeReplicationGroups"}, version="2014-09-30")
        for later in ("ReaderEndpoint", "MultiAZ", "ARN", "AtRestEncryptionEnabled"):
            self.assertNotIn(f"<{later}>", reply.text)

    def test_later_actions_are_unknown_in_2014(self):
        reply = self.region.query({"Action": "ListTagsForResource", "ResourceName": "x"},
                                  version="2014-09-30")
        self.expect(reply, 400, "InvalidAction")

    def test_json_answers(self):
        reply = self.region.query({"Action": "DescribeCacheSubnetGroups", "ContentType": "JSON",
                                   "CacheSubnetGroupName": "proto"}, version="2013-06-15")
        self.assertEqual(reply.status, 200, reply)
        answer = json.loads(reply.text)["DescribeCacheSubnetGroupsResponse"]
        groups = answer["DescribeCacheSubnetGroupsResult"]["CacheSubnetGroups"]
        self.assertEqual(groups[0]["CacheSubnetGroupName"], "proto")
        self.assertEqual(len(groups[0]["Subnets"]), 2)
        self.assertRegex(answer["ResponseMetadata"]["RequestId"], r"^[0-9a-f-]{36}$")

    def test_json_errors(self):
        reply = self.region.query({"Action": "DescribeCacheClusters", "ContentType": "JSON",
                                   "CacheClusterId": "nobody"})
        self.assertEqual(reply.status, 404, reply)
        self.assertEqual(json.loads(reply.text)["Error"]["Code"], "CacheClusterNotFound")

    def test_spellings_of_lists(self):
        """Whatever stands between a list's name and its number, and numbers with gaps."""
        subnets = list(self.network.subnets.values())
        for number, spelling in enumerate(("SubnetIds.SubnetIdentifier.{}", "SubnetIds.member.{}",
                                           "SubnetIds.Anything.{}")):
            with self.subTest(spelling):
                name = f"spelling-{number}"
                reply = self.region.query({
                    "Action": "CreateCacheSubnetGroup", "CacheSubnetGroupName": name,
                    "CacheSubnetGroupDescription": "d", spelling.format(10): subnets[1],
                    spelling.format(9): subnets[0]})
                self.assertEqual(reply.status, 200, reply)
                found = re.findall(r"<SubnetIdentifier>([^<]*)<", reply.text)
                self.assertEqual(found, subnets)
                self.cache.delete_cache_subnet_group(CacheSubnetGroupName=name)

    def test_empty_list(self):
        reply = self.region.query({"Action": "CreateCacheSubnetGroup", "SubnetIds": "",
                                   "CacheSubnetGroupName": "empty",
                                   "CacheSubnetGroupDescription": "d"})
        self.assertEqual(reply.status, 400, reply)
        self.assertRegex(reply.text, "<Code>(InvalidParameterValue|MissingParameter)</Code>")

    def test_text_is_kept_byte_for_byte(self):
        text = "a+b %25 é & <tag> 'q' \"Q\" \u63a7\u3048"
        self.cache.create_cache_parameter_group(CacheParameterGroupName="bytes",
                                                CacheParameterGroupFamily="redis2.8",
                                                Description=text)
        group = self.cache.describe_cache_parameter_groups(CacheParameterGroupName="bytes")
        self.assertEqual(group["CacheParameterGroups"][0]["Description"], text)
        self.cache.delete_cache_parameter_group(CacheParameterGroupName="bytes")

    def test_unknown_parameters_are_ignored(self):
        reply = self.region.query({"Action": "DescribeCacheClusters", "Durability": "sync",
                                   "A.B.1.C": "x"})
        self.assertEqual(reply.status, 200, reply)

    def test_constraints_that_clients_do_not_check(self):
        create = {"Action": "CreateReplicationGroup", "ReplicationGroupId": "r",
                  "ReplicationGroupDescription": "d"}
        for wrong in ({"Port": "six"}, {"AutomaticFailoverEnabled": "perhaps"},
                      {"NumCacheClusters": "99999999999999"}, {"NumCacheClusters": ""}):
            with self.subTest(wrong):
                reply = self.region.query({**create, **wrong})
                self.assertEqual(reply.status, 400, reply)
                self.assertRegex(reply.text,
                                 "<Code>(InvalidParameterValue|ValidationError|"
                                 "InvalidParameterCombination)</Code>")
        for action, missing in (("CreateReplicationGroup", "ReplicationGroupId"),
                                ("DeleteReplicationGroup", "ReplicationGroupId"),
                                ("CreateCacheSubnetGroup", "CacheSubnetGroupName")):
            reply = self.region.query({"Action": action})
            self.assertEqual(reply.status, 400, reply)
            self.assertRegex(reply.text, "<Code>(MissingParameter|InvalidParameterValue|"
                                         "ValidationError)</Code>")
            self.assertIn(missing, reply.text)
        for wrong in ({"StartTime": "soon"}, {"Duration": "x"}, {"SourceType": "cloud"}):
            reply = self.region.query({"Action": "DescribeEvents", **wrong})
            self.assertEqual(reply.status, 400, reply)

    def test_bounds(self):
        many = {f"P{number}": "x" for number in range(20_000)}
        reply = self.region.query({"Action": "DescribeCacheClusters", **many})
        self.assertIn(reply.status, (400, 404, 413), repr(reply)[:300])
        deep = {"Action": "DescribeCacheClusters", ".".join(["a"] * 500): "x"}
        self.assertIn(self.region.query(deep).status, (200, 400, 404))

        huge = b"Action=DescribeCacheClusters&X=" + b"x" * (4 * 1024 * 1024)
        try:
            reply = signing.send(self.region.listen, "POST", "/", huge,
                                 {"content-type": "application/x-www-form-urlencoded"})
            self.assertEqual(reply.status, 413, repr(reply)[:300])
        except (BrokenPipeError, ConnectionResetError):
            pass  # told and cut off while still sending
        try:
            reply = signing.send(self.region.listen, "GET", "/",
                                 headers={"x-long": "y" * 200_000})
            self.assertEqual(reply.status, 431, repr(reply)[:300])
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.assertTrue(self.region.answers())

    def test_keep_alive_and_pipelining(self):
        key, secret = self.region.credentials()
        target = signing.v4_presigned(self.region.host, {"Action": "DescribeCacheClusters",
                                                         "Version": "2015-02-02"},
                                      key, secret, self.region.name)
        request = f"GET {target} HTTP/1.1\r\nHost: {self.region.host}\r\n\r\n".encode()
        last = f"GET {target} HTTP/1.1\r\nHost: {self.region.host}\r\nConnection: close\r\n\r\n"
        with socket.create_connection(self.region.listen, timeout=10) as channel:
            channel.sendall(request * 3 + last.encode())
            data = b""
            while part := channel.recv(65536):
                data += part
        self.assertEqual(data.count(b"HTTP/1.1 200"), 4)

    def test_junk(self):
        """Random requests: all that comes back has AWS's shape, and the server lives."""
        self.addCleanup(self.drop_all_groups)
        randomness = random.Random(2014)
        actions = ["CreateReplicationGroup", "DescribeCacheClusters", "CreateCacheSubnetGroup",
                   "DescribeEvents", "ModifyCacheParameterGroup", "RunInstances", "", "\0"]
        names = ["ReplicationGroupId", "MaxRecords", "Marker", "CacheClusterId", "Tags.Tag.1.Key",
                 "SubnetIds.SubnetIdentifier.1", "ParameterNameValues.ParameterNameValue.1",
                 "NodeGroupConfiguration.NodeGroupConfiguration.1.Slots", "StartTime", "Filter.1",
                 "SecurityGroupIds..1", "..", "Tags.Tag.-1.Key", "Port", "NumCacheClusters"]
        values = ["", "x", "-1", "99999999999999999999", "%", "\u00e9\u0000", "a" * 3000, "true",
                  "<&>", "../../etc/passwd", "2014-09-30T00:00:00Z", "foo--bar"]
        for round_number in range(140):
            call = {"Action": randomness.choice(actions)}
            for _ in range(randomness.randrange(6)):
                call[randomness.choice(names)] = randomness.choice(values)
            service = randomness.choice(["elasticache", "elasticache", "ec2", "sts", "nothing"])
            version = randomness.choice(["2015-02-02", "2014-09-30", "2016-11-15", "", "x"])
            reply = self.region.query(call, service=service, version=version)
            with self.subTest(round=round_number, call=call, service=service, version=version):
                self.assertLess(reply.status, 500, reply)
                root = ElementTree.fromstring(reply.text)
                name = root.tag.rpartition("}")[2]
                self.assertTrue(name in ("ErrorResponse", "Response") or reply.status == 200,
                                reply)
        for _ in range(60):
            junk = bytes(randomness.randrange(256) for _ in range(randomness.randrange(1, 400)))
            if randomness.random() < 0.5:
                junk = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n" + junk
            with socket.create_connection(self.region.listen, timeout=5) as channel:
                channel.sendall(junk)
                channel.shutdown(socket.SHUT_WR)
                try:
                    while channel.recv(65536):
                        pass
                except ConnectionResetError:
                    pass
        self.assertIsNone(self.region.server.poll(), "the server has ended")
        self.assertTrue(self.region.answers())

    def drop_all_groups(self):
        """A random request may have made one."""
        for group in self.cache.describe_replication_groups()["ReplicationGroups"]:
            self.drop_group(group["ReplicationGroupId"])
