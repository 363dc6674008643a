"""Hostile parameters for every action: whatever is sent, an answer of AWS's shape comes back.

The values are drawn for the members that the model names, half of them plausible, so that a call
comes further than the first check. SEED and CALLS in the environment ask for other runs and longer
ones.
"""

import json
import os
import random
import re
import xml.etree.ElementTree as ElementTree

from support.case import RegionTestCase
from support.region import ROOT

SEED = int(os.environ.get("SEED", "2015"))
CALLS = int(os.environ.get("CALLS", "16"))  # of each action

HOSTILE = ["", " ", "x", "-1", "0", "1", "2147483647", "2147483648", "99999999999999999999", "true",
           "TRUE", "1e3", "%", "%s%n", "a" * 3000, "../../etc/passwd", "foo--bar", "-foo", "foo-",
           "FOO", "1foo", "f\u00f6\u00f6", "\u63a7\u3048", "\U0001f9e8", "\u202egnp",
           "foo\u0000bar", "foo\nbar", "foo\r\nSet-Cookie: x", "\x1b[31m", "<&>\"'", "]]>",
           "&#0;", "\ufffe", "${jndi:ldap://x}", "'; DROP TABLE state; --", "on ~* +@all",
           "arn:aws:x", "10.0.0.0/8", "0.0.0.0/0", "2014-09-30T00:00:00Z", "0000-00-00",
           "sun:23:00-mon:01:30", "05:00-09:00"]
PLAUSIBLE = ["hostile", "hostile-001", "default", "redis", "valkey", "memcached", "7.1", "8.0",
             "cache.t3.micro", "default.redis7", "default.valkey8", "0001", "1", "2", "3", "true",
             "false", "ap-northeast-1a", "cluster", "replication-group", "maxmemory-policy",
             "volatile-lru", "vpc-12345678", "name", "tag-key"]
# Every action may answer these: "Common Errors" of the API reference, and what is not built yet.
COMMON = {"InvalidParameterValue", "InvalidParameterCombination", "MissingParameter",
          "ValidationError", "MalformedQueryString", "UnsupportedOperation"}


def model_of(service):
    with open(os.path.join(ROOT, "model", f"{service}.json"), encoding="utf-8") as file:
        return json.load(file)


class Drawer:
    """Draws parameters for an action, spelled as the Query protocol has them."""

    def __init__(self, model, randomness):
        self.shapes = model["shapes"]
        self.random = randomness

    def text(self):
        return self.random.choice(PLAUSIBLE if self.random.random() < 0.5 else HOSTILE)

    def draw(self, shape_name, prefix, out, depth=0):
        shape = self.shapes.get(shape_name, {})
        if "list" in shape and depth < 4:
            item = shape.get("item") or "member"
            for number in range(1, self.random.randrange(1, 4)):
                self.draw(shape["list"], f"{prefix}.{item}.{number}", out, depth + 1)
        elif "members" in shape and depth < 4:
            for name, facts in shape["members"].items():
                if self.random.random() < (0.8 if facts.get("required") else 0.25):
                    wire = facts.get("wire", name)
                    self.draw(facts["type"], f"{prefix}.{wire}" if prefix else wire, out, depth + 1)
        elif "enum" in shape and self.random.random() < 0.7:
            out[prefix] = self.random.choice(list(shape["enum"]))
        else:
            out[prefix] = self.text()

    def call(self, action, facts):
        out = {}
        if facts.get("input"):
            self.draw(facts["input"], "", out)
        return {**{name: value for name, value in out.items() if name}, "Action": action}


class Hostile(RegionTestCase):
    network_name = "hostile"
    longest_seconds = 600

    def sweep(self, service, version, codes_of):
        model = model_of(service)
        randomness = random.Random(f"{SEED} {service}")
        drawer = Drawer(model, randomness)
        seen = set()
        for action, facts in sorted(model["actions"].items()):
            for number in range(CALLS):
                call = drawer.call(action, facts)
                reply = self.region.query(call, service=service, version=version)
                with self.subTest(action=action, number=number, call=call):
                    seen.add(self.check(reply, codes_of(facts)))
        self.assertTrue(self.region.answers())
        self.assertIsNone(self.region.server.poll(), "the server has ended")
        self.assertIn(200, seen, "nothing ever got through: the draw is too wild")
        self.assertIn(400, seen)

    def check(self, reply, codes):
        self.assertLess(reply.status, 500, reply)
        root = ElementTree.fromstring(reply.text)
        if reply.status == 200:
            return 200
        found = [re.sub(r"^\{.*\}", "", element.tag) for element in root.iter()]
        self.assertIn("Code", found, reply)
        code = next(e.text for e in root.iter() if e.tag.endswith("Code"))
        message = next((e.text for e in root.iter() if e.tag.endswith("Message")), None)
        self.assertTrue(message and message.strip(), reply)
        if codes is not None:
            self.assertIn(code, codes, reply)
        return reply.status

    def test_elasticache(self):
        self.addCleanup(self.drop_all)
        model = model_of("elasticache")
        self.make_group("hostile")
        wire = {name: facts.get("code", name) for name, facts in model["faults"].items()}
        self.sweep("elasticache", "2015-02-02",
                   lambda facts: COMMON | {wire.get(name, name) for name in facts["faults"]})
        # Who was here before is still whole, or was deleted by a call that asked for it.
        for group in self.cache.describe_replication_groups()["ReplicationGroups"]:
            self.assertIn(group["Status"], ("available", "creating", "modifying", "deleting",
                                            "snapshotting", "create-failed"))

    def test_ec2(self):
        self.sweep("ec2", "2016-11-15", lambda facts: None)

    def drop_all(self):
        for snapshot in self.cache.describe_snapshots()["Snapshots"]:
            try:
                self.cache.delete_snapshot(SnapshotName=snapshot["SnapshotName"])
            except self.cache.exceptions.ClientError:
                pass  # still being taken: it ends with the region
        for group in self.cache.describe_replication_groups()["ReplicationGroups"]:
            self.drop_group(group["ReplicationGroupId"])
        for cluster in self.cache.describe_cache_clusters()["CacheClusters"]:
            if "ReplicationGroupId" not in cluster:
                self.drop_cluster(cluster["CacheClusterId"])
