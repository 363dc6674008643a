#!/usr/bin/env python3
"""Writes docs/compatibility.md from the models and from what the tests of the whole product call.

  tools/generate_compatibility.py          write the page
  tools/generate_compatibility.py --check  change nothing; exit 1 if the page is not what would be
                                           written, or an action is built that no test calls

A test calls an action through boto3 (`create_user(`), the aws CLI (`create-user`) or by its name in
a request (`"CreateUser"`). What differs from AWS is told in model/differences.json.
"""

import argparse
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/compatibility.md"
SERVICES = {"elasticache": "ElastiCache", "ec2": "EC2", "sts": "STS"}
# They call every action of the model, and say nothing of one in particular.
SWEEPING = {"test_hostile", "test_model_check"}

HEAD = """# Compatibility

Action by action, made by `tools/generate_compatibility.py` from `model/` and from the tests of the
whole product, which run with every change: boto3, the `aws` CLI where it is installed, and plain
requests, against `hikae serve` with real engines. Beside the tests named here `conformance/hostile`
sends every action random and hostile parameters.

An action that is not built answers `UnsupportedOperation` and its own name. Of one that is built,
parameters that ask for something that is not are refused by name, never stored and ignored
([why](adr/0009-refuse-what-is-not-built.md)).
"""


class CompatibilityError(Exception):
    pass


def dashed(action):
    """`CreateUser` as the aws CLI spells it."""
    spaced = re.sub(r"(.)([A-Z][a-z]+)", r"\1-\2", action)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1-\2", spaced).lower()


def calls(action):
    """A pattern of all the ways in which a test calls the action."""
    snake = dashed(action).replace("-", "_")
    return re.compile(rf"\.{snake}\b|\"{snake}\"|\"{action}\"|[\" ]{dashed(action)}[\" ]"
                      rf"|paginator\(\"{snake}\"")


def test_modules():
    """Name, as `conformance/users`, and text of each."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if path.stem not in SWEEPING:
            yield f"{path.parent.name}/{path.stem.removeprefix('test_')}", path.read_text()


def section(service, model, differences, modules):
    actions = model["actions"]
    built = [name for name, action in actions.items() if action.get("handler") == "present"]
    unknown = set(differences) - set(actions)
    if unknown:
        raise CompatibilityError(f"model/differences.json: no such action: {sorted(unknown)}")
    lines = [f"\n## {SERVICES[service]}: {len(built)} of {len(actions)} actions\n",
             "| action | built | tested in | differs from AWS |", "|---|---|---|---|"]
    untested = []
    for name in sorted(actions):
        is_built = name in built
        found = [module for module, text in modules if calls(name).search(text)] if is_built else []
        if is_built and not found:
            untested.append(name)
        note = differences.get(name, "")
        lines.append(f"| {name} | {'yes' if is_built else 'no'} | {', '.join(found)} | {note} |")
    if untested:
        raise CompatibilityError(f"{service}: built, but no test calls: {', '.join(untested)}")
    return "\n".join(lines) + "\n"


def page():
    differences = json.loads((ROOT / "model/differences.json").read_text())
    modules = list(test_modules())
    parts = [HEAD]
    for service in SERVICES:
        model = json.loads((ROOT / f"model/{service}.json").read_text())
        parts.append(section(service, model, differences.get(service, {}), modules))
    return "".join(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--check", action="store_true", help="fail when the page differs")
    arguments = parser.parse_args()
    try:
        text = page()
    except CompatibilityError as error:
        print(f"generate_compatibility: {error}", file=sys.stderr)
        return 1
    if not arguments.check:
        PAGE.write_text(text)
        return 0
    if not PAGE.exists() or PAGE.read_text() != text:
        print("docs/compatibility.md is not what the models and tests give; run "
              "tools/generate_compatibility.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
