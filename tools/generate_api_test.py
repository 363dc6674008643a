#!/usr/bin/env python3
"""Tests of tools/generate_api.py.

  tools/generate_api_test.py            run
  tools/generate_api_test.py --update   accept what the generator writes now as golden
"""

import copy
import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import generate_api  # noqa: E402  (needs the path above)

GOLDEN = Path(__file__).resolve().parent / "golden"
TOY = json.loads((GOLDEN / "toy.json").read_text())


def toy_with(change):
    model = copy.deepcopy(TOY)
    change(model)
    return model


class Golden(unittest.TestCase):
    def test_every_file_is_as_accepted(self):
        files = generate_api.generate([TOY])
        expected = {p.name: p.read_text() for p in (GOLDEN / "expected").iterdir()}
        self.assertEqual(sorted(files), sorted(expected))
        for name, text in files.items():
            self.assertEqual(text.splitlines(), expected[name].splitlines(), name)

    def test_the_same_model_gives_the_same_text(self):
        self.assertEqual(generate_api.generate([TOY]), generate_api.generate([TOY]))

    def test_what_only_unsupported_actions_use_is_left_out(self):
        self.assertNotIn("FellTreeMessage", generate_api.generate([TOY])["toy_shapes.h"])


class Check(unittest.TestCase):
    def test_finds_changed_missing_and_stale_files(self):
        files = {"a.h": "a", "b.h": "b", "c.h": "c"}
        with tempfile.TemporaryDirectory() as folder:
            directory = Path(folder)
            (directory / "a.h").write_text("a")
            (directory / "b.h").write_text("changed")
            (directory / "old.h").write_text("old")
            self.assertEqual(generate_api.differences(directory, files), ["b.h", "c.h", "old.h"])


class Refusals(unittest.TestCase):
    def refused(self, change, fragment):
        with self.assertRaisesRegex(generate_api.ModelError, fragment):
            generate_api.generate([toy_with(change)])

    def test_a_type_without_shape(self):
        def change(model):
            model["shapes"]["Tree"]["members"]["Root"] = {"type": "Root"}

        self.refused(change, "no shape Root")

    def test_an_undeclared_fault(self):
        def change(model):
            model["actions"]["DescribeTrees"]["faults"].append("Fire")

        self.refused(change, "undeclared fault Fire")

    def test_a_misspelt_key(self):
        def change(model):
            model["shapes"]["Tree"]["members"]["TreeId"]["requird"] = True

        self.refused(change, "Tree.TreeId: unknown keys")

    def test_a_structure_that_holds_itself(self):
        def change(model):
            model["shapes"]["Branch"]["members"]["Next"] = {"type": "Branch"}

        self.refused(change, "Branch holds itself")


class Names(unittest.TestCase):
    def test_snake_case(self):
        for wire, expected in {
            "CacheNodeIdsToReboot": "cache_node_ids_to_reboot",
            "PreferredCacheClusterAZs": "preferred_cache_cluster_azs",
            "MultiAZEnabled": "multi_az_enabled",
            "EC2SecurityGroups": "ec2_security_groups",
            "Ipv6CidrBlock": "ipv6_cidr_block",
            "ARN": "arn",
            "Return": "return_value",
        }.items():
            self.assertEqual(generate_api.member_name(wire), expected)


if __name__ == "__main__":
    if "--update" in sys.argv:
        generate_api.write(GOLDEN / "expected", generate_api.generate([TOY]))
    else:
        unittest.main()
